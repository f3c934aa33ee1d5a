"""What a local target may need of a library: all that a rollback or an undo can lead to."""

from __future__ import annotations

from collections.abc import Mapping

from rolldeck.oci import Digest
from rolldeck.release.target import Target


def needs(target: Target) -> Mapping[Digest, str]:
    """Return the versions that a target may ask for again, each with the reason.

    What is unpacked is among them: a release that was changed by hand is unpacked again. So are the
    kits that a model came from. Raises IntegrityError or StorageError where that cannot be told.
    """
    found = dict.fromkeys(target.unpacked(), "unpacked")
    history = target.history()
    steps = [
        (history[-1].from_digest if history else None, "undo"),
        (target.previous(), "rollback"),
        (target.current(), "current"),
    ]
    found |= {digest: reason for digest, reason in steps if digest}
    lent = {link: reason for digest, reason in found.items() for link in target.chain(digest)}
    return lent | found

"""How to free space: which command takes away what, and how much that gives."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from rolldeck.actions.usage import DiskUse, StorageUse
from rolldeck.oci import Place, Reference, is_record_tag
from rolldeck.store.usage import VersionUse


@dataclass(frozen=True, slots=True)
class Way:
    """One command line, what it takes away, and the bytes that are free afterwards."""

    command: str
    what: str
    size: int


def ways_to_free(use: DiskUse) -> tuple[Way, ...]:
    """Return what can be done, the harmless first; of versions only the one that frees most."""
    stale = [item for item in use.kit.leftovers if item.state == "stale"]
    # Where it is not known who needs what, no number would be true.
    version = None if use.problems else _most_own(use.library)
    of_kit = _most_own(use.kit)
    ways = [
        Way("rolldeck gc --apply", "what nobody needs", use.collectable),
        Way("kit cache clear", "what kit left while it packed", use.kit_cache),
        Way(
            f"rm {shlex.join(str(item.path) for item in stale)}",
            "what interrupted pulls of kit left; not while kit pulls",
            sum(item.size for item in stale),
        ),
    ]
    if version is not None:
        name = Reference(Place.LIBRARY, "", version.repository, None)
        named = name.tagged(version.tags[0]) if version.tags else name.at(version.digest)
        command = f"rolldeck rm {shlex.quote(str(named))}"
        ways.append(Way(command, "the version with most of its own; then gc", version.own))
    if of_kit is not None:
        command = f"kit remove {shlex.quote(_kit_name(of_kit))}"
        ways.append(Way(command, "the version of kit's with most of its own", of_kit.own))
    return tuple(way for way in ways if way.size)


def _most_own(storage: StorageUse) -> VersionUse | None:
    """Return the version whose removal frees most; None where that is none, or not known."""
    named = [
        item
        for item in storage.layout.versions
        # The records of a channel are its history, and no version.
        if item.repository and item.own and not any(map(is_record_tag, item.tags))
    ]
    return None if storage.problems else max(named, key=lambda item: item.own, default=None)


def _kit_name(version: VersionUse) -> str:
    # By a tag kit takes away that tag alone while there are others.
    if len(version.tags) == 1:
        return f"{version.repository}:{version.tags[0]}"
    return f"{version.repository}@{version.digest}"

"""Digests: checked before they name a path or a URL, and computed while bytes flow.

Follows the OCI image specification 1.1, "Digests"; sha256 and sha512 are the registered
algorithms that can be verified, any other is refused rather than skipped.
"""

from __future__ import annotations

import hashlib
import re
from typing import NewType

from rolldeck.errors import IntegrityError

Digest = NewType("Digest", str)
"""``algorithm:hex`` in lower case, of a known algorithm."""

_FORM = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


def is_digest(text: str) -> bool:
    """Whether ``text`` is a whole, well-formed digest."""
    return _FORM.fullmatch(text) is not None


def parse_digest(text: str, *, reference: str | None = None) -> Digest:
    """Return ``text`` as a digest found inside an artifact; raises IntegrityError."""
    if not is_digest(text):
        raise IntegrityError(
            f"Not a digest that can be verified: {text[:80]!r}",
            reference=reference,
            hint="Only sha256 and sha512 digests are accepted.",
        )
    return Digest(text)


def digest_of(data: bytes | memoryview) -> Digest:
    """Return the sha256 digest of ``data``."""
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


class Verifier:
    """Hashes a stream and says at its end whether it is the blob that was asked for."""

    def __init__(self, digest: Digest, size: int) -> None:
        self.digest = digest
        self.size = size
        self.received = 0
        self._hash = hashlib.new(digest.partition(":")[0])

    def update(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes; raises IntegrityError as soon as there are too many."""
        self.received += len(chunk)
        if self.received > self.size:
            raise IntegrityError(
                f"More bytes than announced for {self.digest}: over {self.size}",
                reference=self.digest,
            )
        self._hash.update(chunk)

    def finish(self) -> None:
        """Raise IntegrityError unless size and digest are those that were asked for."""
        if self.received != self.size:
            raise IntegrityError(
                f"Size mismatch for {self.digest}: got {self.received} of {self.size} bytes",
                reference=self.digest,
            )
        actual = f"{self.digest.partition(':')[0]}:{self._hash.hexdigest()}"
        if actual != self.digest:
            raise IntegrityError(
                f"Digest mismatch: asked for {self.digest}, got {actual}", reference=self.digest
            )


def verify_bytes(data: bytes, digest: Digest, size: int | None = None) -> None:
    """Raise IntegrityError unless ``data`` has this digest (and size, in bytes)."""
    verifier = Verifier(digest, len(data) if size is None else size)
    verifier.update(data)
    verifier.finish()

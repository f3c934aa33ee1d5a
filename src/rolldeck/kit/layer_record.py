"""What was packed before: layers that are recognised, so that their files need not be read again.

A layer is known by its fingerprint: a hash over the names, modes, sizes, inodes and times of its
files, and over what else decides its bytes. A write moves a file's time of change, which nobody can
set back. It goes unseen only where the clock of the file system did not tick in between, so a layer
with a file that was changed shortly before it was listed gets no fingerprint (git calls such files
racy). A program that has a file mapped into memory may write to it without moving its times: then
only reading tells.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rolldeck import __version__, fsops
from rolldeck.errors import IntegrityError, StorageError
from rolldeck.kit.compressor import compressor_name
from rolldeck.kit.model import Compression
from rolldeck.kit.pack_plan import PlannedLayer
from rolldeck.oci import Digest, parse_digest

TICK = 2_000_000_000
"""Nanoseconds between two times of the coarsest file system (FAT counts in two seconds)."""

MOST = 1000
"""Layers that are remembered; those that were not packed for longest go."""

_FORM = 1
_LARGEST = 4 * 1024 * 1024
"""Bytes of a record that is read at all."""


@dataclass(frozen=True, slots=True)
class KnownLayer:
    """A layer that was packed: digest and size in bytes of the blob, digest of it uncompressed."""

    digest: Digest
    size: int
    diff_id: Digest


def layer_fingerprint(layer: PlannedLayer, compression: Compression, listed_at: int) -> str | None:
    """Return the fingerprint of a layer; None where its files may change without anybody noticing.

    ``listed_at`` is when listing it began, in nanoseconds since 1970.
    """
    rows: list[tuple[Any, ...]] = []
    for entry in layer.entries:
        if entry.is_dir:
            rows.append((entry.path, entry.mode))
            continue
        changed_at = max(entry.stamp[2:])
        if not 0 < changed_at < listed_at - TICK:
            return None
        rows.append((entry.path, entry.mode, entry.size, entry.stamp))
    document = [_FORM, __version__, compressor_name(compression), rows]
    return hashlib.sha256(json.dumps(document).encode()).hexdigest()


class LayerRecord:
    """The file that remembers layers by fingerprint; never needed, and empty where damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, KnownLayer]:
        """Return what is remembered, longest unused first."""
        try:
            with open(self.path, "rb") as file:
                raw = file.read(_LARGEST + 1)
            checksum, _, data = raw.partition(b"\n")
            if checksum != _checksum(data):
                return {}
            return {key: _parse(item) for key, item in json.loads(data).items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError, IntegrityError):
            return {}

    def keep(self, found: Mapping[str, KnownLayer]) -> None:
        """Remember layers beside what others wrote meanwhile; no packing fails because of it."""
        rest = {key: layer for key, layer in self.read().items() if key not in found}
        newest = list({**rest, **found}.items())[-MOST:]
        data = json.dumps({key: [k.digest, k.size, k.diff_id] for key, k in newest}).encode()
        with suppress(StorageError):
            fsops.make_directories(self.path.parent, 0o700)
            fsops.write_hint(self.path, _checksum(data) + b"\n" + data)


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def _parse(item: Any) -> KnownLayer:
    digest, size, diff_id = item
    if type(size) is not int:
        raise ValueError(size)
    return KnownLayer(parse_digest(digest), size, parse_digest(diff_id))

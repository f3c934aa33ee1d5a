"""What is known of a blob that has come in part: a line per prefix, beside the partial file.

A prefix is known by the digest of its n bytes. Nothing here is trusted: it is compared with the
bytes when the transfer goes on. So nothing is synced either; only after another boot, when bytes
that were never synced may be lost, the part after the last prefix is given up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from rolldeck import fsops
from rolldeck.oci import Descriptor
from rolldeck.process import boot_id

_LIMIT = 4 * 1024 * 1024


class Journal:
    """The prefixes of one partial file; used by whoever holds the file's lock."""

    def __init__(self, path: Path, blob: Descriptor) -> None:
        self._path = path
        self._header = {"digest": blob.digest, "size": blob.size, "boot": boot_id()}
        self.prefixes: dict[int, str] = {}
        self.same_boot = True
        self._written = False
        self._read()

    def _read(self) -> None:
        try:
            with open(self._path, "rb") as file:
                lines = file.read(_LIMIT).splitlines()
        except OSError:
            return
        for number, line in enumerate(lines):
            try:
                entry = json.loads(line)
                if number == 0:
                    if any(entry[key] != self._header[key] for key in ("digest", "size")):
                        return
                    self.same_boot = entry["boot"] == self._header["boot"]
                else:
                    self.prefixes[int(entry["at"])] = str(entry["hash"])
            except (ValueError, LookupError, TypeError, RecursionError):
                break
        self._written = self.same_boot and len(self.prefixes) == len(lines) - 1

    @property
    def trusted(self) -> int | None:
        """Bytes that may be believed without looking; None where all may."""
        return None if self.same_boot else max(self.prefixes, default=0)

    def begin(self) -> None:
        """Write a journal of this boot with the prefixes known so far."""
        prefixes = "".join(
            _line({"at": size, "hash": digest}) for size, digest in self.prefixes.items()
        )
        fsops.write_hint(self._path, (_line(self._header) + prefixes).encode())
        self._written = True

    def add(self, size: int, digest: str) -> None:
        """Keep the digest of the first ``size`` bytes."""
        self.prefixes[size] = digest
        if not self._written:
            self.begin()
            return
        fsops.write_hint(self._path, _line({"at": size, "hash": digest}).encode(), append=True)

    def forget_after(self, size: int) -> None:
        """Drop the prefixes of more than ``size`` bytes."""
        kept = {at: digest for at, digest in self.prefixes.items() if at <= size}
        if kept != self.prefixes:
            self.prefixes = kept
            self.begin()

    def remove(self) -> None:
        """Remove the file."""
        fsops.unlink(self._path)


def _line(entry: Mapping[str, object]) -> str:
    return json.dumps(entry, separators=(",", ":")) + "\n"

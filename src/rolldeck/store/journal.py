"""What is known of a blob that has come in part: a line per mark, beside the partial file.

A mark is the digest of the first n bytes. Nothing here is trusted: a mark is compared with the
bytes when the transfer goes on. So nothing is synced either; only after another boot, when bytes
that were never synced may be lost, the part after the last mark is given up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from rolldeck import fsops
from rolldeck.oci import Descriptor

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_LIMIT = 4 * 1024 * 1024


@cache
def boot_id() -> str:
    """This boot of the machine; empty where the system does not say."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""


class Journal:
    """The marks of one partial file; used by whoever holds the file's lock."""

    def __init__(self, path: Path, blob: Descriptor) -> None:
        self._path = path
        self._header = {"digest": blob.digest, "size": blob.size, "boot": boot_id()}
        self.marks: dict[int, str] = {}
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
                    self.marks[int(entry["at"])] = str(entry["hash"])
            except (ValueError, LookupError, TypeError, RecursionError):
                break
        self._written = self.same_boot and len(self.marks) == len(lines) - 1

    @property
    def trusted(self) -> int | None:
        """Bytes that may be believed without looking; None where all may."""
        return None if self.same_boot else max(self.marks, default=0)

    def begin(self) -> None:
        """Write a journal of this boot with the marks known so far."""
        marks = "".join(_line({"at": size, "hash": mark}) for size, mark in self.marks.items())
        fsops.write_hint(self._path, (_line(self._header) + marks).encode())
        self._written = True

    def add(self, size: int, mark: str) -> None:
        """Keep a mark of the first ``size`` bytes."""
        self.marks[size] = mark
        if not self._written:
            self.begin()
            return
        fsops.write_hint(self._path, _line({"at": size, "hash": mark}).encode(), append=True)

    def forget_after(self, size: int) -> None:
        """Drop the marks of more than ``size`` bytes."""
        kept = {at: mark for at, mark in self.marks.items() if at <= size}
        if kept != self.marks:
            self.marks = kept
            self.begin()

    def remove(self) -> None:
        """Remove the file."""
        fsops.unlink(self._path)


def _line(entry: Mapping[str, object]) -> str:
    return json.dumps(entry, separators=(",", ":")) + "\n"

"""The empty blob, which every record has as its config and layer, as something to push."""

from __future__ import annotations

from io import BytesIO, RawIOBase
from pathlib import Path
from typing import Any

from rolldeck.oci import Digest, LayoutRegistry
from rolldeck.oci.source import BlobSource
from rolldeck.release.channel.marks import EMPTY


class _Bytes(RawIOBase):
    def __init__(self) -> None:
        super().__init__()
        self._bytes = BytesIO(EMPTY)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        return self._bytes.readinto(buffer)


class _Nowhere(LayoutRegistry):
    """A layout without a directory, whose every blob is the empty one."""

    def open_blob(self, digest: Digest) -> RawIOBase:
        return _Bytes()


def empty_source() -> BlobSource:
    """Return a source of the empty blob."""
    return BlobSource(_Nowhere(Path()), "")

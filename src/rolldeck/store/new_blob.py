"""Bytes that become a blob of a layout: hidden while they come, then named by their digest."""

from __future__ import annotations

import errno
import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from rolldeck import fsops, half_made
from rolldeck.oci import Digest

if TYPE_CHECKING:
    from rolldeck.store.layout_store import LayoutStore

_WORTH_A_THREAD = 256 * 1024
"""Fewer bytes are hashed sooner than another thread is told of them."""

_WRITE_BACK = 16 * 1024 * 1024
"""Bytes after which the disk is told to begin, so that the sync at the end has little left."""


class TemporaryBlob:
    """Bytes on their way into a layout, under a name that nobody reads."""

    def __init__(self, store: LayoutStore) -> None:
        self._store = store
        with fsops.storage(store.scratch):
            self._fd, self._path = half_made.create_temporary(store.scratch, 0o600)

    def write(self, chunk: memoryview, /) -> None:
        """Append bytes."""
        with fsops.storage(self._path):
            fsops.write(self._fd, chunk)

    def publish(self, digest: Digest) -> None:
        """Make the bytes visible and durable under their digest."""
        final = self._store.layout.blob_path(digest)
        try:
            with fsops.storage(final):
                fsops.set_mode(self._fd, 0o444)
                fsops.fsync(self._fd)
                fsops.replace(self._path, final)
                os.close(self._fd)
                self._fd = -1
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Forget the bytes; harmless after a commit."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        try:
            fsops.unlink(self._path)
        except OSError as error:
            if error.errno != errno.EROFS:
                raise


class BlobWriter(TemporaryBlob):
    """Takes a blob made here and names it by the digest of what was written.

    Hashing goes on in a thread of its own: what was given to ``write`` must not change before the
    next call, or ``commit``, returned.
    """

    def __init__(self, store: LayoutStore) -> None:
        super().__init__(store)
        self._hash = hashlib.sha256()
        self._size = 0
        self._hashing = ThreadPoolExecutor(1, "rolldeck hash")
        self._hashed: Future[None] | None = None

    def write(self, chunk: memoryview, /) -> None:
        """Append and hash bytes."""
        self._await_hash()
        if len(chunk) < _WORTH_A_THREAD:
            self._hash.update(chunk)
        else:
            self._hashed = self._hashing.submit(self._hash.update, chunk)
        super().write(chunk)
        before = self._size // _WRITE_BACK
        self._size += len(chunk)
        if self._size // _WRITE_BACK > before:
            fsops.write_back(self._fd, before * _WRITE_BACK, _WRITE_BACK)

    def _await_hash(self) -> None:
        if self._hashed is not None:
            self._hashed.result()
            self._hashed = None

    def commit(self) -> tuple[Digest, int]:
        """Make the blob visible and durable; returns its digest and size in bytes."""
        self._await_hash()
        self._hashing.shutdown()
        digest = Digest("sha256:" + self._hash.hexdigest())
        self.publish(digest)
        return digest, self._size

    def abort(self) -> None:
        """Forget the bytes; harmless after a commit."""
        self._hashing.shutdown()
        super().abort()

"""One layer on its way into a staging tree, in one pass: received, hashed and written as files.

What comes is parsed at once. File content goes straight into the files; everything else (headers,
padding, the end of the archive) goes into the layer's skeleton, which with the files makes up the
blob again, bit for bit. So what a killed process left can be hashed from its first byte, and the
transfer goes on where it was.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

from rolldeck import fsops
from rolldeck.errors import RefusedError
from rolldeck.kit.member_path import refused
from rolldeck.kit.model import Layer
from rolldeck.kit.placement import layer_steps, place
from rolldeck.kit.read_back import Piece, ReadBack
from rolldeck.kit.staging import Staging
from rolldeck.kit.staging_place import JOURNAL, SKELETON, StagingPlace
from rolldeck.kit.tar_reader import Entry, Need, Steps, send
from rolldeck.store import Journal

SMALL_FILE = 1024 * 1024
"""Largest file, in bytes, that has a hash of its own; larger ones are checked by their layer."""

_SKELETON_LIMIT = 256 * 1024 * 1024
"""Largest skeleton: more than 100,000 members can need."""

_ROOM = 64 * 1024 * 1024
"""Bytes reserved at a time."""


class LayerSink:
    """Takes the bytes of one uncompressed layer; a ``StreamSink``. ``commit`` or ``close`` it.

    ``write`` raises RefusedError for content that must not be unpacked. Since nothing is verified
    by then, the blob may also be damaged: whoever uses the sink has to find out.
    """

    def __init__(self, layer: Layer, owner: int, staging: Staging, where: StagingPlace) -> None:
        """Take up what an earlier process left of the layer; ``owner`` is its number."""
        self.layer = layer
        self._owner = owner
        self._staging = staging
        self._where = where
        self._journal = Journal(where.file(layer.digest, JOURNAL), layer.blob)
        with fsops.storage(where.path):
            self._skeleton = fsops.open_lockable(where.file(layer.digest, SKELETON), 0o600)
        self._out = -1
        self._back = ReadBack(self._skeleton, self._open_again)
        try:
            with fsops.storage(where.path):
                self._take_up()
        except BaseException:
            self.close()
            raise
        self._started_with = self._offset

    def _take_up(self) -> None:
        trusted = self._journal.trusted
        try:
            self._load(self.layer.size if trusted is None else trusted)
        except RefusedError:
            # A skeleton that cannot be parsed was damaged on this disk: begin with the first byte.
            self._staging.release(self._owner)
            self._load(0)
        self._journal.forget_after(self._offset)
        self._journal.begin()

    @property
    def offset(self) -> int:
        """How many bytes of the blob are there."""
        return self._offset

    @property
    def resumed(self) -> int:
        """How many bytes were there when it was opened."""
        return self._started_with

    @property
    def prefixes(self) -> Mapping[int, str]:
        """The prefixes kept so far."""
        return self._journal.prefixes

    def keep_prefix(self, size: int, digest: str, /) -> None:
        """Keep the digest of the first ``size`` bytes."""
        self._journal.add(size, digest)

    def room(self) -> tuple[int, int]:
        """The file whose content comes next, where it is a large one, and how much of it."""
        if self._out >= 0 and self._piece.size > SMALL_FILE:
            return self._out, self._remaining
        return -1, 0

    def appended(self, count: int, /) -> None:
        """Note that ``count`` bytes went into the file that ``room`` gave."""
        with fsops.storage(self._where.path):
            self._passed(count)

    def reserve(self, size: int, /) -> None:
        """Nothing: room is reserved file by file."""

    def write(self, chunk: memoryview, /) -> None:
        """Take the next bytes; raises RefusedError, StorageError."""
        if self._out < 0 or self._piece.size <= SMALL_FILE:
            self._back.remember(self._offset, chunk)
        with fsops.storage(self._where.path):
            while chunk:
                if self._out >= 0:
                    count = min(len(chunk), self._remaining)
                    fsops.write(self._out, chunk[:count])
                    if self._own is not None:
                        self._own.update(chunk[:count])
                    self._passed(count)
                else:
                    count = min(len(chunk), self._needed - len(self._literal))
                    if not count:
                        raise refused(self.layer.digest, "data after the end of the archive")
                    self._unsaved += chunk[:count]
                    self._take_literal(chunk[:count])
                chunk = chunk[count:]
            self._save_literal()

    def rewind(self, size: int, /) -> None:
        """Forget everything after the first ``size`` bytes."""
        with fsops.storage(self._where.path):
            self._close_files()
            self._staging.release(self._owner)
            self._load(size)
            self._staging.prune()
            self._journal.forget_after(size)
        self._started_with = min(self._started_with, size)

    def commit(self) -> None:
        """Make the files of the layer, which was verified, durable; then close.

        Raises RefusedError for an archive that ends too early.
        """
        with fsops.storage(self._where.path):
            if self._out >= 0:
                raise refused("archive", "the archive is cut short")
            data = bytes(self._literal)
            while self._needed:
                self._go_on(send(self._steps, data))
                data = b""
            self._staging.sync(self._owner)
        self.close()

    def close(self) -> None:
        """Close the files; what came stays."""
        self._close_files()
        if self._skeleton >= 0:
            os.close(self._skeleton)
            self._skeleton = -1

    def discard(self) -> None:
        """Forget the layer, on the disk too, and close."""
        with fsops.storage(self._where.path):
            self._close_files()
            self._staging.release(self._owner)
            self._staging.prune()
            self._journal.remove()
            fsops.unlink(self._where.file(self.layer.digest, SKELETON))
        self.close()

    def _open_again(self, piece: Piece) -> int:
        return self._staging.open_file(self._owner, piece.parts)

    def _close_files(self) -> None:
        if self._out >= 0:
            os.close(self._out)
            self._out = -1
        self._back.close()

    # Parsing: the same for bytes that arrive and for a skeleton that was left.

    def _load(self, limit: int) -> None:
        """Begin anew with at most ``limit`` bytes of what the skeleton and the files hold."""
        self._limit = limit
        self._back.forget()
        self._offset = self._skeleton_size = self._remaining = self._needed = self._reserved = 0
        self._literal = bytearray()
        self._unsaved = bytearray()
        self._own: hashlib._Hash | None = None
        self._steps: Steps = layer_steps(self.layer, self.layer.size)
        self._go_on(next(self._steps, None))
        while self._out < 0 and self._needed and self._offset < limit:
            most = min(self._needed - len(self._literal), limit - self._offset)
            data = os.pread(self._skeleton, most, self._skeleton_size)
            if not data:
                break
            self._skeleton_size += len(data)
            self._take_literal(memoryview(data))
        fsops.truncate(self._skeleton, self._skeleton_size)
        # What is still there and not needed must not be taken for content that came later.
        self._limit = self._offset

    def _take_literal(self, data: memoryview) -> None:
        self._literal += data
        self._offset += len(data)
        if len(self._literal) == self._needed:
            literal, self._literal = bytes(self._literal), bytearray()
            self._go_on(send(self._steps, literal))

    def _go_on(self, step: Need | Entry | None) -> None:
        """Enter members until bytes are needed that have not come."""
        while isinstance(step, Entry):
            if not self._enter(step):
                return
            step = send(self._steps, b"")
        self._needed = step.size if step else 0

    def _enter(self, entry: Entry) -> bool:
        """Make a directory or begin a file; False while content is awaited."""
        if not entry.parts:
            return True
        parts = place(self.layer, entry.parts, is_dir=entry.is_dir)
        if entry.is_dir:
            self._staging.add_directory(self._owner, parts, entry.mode)
            return True
        if entry.size > SMALL_FILE:
            self._save_literal()
        skeleton = self._skeleton_size + len(self._unsaved)
        piece = Piece(self._offset, skeleton, entry.size, entry.mode, parts)
        self._back.add(piece)
        self._piece = piece
        self._remaining, self._reserved = piece.size, 0
        self._own = hashlib.sha256() if piece.size <= SMALL_FILE else None
        found = self._staging.adopt(self._owner, parts)
        if found is None:
            self._out = self._staging.create(self._owner, parts, piece.mode)
        else:
            self._out = found
            self._adopt_content(piece)
        if self._remaining:
            self._make_room()
            return False
        self._end_file()
        return True

    def _adopt_content(self, piece: Piece) -> None:
        wanted = min(piece.size, self._limit - self._offset)
        there = min(os.fstat(self._out).st_size, wanted)
        fsops.truncate(self._out, there)
        if self._own is not None:
            descriptor = self._open_again(piece)
            try:
                self._own.update(os.pread(descriptor, there, 0))
            finally:
                os.close(descriptor)
        self._offset += there
        self._remaining -= there

    def _passed(self, count: int) -> None:
        """Go on by ``count`` bytes of content."""
        self._offset += count
        self._remaining -= count
        if self._remaining:
            self._make_room()
        else:
            self._end_file()
            self._go_on(send(self._steps, b""))

    def _make_room(self) -> None:
        piece = self._piece
        done = piece.size - self._remaining
        if piece.size > SMALL_FILE and done >= self._reserved:
            self._reserved = min(done + _ROOM, piece.size)
            fsops.reserve(self._out, done, self._reserved - done)

    def _end_file(self) -> None:
        piece = self._piece
        layer = self.layer.digest
        own = self._own.hexdigest() if self._own is not None else None
        if self.layer.form == "raw" and layer.startswith("sha256:"):
            own = layer.partition(":")[2]
        self._staging.complete(
            self._out, piece.parts, piece.mode, piece.size, sha256=own, layer=None if own else layer
        )
        os.close(self._out)
        self._out, self._own = -1, None

    def _save_literal(self) -> None:
        """Write the skeleton: for small files once per chunk, for a large one before its content.

        Files that no skeleton speaks of yet are not taken over by the next process.
        """
        if self._unsaved:
            self._skeleton_size += len(self._unsaved)
            if self._skeleton_size > _SKELETON_LIMIT:
                raise refused(self.layer.digest, "its headers are too large to be kept apart")
            fsops.write(self._skeleton, self._unsaved)
            self._unsaved = bytearray()

    # Reading back, for the hash.

    def view(self, position: int, most: int, /) -> memoryview:
        """See bytes of the blob; at most to the end of a file or of what is between two."""
        return self._back.view(position, most)

    def close_view(self) -> None:
        """Close the file that was seen last."""
        self._back.close()

    def write_back(self, start: int, size: int, /) -> None:
        """Let the disk begin with what was hashed of the file that is being read."""
        self._back.write_back(start, size)

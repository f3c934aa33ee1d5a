"""How the files of one layer stand to those of a directory, with as little as possible fetched.

Of an uncompressed layer elsewhere only headers are fetched: where the files that are here take the
place of its content, its digest says whether all of them are identical.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from rolldeck.kit.destination import (
    SAME_SIZE,
    Destination,
    Found,
    Standing,
    chunks_of,
    has_content,
    has_digest,
)
from rolldeck.kit.layer_access import (
    LOOK_LIMIT,
    LayerAccess,
    LayerSource,
    StoppedError,
    by_ranges_or_streamed,
)
from rolldeck.kit.layer_stream import LayerStream
from rolldeck.kit.member_path import member_parts
from rolldeck.kit.model import Layer
from rolldeck.kit.placement import place
from rolldeck.kit.range_file import RangeFile, RangeStream
from rolldeck.kit.tar_reader import CHUNK, Member, TarLimits, read_tar
from rolldeck.kit.tree import TreeEntry
from rolldeck.progress import Progress

_SOME_FILE = "other content, here or in another file of its layer"


@dataclass(frozen=True, slots=True)
class LayerSurvey:
    """What was found out of one layer; ``stopped`` says why it is not all, empty where it is."""

    found: tuple[Found, ...]
    stopped: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether all of the layer is there already."""
        return not self.stopped and all(item.standing == "identical" for item in self.found)


def survey_layer(
    layer: Layer,
    source: LayerSource,
    directory: Destination,
    progress: Progress,
    *,
    is_near: bool,
) -> LayerSurvey:
    """Hold a layer against a directory; blocks. ``is_near``: its bytes are on this host.

    Raises RefusedError for an archive that unpacking would refuse too, IntegrityError,
    StorageError, CancelledError, and the errors of the source.
    """
    if layer.form == "raw" and layer.compression == "none":
        entry = _raw_entry(layer, layer.size)
        same = directory.judge(entry, lambda fd: has_digest(fd, layer.digest, progress))
        return LayerSurvey((*_above(directory, entry.path), same))

    def survey(ranges: bool) -> LayerSurvey:
        limit = None if is_near else LOOK_LIMIT
        access = LayerAccess(layer, source, progress, ranges=ranges, limit=limit)
        if access.file is None:
            return _by_reading(access, directory, progress)
        found = _by_headers(access.file, layer, directory, progress)
        is_open = any(item.there in (SAME_SIZE, _SOME_FILE) for item in found.found)
        if is_open and (is_near or access.verified):
            return _by_reading(access, directory, progress)
        return found

    return by_ranges_or_streamed(survey)


def _raw_entry(layer: Layer, size: int) -> TreeEntry:
    parts = place(layer, member_parts(layer.path or ""), is_dir=False)
    return TreeEntry("/".join(parts), "file", layer.mode, size)


def _entry(layer: Layer, member: Member) -> TreeEntry:
    parts = place(layer, member_parts(member.path), is_dir=member.is_dir)
    path = "/".join(parts)
    if member.is_dir:
        return TreeEntry(path, "dir", member.mode)
    return TreeEntry(path, "file", member.mode, member.size)


def _above(directory: Destination, path: str) -> Iterator[Found]:
    """Judge the directories that a path lies in."""
    parts = path.split("/")
    for depth in range(1, len(parts)):
        entry = TreeEntry("/".join(parts[:depth]), "dir", 0o755)
        yield directory.judge(entry, lambda fd: None)


class _Standings:
    """What was found so far, with the directories that an archive does not name."""

    def __init__(self, directory: Destination) -> None:
        self._directory = directory
        self.found: dict[str, Found] = {}

    def add(self, found: Found) -> None:
        for above in _above(self._directory, found.entry.path):
            self.found.setdefault(above.entry.path, above)
        self.found[found.entry.path] = found


# Reading the content.


def _by_reading(access: LayerAccess, directory: Destination, progress: Progress) -> LayerSurvey:
    layer, standings, stopped = access.layer, _Standings(directory), ""
    try:
        with access.stream() as stream:
            if layer.form == "raw":
                standings.add(_judge_raw(layer, stream, directory, progress))
            else:
                for member in read_tar(stream, TarLimits(capacity=stream.capacity)):
                    standings.add(_judge_member(layer, member, directory, progress))
            access.verify(layer.size)
    except StoppedError as stop:
        stopped = str(stop)
    return LayerSurvey(tuple(standings.found.values()), stopped)


def _judge_member(
    layer: Layer, member: Member, directory: Destination, progress: Progress
) -> Found:
    return directory.judge(
        _entry(layer, member), lambda fd: has_content(fd, member.chunks, progress)
    )


def _judge_raw(
    layer: Layer, stream: LayerStream, directory: Destination, progress: Progress
) -> Found:
    """Judge a compressed layer that is one file: how large it is, only its end tells."""
    running, size = hashlib.sha256(), 0
    buffer = memoryview(bytearray(CHUNK))
    while count := stream.readinto(buffer):
        running.update(buffer[:count])
        size += count
    digest = f"sha256:{running.hexdigest()}"
    entry = _raw_entry(layer, size)._replace(sha256=running.hexdigest())
    return directory.judge(entry, lambda fd: has_digest(fd, digest, progress))


# Reading only headers.


def _by_headers(
    file: RangeFile, layer: Layer, directory: Destination, progress: Progress
) -> LayerSurvey:
    standings, stopped = _Standings(directory), ""
    stand_in = _StandIn(file, layer, progress)
    try:
        for member in read_tar(stand_in, TarLimits(capacity=file.size)):
            progress.check()
            found = directory.judge(_entry(layer, member), stand_in.take_content)
            if not member.is_dir and found.there != SAME_SIZE and member.size:
                stand_in.give_up()
            standings.add(found)
    except StoppedError as stop:
        stopped = str(stop)
    all_found = tuple(standings.found.values())
    if stand_in.is_whole and not stopped:
        all_found = _settled(all_found, stand_in.is_layer)
    return LayerSurvey(all_found, stopped)


def _settled(found: tuple[Found, ...], is_layer: bool) -> tuple[Found, ...]:
    """Say of files of the same size what is known once all of their layer was hashed."""
    unsure = sum(item.there == SAME_SIZE for item in found)
    there = _SOME_FILE if unsure > 1 else "other content"
    known: tuple[Standing, str] = ("identical", "") if is_layer else ("changed", there)
    return tuple(
        item._replace(standing=known[0], there=known[1]) if item.there == SAME_SIZE else item
        for item in found
    )


class _StandIn:
    """An archive whose file content comes from files here, hashed as if it had been read."""

    def __init__(self, file: RangeFile, layer: Layer, progress: Progress) -> None:
        self._stream = RangeStream(file)
        self._progress = progress
        self._algorithm, _, self._expected = layer.digest.partition(":")
        self._running: hashlib._Hash | None = hashlib.new(self._algorithm)
        self._taken = 0

    @property
    def is_whole(self) -> bool:
        """Whether all of it was hashed."""
        return self._running is not None

    @property
    def is_layer(self) -> bool:
        """Whether headers and files together are the layer; asked once all was read."""
        return self._running is not None and self._running.hexdigest() == self._expected

    def give_up(self) -> None:
        """Hash no more: a file is not here."""
        self._running = None

    def take_content(self, descriptor: int) -> bool | None:
        """Take an open file for the content that comes next; whether it is cannot be told yet."""
        if self._running is None:
            return None
        for chunk in chunks_of(descriptor, self._progress):
            self._running.update(chunk)
            self._taken += len(chunk)
        return None

    def readinto(self, buffer: memoryview, /) -> int:
        """Read a header, or what follows the last member."""
        count = self._stream.readinto(buffer)
        if self._running is not None:
            self._running.update(buffer[:count])
        return count

    def skip(self, size: int, /) -> int:
        """Leave out content that was taken from a file, or padding, which is zeros."""
        skipped = self._stream.skip(size)
        if self._running is not None and not self._taken:
            self._running.update(bytes(skipped))
        self._taken = 0
        return skipped

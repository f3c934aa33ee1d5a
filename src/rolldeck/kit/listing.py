"""The files of one layer, listed without unpacking it and, where that is possible, unfetched."""

from __future__ import annotations

import posixpath
import stat
from dataclasses import dataclass

from rolldeck.kit.image_tar import OPAQUE, WHITEOUT
from rolldeck.kit.layer_access import (
    LOOK_LIMIT,
    LayerAccess,
    LayerSource,
    StoppedError,
    by_ranges_or_streamed,
)
from rolldeck.kit.model import Layer
from rolldeck.kit.tar_reader import Member, Special
from rolldeck.progress import Progress
from rolldeck.text import clean_line

_LETTERS = {
    "file": "-",
    "directory": "d",
    "link": "l",
    "hard link": "h",
    "character device": "c",
    "block device": "b",
    "fifo": "p",
    "whiteout": "w",
    "sparse": "-",
}


@dataclass(frozen=True, slots=True)
class LayerFile:
    """One file or directory of a layer: path as unpacked, permission bits, size in bytes.

    ``size`` is None where only unpacking would tell it. ``offset`` is where the content begins in
    the layer's payload, in bytes. In image layers ``special`` says what is neither file nor
    directory (its size is None), ``target`` what a link names; both names are then as stored.
    """

    path: str
    is_dir: bool
    mode: int
    size: int | None
    offset: int = 0
    special: Special = ""
    target: str = ""

    @property
    def type(self) -> str:
        """What it is, in one word or two."""
        return "directory" if self.is_dir else self.special or "file"

    @property
    def mode_text(self) -> str:
        """Type and permissions as ``ls -l`` and ``tar -tv`` write them, ``w`` for a whiteout."""
        return _LETTERS.get(self.type, "?") + stat.filemode(self.mode)[1:]

    @property
    def special_words(self) -> str:
        """What it is that has no content to read, as clean text; empty for files, directories."""
        target = clean_line(self.target, 200)
        name = posixpath.basename(self.path)
        taken = "all there" if name == OPAQUE else clean_line(name.removeprefix(WHITEOUT), 200)
        return {
            "link": f"a symbolic link to {target}; links are not followed",
            "hard link": f"a hard link to {target}; links are not followed",
            "character device": "a character device",
            "block device": "a block device",
            "fifo": "a fifo",
            "whiteout": f"a whiteout: it removes {taken} from the layers below",
            "sparse": "a sparse file; these are only listed",
            "unknown": "of an unknown type; it is only listed",
        }.get(self.special, "")


@dataclass(frozen=True, slots=True)
class LayerListing:
    """The files of one layer in stored order.

    ``verified`` says whether all that it tells is covered by a digest that was checked;
    ``stopped`` why it is not complete, empty where it is.
    """

    files: tuple[LayerFile, ...]
    verified: bool = False
    stopped: str = ""


def list_layer(
    layer: Layer, source: LayerSource, progress: Progress, *, limit: int = LOOK_LIMIT
) -> LayerListing:
    """List the files of a layer, reading at most about ``limit`` bytes; blocks.

    Raises RefusedError for an archive that unpacking would refuse too, IntegrityError, and the
    errors of the source. A layer of one file is listed without reading it.
    """
    if not layer.is_archive:
        found = single_file(layer)
        if found is None:
            return LayerListing(
                (), stopped=f"unknown type {clean_line(layer.blob.media_type, 120)}"
            )
        return LayerListing((found,), verified=True)
    return by_ranges_or_streamed(lambda ranges: _list_tar(layer, source, progress, limit, ranges))


def _list_tar(
    layer: Layer, source: LayerSource, progress: Progress, limit: int, ranges: bool
) -> LayerListing:
    access = LayerAccess(layer, source, progress, ranges=ranges, limit=limit)
    files: list[LayerFile] = []
    stopped = ""
    with access.members() as members:
        try:
            for member in members:
                progress.check()
                files.append(member_file(layer, member))
            access.verify(layer.size)
        except StoppedError as stop:
            stopped = str(stop)
    return LayerListing(tuple(files), access.verified, stopped)


def member_file(layer: Layer, member: Member) -> LayerFile:
    """Return a member of an archive under the path that it is unpacked to."""
    path = posixpath.join(layer.base, member.path)
    size = None if member.special else member.size
    return LayerFile(
        path, member.is_dir, member.mode, size, member.offset, member.special, member.target
    )


def single_file(layer: Layer) -> LayerFile | None:
    """Return the file that a layer is which is no archive; None where it has no name."""
    if not layer.path:
        return None
    size = layer.size if layer.compression == "none" else None
    return LayerFile(posixpath.normpath(layer.path), False, layer.mode, size)

"""The files of one layer, listed without unpacking it and, where that is possible, unfetched."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from rolldeck.kit.layer_access import (
    LOOK_LIMIT,
    LayerAccess,
    LayerSource,
    StoppedError,
    by_ranges_or_streamed,
)
from rolldeck.kit.model import Layer
from rolldeck.kit.tar_reader import Member
from rolldeck.progress import Progress
from rolldeck.text import clean_line


@dataclass(frozen=True, slots=True)
class LayerFile:
    """One file or directory of a layer: path as unpacked, permission bits, size in bytes.

    ``size`` is None where only unpacking would tell it. ``offset`` is where the content begins in
    the layer's payload, in bytes.
    """

    path: str
    is_dir: bool
    mode: int
    size: int | None
    offset: int = 0


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
    if layer.form != "tar":
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
    """Return a member of a tar layer under the path that it is unpacked to."""
    path = posixpath.join(layer.base, member.path)
    return LayerFile(path, member.is_dir, member.mode, member.size, member.offset)


def single_file(layer: Layer) -> LayerFile | None:
    """Return the file that a layer is which is no archive; None where it has no name."""
    if not layer.path:
        return None
    size = layer.size if layer.compression == "none" else None
    return LayerFile(posixpath.normpath(layer.path), False, layer.mode, size)

"""Unpacking a version: every layer, verified, into a directory that appears complete or not at all.

Follows what ``kit unpack`` writes (names, bytes, modes under the umask, the Kitfile), but stages
first, verifies every digest, and refuses where kit would overwrite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from rolldeck import fsops
from rolldeck.errors import UsageError
from rolldeck.kit.layer_stream import LayerStream, open_layer
from rolldeck.kit.member_path import member_parts, refused
from rolldeck.kit.model import Kit, Layer
from rolldeck.kit.read import remote_data
from rolldeck.kit.staging import Staging, staged
from rolldeck.kit.tar_reader import CHUNK, Member, TarLimits, read_tar
from rolldeck.kit.tree import Tree, TreeEntry, verify_tree
from rolldeck.oci import Descriptor
from rolldeck.progress import Progress
from rolldeck.text import clean_line

KITFILE_NAME = "Kitfile"

_KITFILE_NAMES = ("kitfile", ".kitfile")
_REMOTE = "a data set that lies elsewhere: remotePath in the Kitfile says where"

OpenBlob = Callable[[Descriptor], BinaryIO]
"""Opens a blob for reading from its start; unpack closes it."""


def unpack(kit: Kit, open_blob: OpenBlob, destination: Path, progress: Progress) -> Tree:
    """Unpack all layers of ``kit`` into ``destination``, which must be absent or empty.

    The tree appears under its name in one step, durable and verified, or not at all. Layers of
    unknown types and data sets that lie elsewhere are skipped and named in the result. Raises
    UsageError for a destination in use or a version that is no kit, RefusedError for unsafe
    content, IntegrityError for a blob that is not what the manifest says, StorageError for errors
    of the disk, CancelledError when asked.
    """
    if not kit.unpackable:
        raise UsageError(
            f"Nothing to unpack: this version is an {kit.kind}, no ModelKit or ModelPack",
            reference=kit.digest,
        )
    wanted = [layer for layer in kit.layers if layer.form != "unknown"]
    skipped = tuple(
        (clean_line(layer.path or layer.digest), f"unknown layer type {layer.blob.media_type}")
        for layer in kit.layers
        if layer.form == "unknown"
    ) + tuple((clean_line(path), _REMOTE) for path in remote_data(kit.kitfile))
    size = sum(layer.size for layer in wanted)
    progress.expect(size)
    # Compressed layers may need more than their size; that is seen when it is written.
    with staged(destination, lambda directory: fsops.require_space(directory, size)) as staging:
        for layer in wanted:
            progress.note = clean_line(layer.path or layer.kind)
            with open_layer(layer, open_blob(layer.blob), progress) as stream:
                if layer.form == "raw":
                    _unpack_raw(layer, stream, staging)
                else:
                    _unpack_tar(layer, stream, staging)
        if kit.kitfile is not None and kit.brings_kitfile:
            # Imported here: its patterns take 12 ms, and only unpacking needs them.
            from rolldeck.kit.kitfile_yaml import kitfile_yaml

            staging.add_file((KITFILE_NAME,), 0o644, [kitfile_yaml(kit.kitfile)])
        tree = Tree(staging.entries, skipped)
    return tree


def _element_parts(layer: Layer) -> tuple[str, ...]:
    """Return the directory or file that the layer must stay under; the root where none is named."""
    return member_parts(layer.path, empty=True) if layer.path else ()


def _unpack_tar(layer: Layer, stream: LayerStream, staging: Staging) -> None:
    element = _element_parts(layer)
    base = member_parts(layer.base, empty=True) if layer.base else ()
    for member in read_tar(stream, TarLimits(capacity=stream.capacity)):
        parts = base + member_parts(member.path)
        _check_place(parts, member, element)
        if member.is_dir:
            staging.add_directory(parts, member.mode)
        else:
            staging.add_file(parts, member.mode, member.chunks)


def _unpack_raw(layer: Layer, stream: LayerStream, staging: Staging) -> None:
    if layer.path is None:
        raise refused(layer.digest, "the layer is a single file without a name")
    parts = member_parts(layer.path)
    _check_kitfile(parts)
    staging.add_file(parts, layer.mode, _chunks(stream))


def _chunks(stream: LayerStream) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(CHUNK))
    while count := stream.readinto(buffer):
        yield buffer[:count]


def _check_place(parts: tuple[str, ...], member: Member, element: tuple[str, ...]) -> None:
    """Raise RefusedError unless a member lies where its Kitfile element says, or leads there."""
    under = parts[: len(element)] == element
    leads_there = member.is_dir and element[: len(parts)] == parts
    if not (under or leads_there):
        raise refused("/".join(parts), f"its layer belongs to {'/'.join(element)!r}")
    _check_kitfile(parts)


def _check_kitfile(parts: tuple[str, ...]) -> None:
    if parts[0].casefold() in _KITFILE_NAMES:
        raise refused("/".join(parts), "a layer may not bring a Kitfile")


__all__ = ["OpenBlob", "Tree", "TreeEntry", "unpack", "verify_tree"]

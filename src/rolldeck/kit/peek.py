"""Looking into a small layer without unpacking it: its files, and the digest of each."""

from __future__ import annotations

import hashlib
import io
import posixpath
from collections.abc import Iterable, Iterator

from rolldeck.kit.layer_stream import LayerStream, open_layer
from rolldeck.kit.model import Layer
from rolldeck.kit.tar_reader import TarLimits, read_tar
from rolldeck.progress import Progress

FILE_LIMIT = 1024 * 1024
"""Largest file whose content is kept, in bytes; a larger one is left out."""

_TOTAL_LIMIT = 16 * 1024 * 1024


def read_layer_files(layer: Layer, data: bytes) -> dict[str, bytes]:
    """Return the files of a layer by path, given its verified bytes.

    Files over ``FILE_LIMIT`` are left out, and all that come after 16 MiB. Raises RefusedError
    for an archive that unpacking would refuse too.
    """
    files: dict[str, bytes] = {}
    total = 0
    with open_layer(layer, io.BytesIO(data), Progress()) as stream:
        if layer.form == "raw":
            return {posixpath.normpath(layer.path): _whole(stream)} if layer.path else {}
        for member in read_tar(stream, TarLimits(capacity=stream.capacity)):
            total += member.size
            if member.is_dir or member.size > FILE_LIMIT or total > _TOTAL_LIMIT:
                continue
            path = posixpath.join(layer.base, member.path)
            files[path] = b"".join(bytes(chunk) for chunk in member.chunks)
    return files


def read_file_digests(layer: Layer, data: bytes) -> dict[str, str]:
    """Return the sha256 (hexadecimal) of every file of a layer, given its verified bytes.

    Keys are paths relative to the layer's element, empty for an element that is one file. Whatever
    packed the layer, the same files give the same result. Raises RefusedError like
    ``read_layer_files``; no file is left out.
    """
    digests: dict[str, str] = {}
    with open_layer(layer, io.BytesIO(data), Progress()) as stream:
        if layer.form == "raw":
            return {"": _hashed(_blocks(stream))}
        for member in read_tar(stream, TarLimits(capacity=stream.capacity)):
            if not member.is_dir:
                path = posixpath.join(layer.base, member.path)
                digests[_relative(path, layer.path)] = _hashed(member.chunks)
    return digests


def _relative(path: str, element: str | None) -> str:
    folder = posixpath.normpath(element) if element else "."
    if path == folder:
        return ""
    return path.removeprefix(f"{folder}/")


def _hashed(blocks: Iterable[bytes | memoryview]) -> str:
    verifier = hashlib.sha256()
    for block in blocks:
        verifier.update(block)
    return verifier.hexdigest()


def _blocks(stream: LayerStream) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(FILE_LIMIT))
    while count := stream.readinto(buffer):
        yield buffer[:count]


def _whole(stream: LayerStream) -> bytes:
    buffer, content = memoryview(bytearray(FILE_LIMIT)), bytearray()
    while (count := stream.readinto(buffer)) and len(content) <= _TOTAL_LIMIT:
        content += buffer[:count]
    return bytes(content)

"""Skeletons: what of a layer's blob is not the content of a file, kept beside the unpacked files.

Headers, padding and the end of the archive, exactly as they were: with the files they make up the
blob again, bit for bit. On disk a skeleton is one line of JSON, then the bytes as a zlib stream
(RFC 1950), which leaves about 60 bytes for a member.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from rolldeck import fsops, half_made
from rolldeck.errors import IntegrityError, RefusedError
from rolldeck.kit.model import Form, Layer
from rolldeck.kit.placement import layer_steps, place
from rolldeck.kit.tar_reader import Need, send
from rolldeck.oci import Descriptor, Digest, parse_digest

_CHUNK = 1024 * 1024
_HEADER_LIMIT = 4 * 1024 * 1024
_RECORD_LIMIT = 16 * 1024 * 1024
"""Largest packed skeleton that is kept in memory: more than 100,000 plain members need."""


class Content(NamedTuple):
    """Where the content of one file stands in a blob: its first byte, its size, its path."""

    start: int
    size: int
    parts: tuple[str, ...]

    @property
    def path(self) -> str:
        """The path below the tree's root."""
        return "/".join(self.parts)


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The skeleton of one layer, in the file ``path``.

    ``prefixes`` are digests of the blob's first n bytes: they tell where a change lies.
    """

    layer: Layer
    path: Path
    prefixes: Mapping[int, str] = field(default_factory=dict)

    def pieces(self) -> Iterator[bytes | Content]:
        """Yield what the blob is made of, in order; raises IntegrityError where it is damaged."""
        steps = layer_steps(self.layer, self.layer.size)
        position = 0
        try:
            with fsops.storage(self.path), open(self.path, "rb") as file:
                file.readline(_HEADER_LIMIT)
                read = _inflating(file)
                step = next(steps, None)
                while step is not None:
                    data = b""
                    if isinstance(step, Need):
                        data = read(step.size)
                        position += len(data)
                        yield data
                    elif step.size:
                        parts = place(self.layer, step.parts, is_dir=False)
                        yield Content(position, step.size, parts)
                        position += step.size
                    step = send(steps, data)
        except (RefusedError, zlib.error):
            raise _damaged(self.path) from None


def _inflating(file: BinaryIO) -> Callable[[int], bytes]:
    """Return what reads so many bytes of a zlib stream, fewer only at its end."""
    inner = zlib.decompressobj()

    def read(size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            packed = inner.unconsumed_tail or file.read(_CHUNK)
            found = inner.decompress(packed, size - len(data))
            data += found
            if not packed and not found:
                break
        return bytes(data)

    return read


def _damaged(path: Path) -> IntegrityError:
    return IntegrityError(f"{path} is damaged", reference=str(path), hint="Pull the version again.")


class SkeletonRecord:
    """Takes a skeleton's plain bytes while a blob is unpacked, and has them packed."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(1)
        self._packed = bytearray()

    def add(self, data: bytes) -> None:
        """Take the next bytes; those after the limit are dropped."""
        if len(self._packed) <= _RECORD_LIMIT:
            self._packed += self._packer.compress(data)

    def finish(self) -> bytes | None:
        """Return the packed bytes; None where they were too many."""
        if len(self._packed) > _RECORD_LIMIT:
            return None
        return bytes(self._packed) + self._packer.flush()


def pack_skeleton(raw: Path) -> Iterator[bytes]:
    """Yield the packed bytes of a skeleton whose plain bytes are in a file."""
    packer = zlib.compressobj()
    with open(raw, "rb") as plain:
        while chunk := plain.read(_CHUNK):
            yield packer.compress(chunk)
    yield packer.flush()


def save_skeleton(
    layer: Layer, prefixes: Mapping[int, str], packed: Iterable[bytes], directory: Path
) -> Skeleton:
    """Keep a skeleton, whose bytes are ``packed``, in ``directory``; durable."""
    path = skeleton_path(directory, layer.digest)
    header = {
        "digest": layer.digest,
        "size": layer.size,
        "media_type": layer.blob.media_type,
        "form": layer.form,
        "path": layer.path,
        "base": layer.base,
        "mode": layer.mode,
        "prefixes": {str(size): digest for size, digest in sorted(prefixes.items())},
    }
    with fsops.storage(path):
        descriptor, temporary = half_made.create_temporary(directory)
        try:
            fsops.write(descriptor, json.dumps(header).encode() + b"\n")
            for chunk in packed:
                fsops.write(descriptor, chunk)
            fsops.fsync(descriptor)
            fsops.replace(temporary, path)
        except BaseException:
            fsops.unlink(temporary)
            raise
        finally:
            os.close(descriptor)
    return Skeleton(layer, path, prefixes)


def skeleton_path(directory: Path, layer: Digest) -> Path:
    """Where a directory has the skeleton of a layer."""
    return directory / layer.replace(":", "-")


def read_skeleton(directory: Path, digest: Digest) -> Skeleton | None:
    """Read what is said at the beginning of a skeleton's file; None where there is none.

    Raises IntegrityError where it is damaged.
    """
    path = skeleton_path(directory, digest)
    try:
        with open(path, "rb") as file:
            header = json.loads(file.readline(_HEADER_LIMIT))
        blob = Descriptor(
            str(header["media_type"]), parse_digest(header["digest"]), int(header["size"])
        )
        if blob.digest != digest:
            raise _damaged(path)
        layer = Layer(
            blob,
            "other",
            cast(Form, {"tar": "tar", "raw": "raw"}[header["form"]]),
            "none",
            path=header["path"],
            base=str(header["base"]),
            mode=int(header["mode"]),
        )
        prefixes = {int(size): str(digest) for size, digest in header["prefixes"].items()}
    except FileNotFoundError:
        return None
    except OSError as error:
        raise fsops.storage_error(error, path) from error
    except (ValueError, LookupError, TypeError, AttributeError, IntegrityError):
        raise _damaged(path) from None
    return Skeleton(layer, path, prefixes)

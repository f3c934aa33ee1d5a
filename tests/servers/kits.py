"""ModelKits with large layers, made for a test and pushed to a real registry."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rolldeck.kit import read_kit
from rolldeck.kit.kitfile import read_kitfile
from rolldeck.kit.model import Kit, Layer
from rolldeck.kit.pack import pack
from rolldeck.oci import Manifest
from rolldeck.store import Library
from tests.servers.registry import RunningRegistry, push_blob, push_manifest

_KITFILE = b"""manifestVersion: 1.0.0
package: {name: large, version: 1.0.0}
model: {name: model, path: model}
datasets:
- {name: data, path: data.bin}
code:
- {path: src}
"""


@dataclass(frozen=True)
class PushedKit:
    """A version ``v1`` of a repository: its files by path, and the bytes of its blobs."""

    repository: str
    files: Mapping[str, bytes]
    manifest: Manifest
    blobs: Mapping[str, bytes]

    @cached_property
    def kit(self) -> Kit:
        """The version as it is read."""
        assert self.manifest.config is not None
        return read_kit(self.manifest, self.blobs[self.manifest.config.digest])

    @property
    def model(self) -> Layer:
        """The layer of the model: the only one that is large by its size alone."""
        return self.kit.layers[0]

    @property
    def size(self) -> int:
        """Bytes of the model's layer."""
        return self.model.size


def push_kit(
    registry: RunningRegistry, directory: Path, repository: str, sizes: Mapping[str, int]
) -> PushedKit:
    """Pack and push a kit; ``sizes`` are those of the model's files, always the same bytes."""
    files = {f"model/{name}": random.Random(name).randbytes(size) for name, size in sizes.items()}
    files["data.bin"] = random.Random("data").randbytes(30_000)
    files |= {f"src/part_{number}.py": b"pass\n" * number for number in range(5)}
    for path, content in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)
    library = Library(directory.with_name(directory.name + "-layout"))
    packed = pack(directory, read_kitfile(_KITFILE), library.writer)
    library.add(packed.manifest)
    manifest = library.layout.read_manifest(packed.descriptor.digest)
    assert manifest.config is not None
    blobs = {
        blob.digest: library.layout.blob_path(blob.digest).read_bytes()
        for blob in (manifest.config, *manifest.layers)
    }
    for digest, data in blobs.items():
        push_blob(registry.url, repository, digest, data)
    push_manifest(registry.url, repository, "v1", manifest.raw, manifest.media_type)
    return PushedKit(repository, files, manifest, blobs)


def files_below(root: Path) -> dict[str, bytes]:
    """The files that kit would have packed: all below a directory but the Kitfile."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name != "Kitfile"
    }

"""The ModelKit that is pulled: a 1 GiB model, a 256 MiB data set and 2,000 small files."""

from __future__ import annotations

import random
from pathlib import Path

from rolldeck.kit.kitfile import read_kitfile
from rolldeck.kit.pack import pack
from rolldeck.store import Library

MODEL = 1024
"""MiB of the model; the data set has a quarter of it."""

REPOSITORY, TAG = "bench/model", "v1"

_FILES = 2000
_KITFILE = b"""manifestVersion: 1.0.0
package: {name: bench, version: 1.0.0}
model: {name: model, path: model.safetensors}
datasets:
- {name: data, path: data.bin}
code:
- {path: src}
docs:
- {path: README.md}
"""


def make_kit(directory: Path, mebibytes: int = MODEL) -> Path:
    """Pack the kit into a new layout below ``directory`` and return the layout."""
    make_context(directory, mebibytes)
    return make_next(directory, TAG)


def make_next(directory: Path, tag: str) -> Path:
    """Pack a version ``tag`` that differs from the others in its README, into the same layout."""
    context = directory / "context"
    (context / "README.md").write_text(f"# bench {tag}\n")
    library = Library(directory / "layout")
    packed = pack(context, read_kitfile(_KITFILE), library.writer)
    library.add(packed.manifest)
    library.tag(REPOSITORY, [tag], packed.descriptor)
    return library.root


def make_context(directory: Path, mebibytes: int = MODEL) -> Path:
    """Write what is packed below ``directory``, with its Kitfile, and return where."""
    chance = random.Random(20261121)
    context = directory / "context"
    (context / "src").mkdir(parents=True)
    for name, count in (("model.safetensors", mebibytes), ("data.bin", mebibytes // 4)):
        with open(context / name, "wb") as file:
            for _ in range(max(1, count)):
                file.write(chance.randbytes(1 << 20))
    for number in range(_FILES):
        (context / "src" / f"part_{number:04}.py").write_bytes(
            chance.randbytes(2048).hex().encode()
        )
    (context / "README.md").write_text("# bench\n")
    (context / "Kitfile").write_bytes(_KITFILE)
    return context

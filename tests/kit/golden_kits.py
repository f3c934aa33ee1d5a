"""The golden versions and contexts, as objects."""

from __future__ import annotations

import json
import os
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from rolldeck.kit.model import Kit
from rolldeck.kit.read import read_kit
from rolldeck.oci import Descriptor, parse_manifest

GOLDEN = Path(__file__).parents[1] / "golden"
EXPECTED = sorted(path.stem for path in (GOLDEN / "expected").glob("*.json"))


@dataclass(frozen=True)
class GoldenVersion:
    """One tag of a golden layout with what the real tools said of it."""

    stem: str

    @cached_property
    def expected(self) -> dict[str, Any]:
        """What is in ``expected/``."""
        document: dict[str, Any] = json.loads((GOLDEN / f"expected/{self.stem}.json").read_text())
        return document

    @property
    def layout(self) -> Path:
        """The layout's directory."""
        return GOLDEN / "layouts" / self.stem.partition("_")[0]

    def blob_path(self, digest: str) -> Path:
        """Return where a blob lies."""
        return self.layout / "blobs" / "sha256" / digest.removeprefix("sha256:")

    def open_blob(self, blob: Descriptor) -> BinaryIO:
        """Open a blob."""
        return self.blob_path(blob.digest).open("rb")

    def kit(self) -> Kit:
        """Read the version."""
        raw = self.blob_path(self.expected["digest"]).read_bytes()
        manifest = parse_manifest(raw, None, reference=self.stem)
        assert manifest.config is not None
        return read_kit(manifest, self.blob_path(manifest.config.digest).read_bytes())


def unpack_context(name: str, directory: Path) -> Path:
    """Unpack a golden context and return it; its modes are those of the archive."""
    with tarfile.open(GOLDEN / "contexts" / f"{name}.tar") as archive:
        archive.extractall(directory, filter="fully_trusted")
    for path in (directory / name).rglob("*"):
        # Extracted by root, the files would belong to whoever packed them.
        os.chown(path, os.getuid(), os.getgid())
    return directory / name

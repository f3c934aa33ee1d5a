"""What rolldeck packs, the real kit reads; runs where kit is on PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rolldeck.actions.demo import fill_library
from rolldeck.kit import read_kit, unpack_kit
from rolldeck.progress import Progress
from rolldeck.store import Library
from tests.servers.registry import RunningRegistry, push_blob, push_manifest

pytestmark = pytest.mark.skipif(shutil.which("kit") is None, reason="kit is not on PATH")


def kit(home: Path, *words: str) -> str:
    """Run the real kit with storage of its own."""
    environment = {**os.environ, "KITOPS_HOME": str(home)}
    command = ["kit", *words, "--plain-http", "--progress=none"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize("tag", ["v1.1.0", "v2.0.0"])
def test_kit_unpacks_what_rolldeck_packed(
    docker_registry: RunningRegistry, tmp_path: Path, tag: str
) -> None:
    """The same files with the same bytes, the Kitfile included."""
    library = Library(tmp_path / "library")
    fill_library(library)
    manifest = library.layout.read_manifest(library.layout.find("movie-recommend", tag).digest)
    assert manifest.config is not None
    for blob in (manifest.config, *manifest.layers):
        data = library.layout.blob_path(blob.digest).read_bytes()
        push_blob(docker_registry.url, "demo/movies", blob.digest, data)
    push_manifest(docker_registry.url, "demo/movies", tag, manifest.raw, manifest.media_type)
    reference = f"{docker_registry.host}/demo/movies:{tag}"

    theirs = tmp_path / "theirs"
    kit(tmp_path / "kit-home", "unpack", reference, "-d", str(theirs))
    assert "movie-recommend" in kit(tmp_path / "kit-home", "info", "-r", reference)

    config = library.layout.blob_path(manifest.config.digest).read_bytes()
    ours = tmp_path / "ours"
    unpack_kit(
        read_kit(manifest, config),
        lambda blob: library.layout.blob_path(blob.digest).open("rb"),
        ours,
        Progress(),
    )
    assert _files(theirs) == _files(ours)


def _files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}

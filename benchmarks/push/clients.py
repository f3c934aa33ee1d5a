"""The clients of the race: how each pushes the same version from where it keeps its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pull.artifact import REPOSITORY, TAG

PEERS = ("kit", "oras", "crane", "regctl", "skopeo")


@dataclass(frozen=True, slots=True)
class Sources:
    """The same version as the library, a layout of its own, and kit's storage."""

    library: Path
    layout: Path
    kit_home: Path


def installed() -> list[str]:
    """The peers on PATH."""
    return [name for name in PEERS if shutil.which(name)]


def make_sources(library: Path, directory: Path, host: str) -> Sources:
    """Make what the peers push from; ``host`` is a registry that has the version already."""
    layout = directory / "plain"
    layout.mkdir()
    (layout / "blobs").symlink_to(library / "blobs")
    shutil.copy(library / "oci-layout", layout)
    index = json.loads((library / "index.json").read_bytes())
    index["manifests"][0]["annotations"] = {"org.opencontainers.image.ref.name": TAG}
    (layout / "index.json").write_text(json.dumps(index))
    kit_home = directory / "kitops"
    if shutil.which("kit"):
        command = ["kit", "pull", f"{host}/{REPOSITORY}:{TAG}", "--plain-http", "--progress=none"]
        environment = {**os.environ, "KITOPS_HOME": str(kit_home)}
        subprocess.run(command, env=environment, check=True, capture_output=True)
    return Sources(library, layout, kit_home)


def command(name: str, sources: Sources, kept: str, host: str) -> tuple[list[str], dict[str, str]]:
    """Return how ``name`` pushes to ``host``, and what its environment has besides.

    ``kept`` is the host under whose name kit keeps the version.
    """
    goal = f"{host}/{REPOSITORY}:{TAG}"
    if name == "rolldeck":
        words = [sys.executable, "-m", "rolldeck", "push", f"{REPOSITORY}:{TAG}", goal]
        words += ["--library", str(sources.library)]
        return words, {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    if name == "kit":
        words = ["kit", "push", f"{kept}/{REPOSITORY}:{TAG}", goal]
        words += ["--plain-http", "--progress=none"]
        return words, {"KITOPS_HOME": str(sources.kit_home)}
    layout = str(sources.layout)
    if name == "oras":
        words = ["oras", "cp", "--no-tty", "--from-oci-layout", f"{layout}:{TAG}"]
        return [*words, "--to-plain-http", goal], {}
    if name == "crane":
        return ["crane", "push", "--insecure", layout, goal], {}
    if name == "regctl":
        words = ["regctl", "image", "copy", f"ocidir://{layout}:{TAG}", goal]
        return [*words, "--host", f"reg={host},tls=disabled"], {}
    words = ["skopeo", "copy", "--quiet", "--dest-tls-verify=false"]
    return [*words, f"oci:{layout}:{TAG}", f"docker://{goal}"], {}

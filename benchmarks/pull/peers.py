"""The clients of the race: how each pulls one version into a fresh directory."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pull.artifact import REPOSITORY, TAG


@dataclass(frozen=True, slots=True)
class Run:
    """One command and what its environment has besides the caller's."""

    command: list[str]
    environment: dict[str, str]


PEERS = ("kit", "oras", "crane", "regctl", "skopeo")


def installed() -> list[str]:
    """The peers on PATH."""
    return [name for name in PEERS if shutil.which(name)]


def prepare(name: str, host: str, directory: Path, certificate: Path | None) -> Run:
    """Return how ``name`` pulls from ``host`` into ``directory``, which is fresh.

    ``certificate`` is the registry's, None for plain HTTP.
    """
    reference = f"{host}/{REPOSITORY}:{TAG}"
    plain = certificate is None
    environment = {"HOME": str(directory / "home"), "KITOPS_HOME": str(directory / "kitops")}
    if certificate is not None:
        environment["SSL_CERT_FILE"] = str(certificate)
    to = directory / "out"
    if name == "rolldeck":
        command = [sys.executable, "-m", "rolldeck", "pull", reference, "--library", str(to)]
        if not plain:
            settings = directory / "settings.toml"
            settings.write_text(f'[registries."{host}"]\nplain_http = false\n')
            command += ["--settings", str(settings)]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    elif name == "kit":
        command = ["kit", "pull", reference, "--progress=none"]
        command += ["--plain-http"] if plain else []
    elif name == "oras":
        command = ["oras", "cp", "--no-tty", reference, "--to-oci-layout", f"{to}:{TAG}"]
        command += ["--from-plain-http"] if plain else []
    elif name == "crane":
        command = ["crane", "pull", "--format=oci", reference, str(to)]
        command += ["--insecure"] if plain else []
    elif name == "regctl":
        command = ["regctl", "image", "copy", reference, f"ocidir://{to}:{TAG}"]
        command += ["--host", f"reg={host},tls={'disabled' if plain else 'enabled'}"]
    else:
        command = ["skopeo", "copy", "--quiet", f"docker://{reference}", f"oci:{to}:{TAG}"]
        command += ["--src-tls-verify=false"] if plain else []
    return Run(command, environment)

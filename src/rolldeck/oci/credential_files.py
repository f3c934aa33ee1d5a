"""The files that Docker, Podman and kit keep logins in: where they are, and how their keys read.

All have the format of Docker's ``config.json``. A key names a *place*: a registry, or with a path
(containers-auth.json) a repository of it and everything below.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rolldeck.errors import UsageError
from rolldeck.oci.address import DOCKER_HUB, canonical_host
from rolldeck.oci.kit_storage import kit_home

_HUB_KEY = "https://index.docker.io/v1/"
_FILE_LIMIT = 1024 * 1024
"""Largest credentials file read, in bytes."""

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_PATH = re.compile(r"[a-z0-9._-]+(?:/[a-z0-9._-]+)*")


def login_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the file that a login is saved in: ``$REGISTRY_AUTH_FILE``, else Docker's."""
    if chosen := environment.get("REGISTRY_AUTH_FILE"):
        return Path(chosen)
    if directory := environment.get("DOCKER_CONFIG"):
        return Path(directory, "config.json")
    return Path(environment.get("HOME") or Path.home()) / ".docker" / "config.json"


def credential_files(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Return where logins are looked for, in order of precedence; files may be missing.

    ``$REGISTRY_AUTH_FILE``, Docker's ``config.json``, Podman's two ``auth.json``, kit's
    ``credentials.json``. What ``login`` writes stands first, so a new login always counts.
    """
    home = Path(environment.get("HOME") or Path.home())
    without_choice = {k: v for k, v in environment.items() if k != "REGISTRY_AUTH_FILE"}
    runtime = environment.get("XDG_RUNTIME_DIR")
    podman = Path(runtime, "containers") if runtime else Path(f"/run/containers/{os.geteuid()}")
    config = environment.get("XDG_CONFIG_HOME") or str(home / ".config")
    found = (
        login_file(environment),
        login_file(without_choice),
        podman / "auth.json",
        Path(config, "containers", "auth.json"),
        kit_home(environment) / "credentials.json",
    )
    return tuple(dict.fromkeys(found))


def read_document(path: Path) -> dict[str, Any]:
    """Return the content of a credentials file, empty where it is missing; raises UsageError."""
    try:
        with open(path, "rb") as file:
            data = file.read(_FILE_LIMIT + 1)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageError(
            f"Cannot read the logins in {path}: {error.strerror}",
            reference=str(path),
            hint="Check who owns the file.",
        ) from None
    if not data.strip():
        return {}
    try:
        document = json.loads(data)
        if len(data) > _FILE_LIMIT or not isinstance(document, dict):
            raise ValueError
    except (ValueError, RecursionError):
        raise UsageError(
            f"Not a credentials file: {path}",
            reference=str(path),
            hint="Mend the file, or move it away and log in again.",
        ) from None
    return document


def table(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return one of a file's tables; what is no table counts as empty."""
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def place_of(key: str) -> str | None:
    """Return the place that a key names, ``host[:port][/repository]``; None for what is none."""
    text = key.strip().lower().removeprefix("https://").removeprefix("http://")
    host, _, path = text.rstrip("/").partition("/")
    if not _HOST.fullmatch(host):
        return None
    if path in ("", "v1", "v2"):
        return canonical_host(host)
    return f"{canonical_host(host)}/{path}" if _PATH.fullmatch(path) else None


def key_of(place: str) -> str:
    """Return how Docker spells a place: in its file, and to its helper programs."""
    return _HUB_KEY if place == DOCKER_HUB else place


def spellings(place: str) -> Iterator[str]:
    """Yield the places whose login counts for ``place``: itself, then everything above it.

    localhost and 127.0.0.1 are one host.
    """
    host, _, repository = place.partition("/")
    name, colon, port = host.lower().partition(":")
    also = {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}.get(name)
    names = [canonical_host(f"{known}{colon}{port}") for known in (name, also) if known]
    parts = repository.lower().split("/") if repository else []
    for length in range(len(parts), -1, -1):
        for name in names:
            yield "/".join((name, *parts[:length]))


def hosts_in(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the registries that a file names."""
    for name in ("auths", "credHelpers"):
        for key in table(document, name):
            if place := place_of(key):
                yield place.partition("/")[0]

"""Logins of the user, as Docker and kit keep them; nothing is ever written here.

Files: Docker's ``config.json`` (``$DOCKER_CONFIG`` or ``~/.docker``) and kit's
``credentials.json``, which has the same format. Within a file the order is Docker's: credential
helper of the host, credential store, then ``auths``. oras supplies the default place and the
spellings of local hosts; its loader is not used, since it merges files in random order, drops
identity tokens and runs helper programs without a time limit.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from oras.utils.request import find_docker_config, iter_localhosts

from rolldeck.errors import UsageError
from rolldeck.oci.address import DOCKER_HUB, canonical_host
from rolldeck.oci.credential_helper import HelperFailed, ask_helper, check_helper_name
from rolldeck.oci.kit_storage import kit_home
from rolldeck.oci.secret import Credential, Secret
from rolldeck.text import clean_line

_HUB_KEY = "https://index.docker.io/v1/"
_TOKEN_USER = "<token>"
_FILE_LIMIT = 1024 * 1024
"""Largest credentials file read, in bytes."""

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


def credential_files(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Return where Docker and kit keep logins, in order of precedence; files may be missing."""
    home = Path(environment.get("HOME") or Path.home())
    if directory := environment.get("DOCKER_CONFIG"):
        docker = Path(directory, "config.json")
    elif environment is os.environ:
        docker = Path(find_docker_config(exists=False))
    else:
        docker = home / ".docker" / "config.json"
    return docker, kit_home(environment) / "credentials.json"


def _read(path: Path) -> dict[str, Any]:
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


def _table(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = document.get(name)
    return table if isinstance(table, dict) else {}


def _host_of(key: str) -> str | None:
    """Return the registry that a key of a credentials file names; None for a part of one."""
    host = key.strip().lower().removeprefix("https://").removeprefix("http://")
    host = host.rstrip("/").removesuffix("/v1").removesuffix("/v2").rstrip("/")
    return canonical_host(host) if _HOST.fullmatch(host) else None


class CredentialFiles:
    """Finds the login for a host in Docker's and kit's files. Blocks; meant for a thread."""

    def __init__(self, paths: tuple[Path, ...] | None = None) -> None:
        self._paths = paths

    def __call__(self, host: str) -> Credential | None:
        """Return the login for ``host[:port]``, None where there is none.

        Raises UsageError for an unreadable file or an unsafe helper name. A helper that fails
        counts as no login, unless a later place has one.
        """
        names = [canonical_host(name) for name in iter_localhosts(host.lower())]
        paths = credential_files() if self._paths is None else self._paths
        for path in paths:
            document = _read(path)
            for name in names:
                if found := _find(document, name, str(path)):
                    return found
        return None


def _find(document: Mapping[str, Any], host: str, source: str) -> Credential | None:
    helpers = (
        value for key, value in _table(document, "credHelpers").items() if _host_of(key) == host
    )
    for program in (*helpers, document.get("credsStore")):
        if not program:
            continue
        check_helper_name(program, source)
        try:
            answer = ask_helper(program, _HUB_KEY if host == DOCKER_HUB else host)
        except HelperFailed:
            continue
        if answer is not None:
            return _credential(*answer, identity=None, source=f"docker-credential-{program}")
    for key, entry in _table(document, "auths").items():
        if _host_of(key) == host and isinstance(entry, dict):
            found = _from_entry(entry, source)
            if found is not None:
                return found
    return None


def _from_entry(entry: Mapping[str, Any], source: str) -> Credential | None:
    user, password = entry.get("username"), entry.get("password")
    if isinstance(entry.get("auth"), str) and entry["auth"]:
        try:
            text = base64.b64decode(entry["auth"], validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            raise UsageError(
                f"A login in {source} is not base64 of user:password",
                reference=source,
                hint="Log in again.",
            ) from None
        user, _, password = text.partition(":")
    identity = entry.get("identitytoken")
    return _credential(
        user if isinstance(user, str) else "",
        password if isinstance(password, str) else "",
        identity=identity if isinstance(identity, str) else None,
        source=source,
    )


def _credential(
    user: str, password: str, *, identity: str | None, source: str
) -> Credential | None:
    if password and user in ("", _TOKEN_USER):
        # Docker's helpers say "<token>", kit stores an empty user name: both hold a refresh token.
        user, password, identity = "", "", identity or password
    if not password and not identity:
        return None
    return Credential(
        clean_line(user, 200) if user else "",
        Secret(f"{user}:{password}") if password else None,
        Secret(identity) if identity else None,
        source,
    )


def _hosts(document: Mapping[str, Any]) -> Iterator[str]:
    for name in ("auths", "credHelpers"):
        for key in _table(document, name):
            if host := _host_of(key):
                yield host


def known_hosts(paths: tuple[Path, ...] | None = None) -> list[str]:
    """Return the registries that the user has logged in to, sorted; runs no helper program.

    Unreadable files count as empty: this is only a suggestion of where to look.
    """
    found: set[str] = set()
    for path in credential_files() if paths is None else paths:
        try:
            found.update(_hosts(_read(path)))
        except UsageError:
            continue
    return sorted(found)

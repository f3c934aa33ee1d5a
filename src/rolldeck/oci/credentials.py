"""Finding the user's login for a registry in the files of Docker, Podman and kit; reads only.

Within a file the order is Docker's: credential helper of the host, credential store, then
``auths``; a login for a repository comes before one for its registry. oras supplies the default
place and the spellings of local hosts; its loader is not used, since it merges files in random
order, drops identity tokens and runs helper programs without a time limit.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rolldeck.errors import UsageError
from rolldeck.oci.credential_files import (
    credential_files,
    hosts_in,
    key_of,
    place_of,
    read_document,
    spellings,
    table,
)
from rolldeck.oci.credential_helper import HelperFailed, ask_helper, check_helper_name
from rolldeck.oci.secret import Credential, Secret, UnusableLogin
from rolldeck.text import clean_line

TOKEN_USER = "<token>"
"""The user name that Docker's helpers give to an identity token."""


class CredentialFiles:
    """Finds the login for a place in the user's files. Blocks; meant for a thread."""

    def __init__(self, paths: tuple[Path, ...] | None = None) -> None:
        self._paths = paths

    def __call__(self, place: str) -> Credential | None:
        """Return the login for ``host[:port][/repository]``, None where there is none.

        Raises UsageError for an unreadable file or an unsafe helper name, and UnusableLogin where
        a helper failed and no other place has a login.
        """
        paths = credential_files() if self._paths is None else self._paths
        problems: list[str] = []
        for path in paths:
            document = read_document(path)
            for name in spellings(place):
                if found := _find(document, name, str(path), problems):
                    return found
        if problems:
            raise UnusableLogin(problems[0])
        return None


def helper_of(document: Mapping[str, Any], place: str, source: str) -> str | None:
    """Return the helper program that a file names for a place; raises UsageError."""
    program = next(
        (value for key, value in table(document, "credHelpers").items() if place_of(key) == place),
        None,
    )
    if not program and "/" not in place:
        program = document.get("credsStore")
    if not program:
        return None
    return check_helper_name(program, source)


def _find(
    document: Mapping[str, Any], place: str, source: str, problems: list[str]
) -> Credential | None:
    program = helper_of(document, place, source)
    if program is not None:
        try:
            answer = ask_helper(program, key_of(place))
        except HelperFailed as failure:
            problems.append(f"docker-credential-{program} gave no login: {failure}")
        else:
            if answer is not None:
                found = make_credential(*answer, source=f"docker-credential-{program}")
                if found is not None:
                    return found
    for key, entry in table(document, "auths").items():
        if place_of(key) == place and isinstance(entry, dict):
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
        user, _, password = text.rstrip("\x00").partition(":")
    identity = entry.get("identitytoken")
    return make_credential(
        user if isinstance(user, str) else "",
        password if isinstance(password, str) else "",
        identity=identity if isinstance(identity, str) else None,
        source=source,
    )


def make_credential(
    user: str, password: str, *, identity: str | None = None, source: str
) -> Credential | None:
    """Return a login; None where it holds nothing, as the entries that Docker leaves behind.

    With the user ``<token>`` (Docker's helpers) or none (kit) the password is an identity token.
    """
    if password and user in ("", TOKEN_USER):
        user, password, identity = "", "", identity or password
    if not password and not identity:
        return None
    return Credential(
        clean_line(user, 200) if user else "",
        Secret(f"{user}:{password}") if password else None,
        Secret(identity) if identity else None,
        source,
    )


def known_hosts(paths: tuple[Path, ...] | None = None) -> list[str]:
    """Return the registries that the user has logged in to, sorted; runs no helper program.

    Unreadable files count as empty: this is only a suggestion of where to look.
    """
    found: set[str] = set()
    for path in credential_files() if paths is None else paths:
        try:
            found.update(hosts_in(read_document(path)))
        except UsageError:
            continue
    return sorted(found)


def exposed_files(paths: tuple[Path, ...] | None = None) -> tuple[Path, ...]:
    """Return the credentials files that others on this machine can read."""
    found = []
    for path in credential_files() if paths is None else paths:
        try:
            if path.stat().st_mode & 0o077 and table(read_document(path), "auths"):
                found.append(path)
        except (OSError, UsageError):
            continue
    return tuple(found)

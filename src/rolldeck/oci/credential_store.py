"""Saving and removing logins where Docker, Podman and rolldeck find them.

A login goes to the credential helper that the file names for the registry, else into the file
itself. Everything else in the file stays as it is; kit's and Podman's files are never written.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rolldeck import fsops, half_made, locks
from rolldeck.errors import StorageError
from rolldeck.oci.address import canonical_host
from rolldeck.oci.credential_files import key_of, login_file, place_of, read_document, table
from rolldeck.oci.credential_helper import HelperFailed, clear_helper, tell_helper
from rolldeck.oci.credentials import TOKEN_USER, helper_of
from rolldeck.oci.secret import Secret
from rolldeck.settings import state_home


@dataclass(frozen=True, slots=True)
class LoginPlace:
    """Where the login for one registry is kept: a helper program that ``file`` names, or it."""

    file: Path
    helper: str | None

    @property
    def name(self) -> str:
        """The place as a person reads it."""
        return f"docker-credential-{self.helper}" if self.helper else str(self.file)


def login_place(host: str) -> LoginPlace:
    """Return where the login for ``host[:port]`` belongs; raises UsageError for a damaged file."""
    file = login_file()
    return LoginPlace(file, helper_of(read_document(file), canonical_host(host), str(file)))


def save_login(host: str, user: str, secret: Secret) -> LoginPlace:
    """Save a login in its place; it replaces every login for the host there.

    The user ``<token>`` means that the secret is an identity token. Raises StorageError where the
    login cannot be kept, UsageError for a damaged file.
    """
    where = login_place(host)
    place = canonical_host(host)
    # With a helper the entry is empty, as Docker writes it: it only says that there is a login.
    entry: dict[str, str] = {}
    if where.helper is not None:
        with _helping(where.helper, "did not save the login"):
            tell_helper(where.helper, key_of(place), user, secret)
    elif user == TOKEN_USER:
        entry = {"identitytoken": secret.reveal()}
    else:
        pair = f"{user}:{secret.reveal()}".encode()
        entry = {"auth": base64.b64encode(pair).decode("ascii")}

    def put(document: dict[str, Any]) -> bool:
        document["auths"] = {**_others(document, place), key_of(place): entry}
        return True

    _change(where.file, put)
    return where


def remove_login(host: str, *, dry_run: bool = False) -> tuple[str, ...]:
    """Remove every login for ``host[:port]`` from its place; returns where there was one.

    A dry run only looks. Raises StorageError where that fails, UsageError for a damaged file.
    """
    where = login_place(host)
    place = canonical_host(host)
    removed = []
    if where.helper is not None:
        keys = [key for key in table(read_document(where.file), "auths") if place_of(key) == place]
        with _helping(where.helper, "did not remove the login"):
            cleared = [
                clear_helper(where.helper, key, dry_run=dry_run) for key in {key_of(place), *keys}
            ]
        if any(cleared):
            removed.append(where.name)

    def take(document: dict[str, Any]) -> bool:
        auths = table(document, "auths")
        found = [entry for key, entry in auths.items() if place_of(key) == place]
        if any(found):
            removed.append(str(where.file))
        document["auths"] = _others(document, place)
        return bool(found) and not dry_run

    _change(where.file, take)
    return tuple(removed)


def _others(document: dict[str, Any], place: str) -> dict[str, Any]:
    return {k: v for k, v in table(document, "auths").items() if place_of(k) != place}


@contextmanager
def _helping(program: str, what: str) -> Iterator[None]:
    try:
        yield
    except HelperFailed as failure:
        raise StorageError(
            f"docker-credential-{program} {what}: {failure}",
            reference=f"docker-credential-{program}",
            hint=f"Mend the program, or take it out of credsStore and credHelpers in"
            f" {login_file()}.",
        ) from None


def _change(path: Path, change: Callable[[dict[str, Any]], bool]) -> None:
    """Replace a credentials file in one step, only its owner can read it; a link stays a link."""
    with fsops.storage(path):
        real = path.resolve()
    fsops.make_directories(state_home(), 0o700)
    fsops.make_directories(real.parent, 0o700)
    with locks.locked(state_home() / "logins.lock"):
        document = read_document(real)
        if change(document):
            data = json.dumps(document, indent="\t", ensure_ascii=False) + "\n"
            half_made.write_atomic(real, data.encode(), 0o600)

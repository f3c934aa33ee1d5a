"""Logging in to a registry and out again: the login is tried before it is saved."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import DeniedError, UntrustedRealmError, UsageError
from rolldeck.oci.credential_files import place_of
from rolldeck.oci.credential_store import login_place, remove_login, save_login
from rolldeck.oci.credentials import TOKEN_USER, CredentialFiles, make_credential
from rolldeck.oci.secret import Secret, UnusableLogin
from rolldeck.oci.token_hosts import confirm_token_host
from rolldeck.text import clean_line


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A login that was tried, and saved unless it was a dry run.

    ``saved_in`` is a file, or the credential helper ``helper``; ``checked`` is False where the
    registry wants no login for its API, so that nobody knows whether it is right.
    """

    registry: str
    user: str
    saved_in: str
    helper: str | None
    checked: bool
    applied: bool


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """Where logins were removed from, and where one for the registry is still found."""

    registry: str
    removed: tuple[str, ...]
    remaining: str | None
    applied: bool


def registry_host(text: str) -> str:
    """Return the registry that a user means: ``host[:port]``, also typed as a URL."""
    place = place_of(text)
    if place is None or "/" in place:
        raise UsageError(
            f"Not a registry: {clean_line(text, 200)!r}",
            reference=clean_line(text, 200),
            hint="Name the host alone, as in: rolldeck login ghcr.io",
        )
    return place


async def log_in(
    workspace: Workspace,
    registry: str,
    user: str,
    secret: Secret,
    *,
    token_hosts: Collection[str] = (),
    dry_run: bool = False,
) -> LoggedIn:
    """Try a login at its registry, then save it where Docker and rolldeck find it.

    The user ``<token>`` means that the secret is an identity token. ``token_hosts`` are token
    servers that may get the login, from then on. Raises DeniedError where the registry does not
    take it, StorageError where it cannot be saved.
    """
    workspace.require_writable("login")
    host = registry_host(registry)
    if not user or ":" in user or not user.isprintable():
        raise UsageError(f"Not a user name: {clean_line(user, 80)!r}", reference=host)
    credential = make_credential(user, secret.reveal(), source="what was typed")
    if credential is None:
        raise UsageError(f"No password for {user}", reference=host)
    where = await asyncio.to_thread(login_place, host)
    trusted = [_token_host(text) for text in token_hosts]
    connection = workspace.open_registry(host, lambda place: credential, trusted)
    try:
        checked = await connection.check_login()
    except UntrustedRealmError:
        raise
    except DeniedError:
        raise DeniedError(
            f"{host} does not take this login of {clean_line(user, 200)}",
            reference=host,
            hint="Check both; many registries want an access token in place of the password.",
        ) from None
    finally:
        await connection.close()
    if not dry_run:
        where = await asyncio.to_thread(save_login, host, user, secret)
        for name in trusted:
            confirm_token_host(host, name)
    shown = "" if user == TOKEN_USER else user
    return LoggedIn(host, shown, where.name, where.helper, checked, not dry_run)


async def log_out(workspace: Workspace, registry: str, *, dry_run: bool = False) -> LoggedOut:
    """Remove the login for a registry from where ``log_in`` saves it."""
    workspace.require_writable("logout")
    host = registry_host(registry)
    removed = await asyncio.to_thread(remove_login, host, dry_run=dry_run)
    remaining = None
    if not dry_run:
        try:
            found = await asyncio.to_thread(CredentialFiles(), host)
        except UnusableLogin:
            found = None
        remaining = found.source if found else None
    return LoggedOut(host, removed, remaining, not dry_run)


def trust_token_host(error: UntrustedRealmError) -> None:
    """Remember that the token server in the error may get the login for its registry."""
    confirm_token_host(error.registry, error.token_host)


def _token_host(text: str) -> str:
    place = place_of(text)
    if place is None or "/" in place:
        raise UsageError(
            f"Not a host: {clean_line(text, 200)!r}",
            hint="A token server is named host or host:port.",
        )
    return place

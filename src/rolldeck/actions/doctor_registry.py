"""What the doctor asks a registry: the way there, the clock, the login, what is listed.

Each answer says what it means for who pulls and pushes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from rolldeck.actions.doctor_repository import check_repository
from rolldeck.actions.finding import Finding, failed
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import DeniedError, RolldeckError, UnavailableError
from rolldeck.oci import Reference, probe
from rolldeck.oci.address import is_loopback
from rolldeck.oci.http import HttpRegistry
from rolldeck.oci.probe_login import LoginSource, find_login
from rolldeck.units import duration, rfc3339

_SKEW = 60.0
"""Seconds that clocks may differ: tokens and certificates are judged by them."""

_SOON = 14 * 86400.0
"""Seconds before its end at which a certificate is worth a warning."""


async def check_registry(
    workspace: Workspace, place: Reference, *, write: bool
) -> AsyncIterator[Finding]:
    """Ask the registry of ``place`` and, where it names one or one is known, a repository."""
    registry = workspace.registry(place)
    assert isinstance(registry, HttpRegistry)
    login = await asyncio.to_thread(find_login, place.root)
    try:
        greeting = await registry.ask(probe.greet)
    except RolldeckError as error:
        yield failed("registry", "connection", error, "Nothing can be read from this registry.")
        for finding in _login(login, place.root, None, None):
            yield finding
        return
    for finding in _connection(workspace, place, greeting):
        yield finding
    yield _clock(greeting)
    api = _api(greeting)
    yield api
    if api.severity == "fail":
        return
    refusal = await _refusal(registry)
    for finding in _login(login, place.root, refusal, greeting):
        yield finding
    name: str | None = place.repository
    if refusal is None:
        listed, first = await registry.ask(probe.has_catalog)
        yield _catalog(listed)
        configured = workspace.settings.registry(place.root).repositories
        name = name or next(iter(configured), first)
    if not name:
        reason = "no repository is known" if refusal is None else "the registry lets nobody in"
        yield Finding(
            "registry",
            "support",
            "unknown",
            f"not tried: {reason}",
            "Whether parts of blobs, referrers, deletes and pushes work is only seen in a"
            " repository.",
            f"rolldeck doctor {place.root}/REPOSITORY",
        )
        return
    async for finding in check_repository(workspace, registry, place, name, write=write):
        yield finding


def _connection(workspace: Workspace, place: Reference, greeting: probe.Greeting) -> list[Finding]:
    origin = greeting.origin
    if origin.scheme == "http":
        if is_loopback(origin.host):
            return [Finding("registry", "connection", "ok", f"{origin.url}, this machine")]
        return [
            Finding(
                "registry",
                "connection",
                "warn",
                f"{origin.url}, not encrypted",
                "Whoever is on the way can read your login and see what you pull.",
                "Use https where the registry has it: leave plain_http out of the settings.",
            )
        ]
    ca_file = workspace.settings.registry(place.root).ca_file
    own = f", trusted through {ca_file} or the system" if ca_file else ""
    found = [Finding("registry", "connection", "ok", f"{origin.url}, encrypted{own}")]
    if greeting.expires is not None:
        left = (greeting.expires - datetime.now(UTC)).total_seconds()
        issuer = f" from {greeting.issuer}" if greeting.issuer else ""
        detail = f"valid for {int(left // 86400)} days, until {rfc3339(greeting.expires)}{issuer}"
        found.append(
            Finding(
                "registry",
                "certificate",
                "warn",
                detail,
                "After that nobody can reach this registry.",
                "Tell who runs it.",
            )
            if left < _SOON
            else Finding("registry", "certificate", "ok", detail)
        )
    return found


def _clock(greeting: probe.Greeting) -> Finding:
    if greeting.date is None:
        return Finding(
            "clock",
            "skew",
            "unknown",
            "the registry does not tell its time",
            "A wrong clock would show as refused tokens and certificates.",
        )
    skew = (datetime.now(UTC) - greeting.date).total_seconds()
    if abs(skew) <= _SKEW:
        return Finding("clock", "skew", "ok", "as the registry's, within a minute")
    direction = "ahead of" if skew > 0 else "behind"
    return Finding(
        "clock",
        "skew",
        "warn",
        f"{duration(abs(skew))} {direction} the registry's",
        "Tokens and certificates may be refused as expired or not yet valid, and the times in"
        " histories are wrong.",
        "Set this machine's clock (timedatectl set-ntp true), unless the registry's is wrong.",
    )


def _api(greeting: probe.Greeting) -> Finding:
    if greeting.status in (200, 401, 403) and "html" not in greeting.media_type:
        version = greeting.version or "OCI distribution"
        return Finding("registry", "api", "ok", f"{version}, answers {greeting.status}")
    what = "a web page" if "html" in greeting.media_type else str(greeting.status)
    return Finding(
        "registry",
        "api",
        "fail",
        f"{greeting.origin.url}/v2/ answers with {what}: not a registry",
        "Nothing can be read from here.",
        "Check the host; a proxy or a network's login page may stand in between.",
        UnavailableError.code,
    )


async def _refusal(registry: HttpRegistry) -> RolldeckError | None:
    """Return why the registry does not let us in; None where it does."""
    try:
        await registry.ask(probe.enter)
    except RolldeckError as error:
        return error
    return None


def _login(
    login: LoginSource,
    host: str,
    refusal: RolldeckError | None,
    greeting: probe.Greeting | None,
) -> list[Finding]:
    """Return what there is to say of the login, and whether it was taken where that was tried."""
    again = f"Log in: docker login {host} or kit login {host}"
    found = []
    if login.problem:
        meaning = "You are a stranger to this registry: only public versions can be read."
        code = DeniedError.code
        found.append(Finding("login", "source", "fail", login.problem, meaning, again, code))
    elif login.source:
        who = login.user or "the holder of a token"
        found.append(Finding("login", "source", "ok", f"{who}, from {login.source}"))
    elif greeting is None:
        detail = "none found in the files of Docker and kit"
        meaning = "Whether this registry wants one is not known."
        found.append(Finding("login", "source", "unknown", detail, meaning))
    elif refusal is None:
        detail = "none here; the registry answers without"
        meaning = "You can read what is public, and probably not push."
        found.append(Finding("login", "source", "ok", detail, meaning))
    else:
        detail = "none found in the files of Docker and kit"
        meaning = "This registry wants a login, at least for what is not public."
        found.append(Finding("login", "source", "fail", detail, meaning, again, refusal.code))
    if greeting is not None and login.source:
        if refusal is not None:
            meaning = "The login is wrong, has expired, or could not be checked."
            found.append(failed("login", "accepted", refusal, meaning))
        else:
            found.append(Finding("login", "accepted", "ok", "the registry lets you in"))
    if greeting is not None and greeting.token_server is not None:
        found.append(_token_server(greeting, host))
    for path in login.exposed:
        found.append(
            Finding(
                "login",
                "files",
                "warn",
                f"others on this machine can read {path}",
                "Whoever reads it can act as you at every registry in it.",
                f"chmod 600 {path}",
            )
        )
    return found


def _token_server(greeting: probe.Greeting, host: str) -> Finding:
    server = greeting.token_server
    if greeting.trusted:
        return Finding("login", "token server", "ok", f"{server} gives the tokens")
    return Finding(
        "login",
        "token server",
        "warn",
        f"{server} gives the tokens, and is not known to belong to {host}",
        "Your login is not sent there, so only public versions can be read.",
        f'If it does belong to it: token_hosts = ["{server}"] under [registries."{host}"] in the'
        " settings.",
    )


def _catalog(listed: bool) -> Finding:
    if listed:
        return Finding("registry", "catalog", "ok", "repositories are listed")
    return Finding(
        "registry",
        "catalog",
        "warn",
        "repositories are not listed",
        "`rolldeck ls HOST/` and the deck cannot show what there is.",
        "Name them under `repositories` of this registry in the settings.",
    )

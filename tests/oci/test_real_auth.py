"""Logins against a real registry: htpasswd over TLS, and tokens of a token server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rolldeck.errors import DeniedError, UntrustedRealmError
from rolldeck.oci.retry import Clocks
from rolldeck.oci.secret import Credential, Secret
from rolldeck.oci.token_hosts import TokenHosts, confirm_token_host
from rolldeck.progress import Progress
from tests.oci.bench import Jar, Open
from tests.servers.registry import PASSWORD, USER, RunningRegistry
from tests.servers.token_server import TokenServer

REPOSITORY = "golden/wdbc"


def password(place: str) -> Credential:
    return Credential(USER, Secret(f"{USER}:{PASSWORD}"), None, "test")


def identity(place: str) -> Credential:
    return Credential("", None, Secret("canary-identity-token"), "test")


@pytest.fixture
def settings(certificate: Path, tokens: TokenServer) -> dict[str, Any]:
    """What the settings say of the token registry."""
    return {"plain_http": False, "ca_file": certificate, "token_hosts": [tokens.host]}


async def test_htpasswd_over_tls(
    open_registry: Open, secure_registry: RunningRegistry, certificate: Path
) -> None:
    settings = {"plain_http": False, "ca_file": certificate}
    registry = open_registry(secure_registry, credentials=password, **settings)
    assert "v1.1.0" in (await registry.tags(REPOSITORY)).names
    assert REPOSITORY in (await registry.repositories()).names
    with pytest.raises(DeniedError, match="without a login"):
        await open_registry(secure_registry, credentials=lambda place: None, **settings).tags(
            REPOSITORY
        )


@pytest.mark.parametrize(("login", "method"), [(password, "GET"), (identity, "POST")])
async def test_a_named_token_server_gets_the_login(
    open_registry: Open,
    token_registry: RunningRegistry,
    tokens: TokenServer,
    settings: dict[str, Any],
    login: Any,
    method: str,
) -> None:
    registry = open_registry(token_registry, credentials=login, **settings)
    assert "v1.1.0" in (await registry.tags(REPOSITORY)).names
    version = await registry.resolve(REPOSITORY, "v1.1.0")
    manifest = await registry.manifest(REPOSITORY, version.digest)
    for layer in manifest.layers:
        jar = Jar()
        await registry.fetch_blob(REPOSITORY, layer, jar, Progress())
        assert len(jar.data) == layer.size
    assert [one.method for one in tokens.asked] == [method]
    assert tokens.asked[0].scopes == (f"repository:{REPOSITORY}:pull",)
    assert REPOSITORY in (await registry.repositories()).names


async def test_a_token_server_without_post_is_asked_by_get(
    open_registry: Open,
    token_registry: RunningRegistry,
    tokens: TokenServer,
    settings: dict[str, Any],
) -> None:
    tokens.post = False

    def both(place: str) -> Credential:
        return Credential(USER, Secret(f"{USER}:{PASSWORD}"), Secret("canary-other"), "test")

    registry = open_registry(token_registry, credentials=both, **settings)
    assert "v1.1.0" in (await registry.tags(REPOSITORY)).names
    assert [one.method for one in tokens.asked] == ["GET"]


async def test_an_unconfirmed_token_server_gets_no_login(
    open_registry: Open,
    token_registry: RunningRegistry,
    tokens: TokenServer,
    settings: dict[str, Any],
) -> None:
    settings["token_hosts"] = ()
    registry = open_registry(token_registry, credentials=password, **settings)
    with pytest.raises(UntrustedRealmError) as raised:
        await registry.tags(REPOSITORY)
    assert raised.value.code == 4
    assert (raised.value.registry, raised.value.token_host) == (token_registry.host, tokens.host)
    assert "token_hosts" in (raised.value.hint or "")
    with pytest.raises(UntrustedRealmError):
        await registry.repositories()
    assert tokens.credentials_seen == 0


async def test_a_confirmation_counts_at_once(
    open_registry: Open,
    token_registry: RunningRegistry,
    tokens: TokenServer,
    settings: dict[str, Any],
) -> None:
    """Also in a deck that runs: the next try of the same registry sends the login."""
    settings["token_hosts"] = TokenHosts(token_registry.host, ())
    registry = open_registry(token_registry, credentials=password, **settings)
    with pytest.raises(UntrustedRealmError):
        await registry.tags(REPOSITORY)
    confirm_token_host(token_registry.host, tokens.host)
    assert "v1.1.0" in (await registry.tags(REPOSITORY)).names


async def test_a_wrong_password_is_told_without_it(
    open_registry: Open, token_registry: RunningRegistry, settings: dict[str, Any]
) -> None:
    def wrong(place: str) -> Credential:
        return Credential(USER, Secret(f"{USER}:canary-wrong"), None, "test")

    registry = open_registry(token_registry, credentials=wrong, **settings)
    with pytest.raises(DeniedError, match=rf"as {USER} .* \(scope pull\)") as raised:
        await registry.tags(REPOSITORY)
    assert "canary" not in f"{raised.value.message} {raised.value.hint}"


async def test_what_the_login_may_not_is_refused_after_one_token(
    open_registry: Open,
    token_registry: RunningRegistry,
    tokens: TokenServer,
    settings: dict[str, Any],
) -> None:
    """Without a login the token server gives a token that opens nothing."""
    registry = open_registry(token_registry, credentials=lambda place: None, **settings)
    with pytest.raises(DeniedError, match="without a login"):
        await registry.tags(REPOSITORY)
    assert len(tokens.asked) == 1


async def test_a_token_that_ends_during_a_pull_is_replaced(
    open_registry: Open,
    token_registry: RunningRegistry,
    tokens: TokenServer,
    settings: dict[str, Any],
) -> None:
    now = [0.0]
    clocks = Clocks(sleep=lambda seconds: None, monotonic=lambda: now[0])
    registry = open_registry(token_registry, credentials=password, clocks=clocks, **settings)
    version = await registry.resolve(REPOSITORY, "v1.1.0")
    manifest = await registry.manifest(REPOSITORY, version.digest)
    for layer in manifest.layers:
        now[0] += 1000
        jar = Jar()
        await registry.fetch_blob(REPOSITORY, layer, jar, Progress())
        assert len(jar.data) == layer.size
    assert len(tokens.asked) == 1 + len(manifest.layers)

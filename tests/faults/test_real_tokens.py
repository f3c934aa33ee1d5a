"""A token that the registry no longer takes, in the middle of a blob."""

from __future__ import annotations

from pathlib import Path

from rolldeck.actions.fetch import fetch
from rolldeck.oci.http import HttpRegistry
from rolldeck.oci.retry import Clocks
from rolldeck.oci.secret import Credential, Secret
from rolldeck.progress import Progress
from rolldeck.store import Library
from tests.servers.fault_proxy import Fault, fault_proxy
from tests.servers.registry import PASSWORD, USER, RunningRegistry, run_registry
from tests.servers.token_server import TokenServer

REPOSITORY = "golden/wdbc"


async def test_a_cut_and_a_refused_token_cost_one_token_and_the_rest(
    tmp_path: Path,
    golden_registry: RunningRegistry,
    certificate: Path,
    tokens: TokenServer,
    library: Library,
) -> None:
    """A blob is cut, and its token is refused when the rest is asked for."""
    challenge = f'Bearer realm="{tokens.url}",service="registry.tests",error="invalid_token"'
    refused = {"status": "401 Unauthorized", "WWW-Authenticate": challenge}
    with (
        run_registry(tmp_path / "r", token=tokens, storage=golden_registry.storage) as real,
        fault_proxy(real.host) as proxy,
    ):
        registry = HttpRegistry(
            proxy.host,
            ca_file=certificate,
            token_hosts=[tokens.host],
            credentials=lambda _: Credential(USER, Secret(f"{USER}:{PASSWORD}"), None, "test"),
            clocks=Clocks(sleep=lambda seconds: None),
        )
        version = await registry.resolve(REPOSITORY, "v1.1.0")
        manifest = await registry.manifest(REPOSITORY, version.digest)
        layer = max(manifest.layers, key=lambda layer: layer.size)
        proxy.faults = [Fault(cut=layer.size // 2), Fault(headers=refused)]
        await fetch(library, registry, REPOSITORY, layer, Progress())
        await registry.close()
    assert library.has(layer)
    assert [part for _, part in proxy.requests[1:]] == [f"bytes={layer.size // 2}-"] * 2
    assert len(tokens.asked) == 2

"""What a table of versions in a registry moves: counted by a proxy, never timed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rolldeck.actions import Workspace, load_matrix
from rolldeck.oci import Reference
from rolldeck.settings import RegistrySettings, Settings
from tests.servers.fault_proxy import fault_proxy
from tests.servers.registry import RunningRegistry

VERSIONS = 4


async def table(host: str, library: Path) -> list[str]:
    """Read a table in a workspace of its own, as another process would; return the labels."""
    settings = Settings(library=library, registries={host: RegistrySettings(plain_http=True)})
    workspace = Workspace(settings)
    try:
        found = await load_matrix(
            workspace, [Reference.parse(f"{host}/golden/wdbc")], last=VERSIONS
        )
    finally:
        await workspace.close()
    return [entry.label for entry in found.matrix.entries]


async def test_nothing_is_asked_for_twice(golden_registry: RunningRegistry, tmp_path: Path) -> None:
    """Each tag's manifest, each config and each small layer once; later only where tags point."""
    with fault_proxy(golden_registry.host) as proxy:
        proxy.only, proxy.methods = "/v2/", ("GET", "HEAD")
        assert len(await table(proxy.host, tmp_path / "library")) == VERSIONS
        tags = len([path for path, _ in proxy.requests if "/manifests/" in path])
        again = [path for path, times in Counter(proxy.requests).items() if times > 1]
        assert again == []
        proxy.requests.clear()
        assert len(await table(proxy.host, tmp_path / "library")) == VERSIONS
        assert not [path for path, _ in proxy.requests if "/blobs/" in path]
        assert len([path for path, _ in proxy.requests if "/manifests/" in path]) == tags

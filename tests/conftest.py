"""Fixtures that every test may use; no test sees the developer's own settings or credentials."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["tests.servers.fixtures"]

TORTURE = 40 if os.environ.get("ROLLDECK_TORTURE") else 1
"""How many times as much the tests by chance do; `make torture` sets it."""

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a home of its own, without colours, proxies or credentials."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("DATA", "CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    proxies = [name for name in os.environ if name.lower().endswith("_proxy")]
    logins = ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "KITOPS_HOME", "NETRC")
    for name in (*proxies, *logins, "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def golden() -> Path:
    """The directory of artifacts written by the real tools."""
    return GOLDEN

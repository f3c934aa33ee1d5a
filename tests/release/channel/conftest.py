"""Fixtures of the tests of channels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.release.channel.places import Site, site_in
from tests.servers.registry import RunningRegistry

KINDS = ("docker", "distribution", "guarded", "once", "referrers", "layout", "library")
"""Every kind of place; ``distribution`` is skipped where that is not installed."""


@pytest.fixture(params=KINDS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A repository of each kind."""
    is_v3 = request.param == "distribution"
    registry: RunningRegistry = request.getfixturevalue(
        "distribution_registry" if is_v3 else "docker_registry"
    )
    with site_in("docker" if is_v3 else request.param, registry, tmp_path) as found:
        yield found


@pytest.fixture
def real(docker_registry: RunningRegistry, tmp_path: Path) -> Iterator[Site]:
    """A repository of a real registry that offers nothing beside the basics."""
    with site_in("docker", docker_registry, tmp_path) as found:
        yield found


@pytest.fixture
def referring(docker_registry: RunningRegistry, tmp_path: Path) -> Iterator[Site]:
    """A repository that lists referrers."""
    with site_in("referrers", docker_registry, tmp_path) as found:
        yield found

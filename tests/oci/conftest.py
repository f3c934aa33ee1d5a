"""Fixtures of the room's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from rolldeck.oci.http import HttpRegistry
from rolldeck.oci.retry import Clocks
from tests.oci.bench import Open


@pytest.fixture
async def open_registry() -> AsyncIterator[Open]:
    """Open registries that never sleep between tries; they are closed after the test."""
    opened: list[HttpRegistry] = []

    def connect(server: Any, **settings: Any) -> HttpRegistry:
        settings.setdefault("clocks", Clocks(sleep=lambda seconds: None))
        opened.append(HttpRegistry(server.host, **settings))
        return opened[-1]

    yield connect
    for registry in opened:
        await registry.close()

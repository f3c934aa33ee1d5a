"""Whether a version fits an interpreter and this host."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from rolldeck.actions.workspace import Workspace
from rolldeck.fit import Fit, Host, judge
from rolldeck.oci import Reference

if TYPE_CHECKING:
    from rolldeck.compare import Version

_WEIGHTS = ("model", "modelpart")


async def host_here(python: Path | None = None) -> Host:
    """Read this host and an interpreter: the given one, the active environment's, or ``python3``.

    Raises UsageError where the given one cannot be run.
    """
    from rolldeck.actions.host_reading import read_host

    return await asyncio.to_thread(read_host, python)


async def fit(workspace: Workspace, version: Version | Reference, host: Host | None = None) -> Fit:
    """Judge whether a version fits a host, this one where none is given.

    Nothing is fetched but what showing the version fetches, and nothing for one that was read.
    """
    if isinstance(version, Reference):
        from rolldeck.actions.show import load_version

        version = await load_version(workspace, version)
    if host is None:
        host = await host_here()
    weights = sum(layer.size for layer in version.kit.layers if layer.kind in _WEIGHTS)
    return await asyncio.to_thread(judge, version.facts, host, version.files, weights)

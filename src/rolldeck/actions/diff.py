"""Two versions side by side, from anywhere, without fetching their weights."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rolldeck.actions.workspace import Workspace
from rolldeck.oci import Reference

if TYPE_CHECKING:
    from rolldeck.compare import Comparison, Version


@dataclass(frozen=True, slots=True)
class DiffResult:
    """A comparison and the two versions that it was made from."""

    comparison: Comparison
    a: Version
    b: Version


async def diff(
    workspace: Workspace, a: Reference, b: Reference, tolerance: float = 0.0
) -> DiffResult:
    """Compare two versions; metrics that move less than the relative ``tolerance`` are equal."""
    from rolldeck.actions.show import load_version
    from rolldeck.compare import compare

    version_a, version_b = await asyncio.gather(
        load_version(workspace, a), load_version(workspace, b)
    )
    comparison = await asyncio.to_thread(compare, version_a, version_b, tolerance)
    return DiffResult(comparison, version_a, version_b)

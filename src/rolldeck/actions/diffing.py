"""Two versions side by side, from anywhere, without fetching their weights."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rolldeck.actions.workspace import Workspace
from rolldeck.oci import Reference

if TYPE_CHECKING:
    from rolldeck.compare import Comparison, Directions, Policy, Version


@dataclass(frozen=True, slots=True)
class DiffResult:
    """A comparison, the two versions and the directions that it was made from."""

    comparison: Comparison
    a: Version
    b: Version
    directions: Directions


async def diff(
    workspace: Workspace,
    a: Reference,
    b: Reference,
    tolerance: float | None = None,
    policy: Policy | None = None,
) -> DiffResult:
    """Compare two versions; metrics that move less than the relative ``tolerance`` are equal.

    Without one, that of the settings counts. ``policy`` is what is demanded of the metrics of B.
    """
    from rolldeck.actions.directions import directions
    from rolldeck.actions.show import load_version
    from rolldeck.compare import compare

    version_a, version_b = await asyncio.gather(
        load_version(workspace, a), load_version(workspace, b)
    )
    accepted = workspace.settings.tolerance if tolerance is None else tolerance
    known = await asyncio.to_thread(directions, workspace.settings, a, b)
    comparison = await asyncio.to_thread(compare, version_a, version_b, accepted, known, policy)
    return DiffResult(comparison, version_a, version_b, known)

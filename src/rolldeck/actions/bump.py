"""Which version number the step from one version to another deserves."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

from rolldeck.actions.diffing import diff
from rolldeck.actions.workspace import Workspace
from rolldeck.compare import Bump, Policy, propose
from rolldeck.oci import Reference


async def propose_bump(
    workspace: Workspace,
    a: Reference,
    b: Reference,
    today: date | None = None,
    policy: Policy | None = None,
) -> Bump:
    """Compare two versions and propose the number of B; reads what a comparison reads.

    What fails ``policy`` is left to a person.
    """
    found = await diff(workspace, a, b, policy=policy)
    moment = today or datetime.now(UTC).date()
    return await asyncio.to_thread(propose, found.comparison, found.a, found.b, moment)

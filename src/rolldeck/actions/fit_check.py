"""Whether a version of a channel fits this machine, as a check of a plan.

An interpreter is not asked: which one will serve the version is not known here. A version that
does not fit fails the check only where this machine runs versions of that repository.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import RolldeckError
from rolldeck.oci import Reference
from rolldeck.release import Check, known_paths

if TYPE_CHECKING:
    from rolldeck.fit import Fit, Host

_NAME = "fits this host"
_PATIENCE = 5.0
"""Seconds for which a plan waits: behind a slow line what a version records takes long to come."""

_machines: WeakKeyDictionary[Workspace, asyncio.Task[Host]] = WeakKeyDictionary()
"""The machine as it was read once for each workspace."""


async def fits_check(workspace: Workspace, reference: Reference) -> Check:
    """Hold what a version records of its environment against this machine."""
    # Imported here: what moves nothing need not load it.
    from rolldeck.actions.env_check import fit

    try:
        async with asyncio.timeout(_PATIENCE):
            machine = await asyncio.shield(_machine(workspace))
            found = await fit(workspace, reference, machine)
    except TimeoutError:
        return Check(_NAME, None, f"not known within {_PATIENCE:.0f} s")
    except RolldeckError as error:
        return Check(_NAME, None, f"not known: {error.message}")
    runs_here = any(target.repository == reference.name for target in known_paths())
    return as_check(found, runs_here=runs_here)


def _machine(workspace: Workspace) -> asyncio.Task[Host]:
    task = _machines.get(workspace)
    if task is None or task.get_loop() is not asyncio.get_running_loop():
        from rolldeck.actions.host_reading import read_machine

        task = asyncio.create_task(asyncio.to_thread(read_machine))
        _machines[workspace] = task
    return task


def as_check(found: Fit, *, runs_here: bool) -> Check:
    """Put a judgement into a check; ``runs_here`` says that its version would run on this host."""
    worst = [item.text for item in found.findings if item.severity == "blocker"]
    if worst:
        more = f" (+{len(worst) - 1} more)" if len(worst) > 1 else ""
        where = "" if runs_here else "; no local target here follows this repository"
        return Check(_NAME, False if runs_here else None, f"{worst[0]}{more}{where}")
    warnings = [item.text for item in found.findings if item.severity == "warn"]
    if warnings:
        return Check(_NAME, None, f"it should, but {warnings[0]}")
    return Check(_NAME, True, "nothing that it records speaks against this machine")

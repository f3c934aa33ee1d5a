"""Doctor: look at this machine, and at a registry, and say what is wrong and what it means."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rolldeck.actions.doctor_local import check_machine
from rolldeck.actions.finding import Diagnosis, Finding
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import UsageError
from rolldeck.oci import Place, Reference


async def diagnose(
    workspace: Workspace,
    place: Reference | None = None,
    *,
    write: bool = False,
    settings_file: Path | None = None,
) -> Diagnosis:
    """Check the library, its disk and the settings, and the registry of ``place``.

    A repository in ``place`` is asked about, too. With ``write`` an upload is begun there and
    cancelled. What is wrong is a finding; only a ``place`` that is no registry raises UsageError.
    """
    findings = await asyncio.to_thread(
        lambda: list(
            check_machine(
                workspace.settings,
                workspace.library,
                read_only=workspace.read_only,
                chosen=settings_file,
            )
        )
    )
    if place is None:
        return Diagnosis(None, tuple(findings))
    if place.place is not Place.REGISTRY:
        raise UsageError(
            f"Not a registry: {place}",
            reference=str(place),
            hint="Name a host, as in ghcr.io, or a repository, as in ghcr.io/acme/fraud.",
        )
    if write:
        workspace.require_writable("doctor --write")
        if not place.repository:
            raise UsageError("--write needs a repository", hint="rolldeck doctor HOST/REPOSITORY")
    # Imported late: the network stack is of no use to who asks about this machine alone.
    from rolldeck.actions.doctor_registry import check_registry

    findings += [item async for item in check_registry(workspace, place, write=write)]
    return Diagnosis(place.root, tuple(findings))


__all__ = ["Diagnosis", "Finding", "diagnose"]

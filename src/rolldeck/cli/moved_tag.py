"""A reference with tag and digest: the digest decides, and a tag elsewhere is reported."""

from __future__ import annotations

from dataclasses import replace

from rolldeck.actions import Workspace
from rolldeck.cli.terminal import message
from rolldeck.errors import NotFoundError, UnavailableError
from rolldeck.oci import Reference
from rolldeck.units import short_digest


async def report_moved_tag(workspace: Workspace, reference: Reference) -> None:
    """Print one line on stderr where the tag of ``reference`` is not at its digest."""
    if not (reference.tag and reference.digest):
        return
    try:
        now = await workspace.resolve(replace(reference, digest=None))
    except NotFoundError:
        message(f"There is no tag {reference.tag} any more; the digest decides.")
        return
    except UnavailableError:
        return
    if now.digest is not None and now.digest != reference.digest:
        message(f"{reference.tag} points at {short_digest(now.digest)} by now; the digest decides.")

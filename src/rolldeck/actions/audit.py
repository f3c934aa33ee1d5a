"""Audit: everything that was recorded of channels and local targets, and whether it holds together.

Nothing is changed, and nothing is taken from the cache that has no digest of its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path

from rolldeck.actions.targets import is_target
from rolldeck.actions.workspace import Workspace
from rolldeck.oci import Reference
from rolldeck.release import Target, read_known
from rolldeck.release.audit import Audited, AuditNote, newest_first
from rolldeck.release.channel.audit import audit_channel, audit_unpublished
from rolldeck.release.channel.outbox import damaged, directory, read_outbox
from rolldeck.release.target_audit import audit_target


@dataclass(frozen=True, slots=True)
class Audit:
    """What was audited, and for which span of time rows are shown."""

    places: tuple[Audited, ...]
    since: datetime | None = None
    until: datetime | None = None

    @property
    def broken(self) -> bool:
        """Whether a chain is broken."""
        return any(place.broken for place in self.places)


async def audit(
    workspace: Workspace,
    place: str | None = None,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Audit:
    """Audit a channel, all channels of a repository, or a local target.

    Without ``place``: all local targets that are known here, and the outbox; no registry is asked.
    Raises NotFoundError where there is nothing of that name.
    """
    if place is None:
        found = await asyncio.to_thread(_audit_host)
    elif is_target(place):
        found = [await asyncio.to_thread(audit_target, Target(Path(place)))]
    else:
        found = await _audit_channels(workspace, Reference.parse(place))
    return Audit(tuple(item.between(since, until) for item in found), since, until)


async def _audit_channels(workspace: Workspace, reference: Reference) -> list[Audited]:
    # Imported here: a local target needs nothing of it.
    from rolldeck.actions.channel import load_channel, open_records

    channels = [reference]
    if reference.tag is None and reference.digest is None:
        names = await open_records(workspace, reference).channels()
        channels = [reference.tagged(name) for name in names]
    found = []
    for item in channels:
        channel = await load_channel(workspace, item, limit=None)
        place = str(channel.reference)
        audited = audit_channel(
            place, channel.journal, channel.hold, channel.verdicts, channel.labels
        )
        rows, notes = audit_unpublished(channel.unpublished)
        found.append(
            replace(
                audited,
                rows=newest_first([*audited.rows, *rows]),
                notes=(*audited.notes, *notes),
            )
        )
    return found


def _audit_host() -> list[Audited]:
    """Audit what this host knows by itself."""
    found = [audit_target(target) for item in read_known() if (target := Target(item.path)).exists]
    waiting = sorted(read_outbox(), key=lambda item: item.channel)
    for channel, items in groupby(waiting, key=lambda item: item.channel):
        rows, notes = audit_unpublished(items)
        found.append(Audited(channel, newest_first(rows), tuple(notes)))
    unreadable = [
        AuditNote(str(path), "damaged", "a file of the outbox cannot be read") for path in damaged()
    ]
    if unreadable:
        found.append(Audited(str(directory()), (), tuple(unreadable)))
    return found

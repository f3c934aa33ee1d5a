"""Triage of a local target: its own generations, from its directory alone."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from rolldeck.actions.targets import TargetState
from rolldeck.actions.triage_view import Triage, TriageRow
from rolldeck.oci import Digest, Reference
from rolldeck.release import Target
from rolldeck.release.generation import effective
from rolldeck.text import clean_line
from rolldeck.units import duration, parse_rfc3339, short_digest


async def triage_target(path: Path, since: datetime | None, now: datetime) -> Triage:
    """Return the triage of a local target; asks no registry, raises NotFoundError for no target."""
    return await asyncio.to_thread(_triage, path, since, now)


def _triage(path: Path, since: datetime | None, now: datetime) -> Triage:
    target = Target(path).require()
    current, previous, unpacked = target.current(), target.previous(), target.unpacked()
    moves = [(item, parse_rfc3339(item.time) or now) for item in target.history()]
    moves = [pair for pair in moves if pair[0] in effective([m for m, _ in moves], current)]
    rows: list[TriageRow] = []
    end = now
    for move, time in reversed(moves):
        digest = move.to_digest
        is_live = not rows and digest == current
        rows.append(
            TriageRow(
                number=move.number,
                digest=digest,
                label=_label(target, digest, move.reference),
                time=time,
                actor=clean_line(move.actor, 60),
                verb=move.verb,
                active=max(end - time, timedelta()),
                reason=clean_line(move.reason, 200) if move.reason else None,
                is_live=is_live,
                is_current=digest == current,
                missing=0 if digest in unpacked else None,
            )
        )
        end = time
    good = next((row for row in rows if row.digest == previous and not row.is_live), None)
    label = _label(target, current, "") if current else "nothing"
    releases = frozenset(unpacked)
    repository = Reference.parse(moves[-1][0].reference).name if moves else ""
    state = TargetState(target.path, repository, current, label, releases, previous)
    return Triage(
        channel=None,
        target=target.path,
        now=now,
        live=current,
        live_label=label,
        rows=tuple(rows),
        good=good.number if good else None,
        why_good=f"live {duration(good.active.total_seconds())}, the release before"
        if good
        else "",
        targets=(state,),
        since=since,
        read=now,
    )


def _label(target: Target, digest: Digest | None, reference: str) -> str:
    """Return what a version of a target is called."""
    if digest is None:
        return "no version"
    release = target.release(digest)
    if release is not None:
        return clean_line(release.label, 60)
    tag = Reference.parse(reference).tag if reference else None
    return tag or short_digest(digest)

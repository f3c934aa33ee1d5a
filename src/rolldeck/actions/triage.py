"""Triage: what is live, what was good, what going back takes; from the cache first, then fresh."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rolldeck.actions.channel import Channel, load_channel
from rolldeck.actions.channel_memory import recall_channel, remember_channel
from rolldeck.actions.channel_preflight import find_signature, standing
from rolldeck.actions.targets import TargetState, known_targets
from rolldeck.actions.triage_subject import find_subject
from rolldeck.actions.triage_target import triage_target
from rolldeck.actions.triage_view import Triage, TriageRow
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError, RolldeckError, UnavailableError
from rolldeck.oci import Digest, Manifest, Place, Reference
from rolldeck.release.channel import Standing, Verdict, candidates, objection, ruling
from rolldeck.release.channel.outbox import read_outbox
from rolldeck.units import duration, short_digest

_ROWS = 8
"""Generations whose bytes on this disk are counted: what fits on a small screen."""

Clock = Callable[[], datetime]
"""Tells the time; what draws pictures gives another one."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def triage(
    workspace: Workspace, what: str | Reference, since: datetime | None = None
) -> Triage:
    """Return everything that triage knows of a channel, a local target, or a name for one.

    Raises as ``find_subject``, and the registry's error where it does not answer and nothing is
    remembered.
    """
    return [item async for item in watch_triage(workspace, what, since)][-1]


async def watch_triage(
    workspace: Workspace,
    what: str | Reference,
    since: datetime | None = None,
    *,
    now: Clock = _utc_now,
) -> AsyncIterator[Triage]:
    """Yield what is remembered, without asking anybody, then what is so now, then what differs.

    Where the registry does not answer what is remembered is yielded again, with the problem.
    """
    subject = await find_subject(workspace, what)
    if isinstance(subject, Path):
        yield await triage_target(subject, since, now())
        return
    targets = tuple(
        item for item in await known_targets(workspace) if item.repository == subject.name
    )
    remembered = None
    if subject.place is Place.REGISTRY:
        known = await asyncio.to_thread(recall_channel, workspace, subject)
        if known is not None:
            channel, read = known
            seen = await _view(workspace, channel, targets, since, now(), stale=True)
            remembered = replace(seen, read=read, is_stale=True, is_complete=False)
            yield remembered
    try:
        channel = await load_channel(workspace, subject)
    except UnavailableError as error:
        yield await _offline(remembered, targets, since, now(), error)
        return
    remember_channel(workspace, channel)
    view = await _view(workspace, channel, targets, since, now())
    yield replace(view, is_complete=False)
    yield await _deepened(workspace, channel, view)


async def _offline(
    remembered: Triage | None,
    targets: tuple[TargetState, ...],
    since: datetime | None,
    now: datetime,
    error: UnavailableError,
) -> Triage:
    """Return what can be told without the registry; raises its error where that is nothing."""
    if remembered is not None:
        return replace(remembered, is_complete=True, problem=error.message)
    if not targets:
        raise error
    local = await triage_target(targets[0].path, since, now)
    return replace(local, problem=error.message)


async def _view(
    workspace: Workspace,
    channel: Channel,
    targets: tuple[TargetState, ...],
    since: datetime | None,
    now: datetime,
    *,
    stale: bool = False,
) -> Triage:
    """Put a channel that was read into rows."""
    ruled = {digest: ruling(said) for digest, said in channel.verdicts.items()}
    wanted = dict.fromkeys(stay.entry.to_digest for stay in channel.journal.stays[:_ROWS])
    manifests = await _manifests(workspace, channel, list(wanted), network=not stale)
    missing = await asyncio.to_thread(_missing, workspace, manifests, targets)
    unpacked = {digest for target in targets for digest in target.releases}
    current = {target.current for target in targets if target.current}
    good, skipped = _first_good(workspace, channel, ruled, now, {})
    rows = []
    for stay in channel.journal.stays:
        entry, verdict = stay.entry, ruled.get(stay.entry.to_digest)
        digest = entry.to_digest
        rows.append(
            TriageRow(
                number=entry.number,
                digest=digest,
                label=channel.labels.get(digest, short_digest(digest)),
                time=entry.time,
                actor=entry.actor,
                verb=entry.verb,
                active=stay.length(now),
                reason=entry.reason,
                verdict=verdict.opinion if verdict else None,
                verdict_by=verdict.actor if verdict else None,
                is_live=stay == channel.journal.current,
                is_current=digest in current,
                missing=0 if digest in unpacked else missing.get(digest),
                is_gone=not stale and digest in wanted and manifests.get(digest) is None,
                skipped=skipped.get(digest),
            )
        )
    pending = channel.journal.pending
    waiting = await asyncio.to_thread(read_outbox, str(channel.reference))
    return Triage(
        channel=channel.reference,
        target=None,
        now=now,
        live=channel.live,
        live_label=channel.labels.get(channel.live, short_digest(channel.live))
        if channel.live
        else "gone",
        rows=tuple(rows),
        good=good,
        why_good=_why(rows, good),
        drift=_drift(channel),
        pending=f"g{pending.entry.number} was claimed and never made" if pending else None,
        chain=channel.journal.chain,
        hold=channel.hold if channel.hold is not None and channel.hold.holds(now) else None,
        targets=targets,
        since=since,
        read=now,
        unpublished=tuple(item.line for item in waiting),
    )


def _first_good(
    workspace: Workspace,
    channel: Channel,
    ruled: Mapping[Digest, Verdict | None],
    now: datetime,
    standings: Mapping[Digest, Standing],
) -> tuple[int | None, dict[Digest, str]]:
    """Return the last known good generation, and why newer ones were passed over.

    A version of which no ``standings`` tell is taken to be whole.
    """
    soak = timedelta(hours=workspace.settings.soak_hours)
    skipped: dict[Digest, str] = {}
    for item in candidates(channel.journal, now):
        stands = standings.get(item.digest, Standing(True))
        why = objection(item, ruled.get(item.digest), stands, soak)
        if why is None:
            return item.entry.number, skipped
        skipped[item.digest] = why
    return None, skipped


def _why(rows: list[TriageRow], good: int | None) -> str:
    row = next((item for item in rows if item.number == good), None)
    if row is None:
        return ""
    stays = [item.active for item in rows if item.digest == row.digest and not item.is_live]
    said = f", verdict {row.verdict}" if row.verdict else ""
    return f"live {duration(max(stays).total_seconds())}{said}"


def _drift(channel: Channel) -> str | None:
    newest = channel.journal.newest
    if not channel.journal.drift or newest is None:
        return None
    live = short_digest(channel.live) if channel.live else "gone"
    entry = newest.entry
    return (
        f"it is {live}, and g{entry.number} went to "
        f"{entry.to_label or short_digest(entry.to_digest)}: somebody moved it without a record"
    )


async def _manifests(
    workspace: Workspace, channel: Channel, digests: list[Digest], *, network: bool
) -> dict[Digest, Manifest]:
    """Return manifests from the cache, and where ``network`` is allowed those that it lacks."""
    found = {item.digest: item for item, _ in await asyncio.to_thread(workspace.recall, digests)}
    if not network:
        return found
    rest = [digest for digest in digests if digest not in found]
    plain = replace(channel.reference, tag=None)

    async def read(digest: Digest) -> Manifest | None:
        try:
            return await workspace.manifest(plain.at(digest), may_be_cached=True)
        except NotFoundError:
            return None

    fetched = await asyncio.gather(*(read(digest) for digest in rest))
    return found | {item.digest: item for item in fetched if item is not None}


def _missing(
    workspace: Workspace, manifests: Mapping[Digest, Manifest], targets: tuple[TargetState, ...]
) -> dict[Digest, int]:
    """Return how many bytes of each version this disk lacks. Blocks; meant for a thread."""
    # Imported here: it reads the records of targets, which few hosts have.
    from rolldeck.release.stand_in import has_stand_in

    counted: dict[Digest, int] = {}
    for digest, manifest in manifests.items():
        if manifest.manifests:
            continue  # an image index names further manifests; its plan counts them
        blobs = (*([manifest.config] if manifest.config else []), *manifest.layers)
        absent = [blob for blob in blobs if not workspace.library.has(blob)]
        if targets:
            absent = [blob for blob in absent if not has_stand_in(blob.digest)]
        counted[digest] = sum({blob.digest: blob.size for blob in absent}.values())
    return counted


async def _deepened(workspace: Workspace, channel: Channel, view: Triage) -> Triage:
    """Add what costs more to find: whether the last known good is whole, and what differs."""
    plain = replace(channel.reference, tag=None)
    ruled = {digest: ruling(said) for digest, said in channel.verdicts.items()}
    standings: dict[Digest, Standing] = {}
    good = view.good
    skipped: dict[Digest, str] = {}
    while good is not None:
        row = view.row(good)
        assert row is not None
        assert row.digest is not None
        if row.digest in standings:
            break
        standings[row.digest] = (await standing(workspace, plain.at(row.digest)))[0]
        good, skipped = _first_good(workspace, channel, ruled, view.now, standings)
    rows = [
        replace(row, skipped=skipped.get(row.digest, row.skipped)) if row.digest else row
        for row in view.rows
    ]
    view = replace(view, rows=tuple(rows), good=good, why_good=_why(rows, good))
    chosen = view.row(good)
    if chosen is None or chosen.digest is None or view.live is None:
        return view
    return await _compared(workspace, plain, view, chosen.digest, view.live)


async def _compared(
    workspace: Workspace, plain: Reference, view: Triage, good: Digest, live: Digest
) -> Triage:
    """Add how the live version differs from the good one, and whether each fits this host."""
    # Imported here: a glance from the cache needs nothing of it.
    from rolldeck.actions.diffing import diff
    from rolldeck.actions.fit_check import fits_check

    sides = (plain.at(good), plain.at(live))
    signed = dict(
        zip(
            (good, live),
            await asyncio.gather(*(find_signature(workspace, side) for side in sides)),
            strict=True,
        )
    )
    summary = None
    fits: dict[Digest, tuple[bool | None, str]] = {}
    try:
        result = await diff(workspace, sides[0], sides[1])
        summary = result.comparison.summary
        for digest, side in zip((good, live), sides, strict=True):
            check = await fits_check(workspace, side)
            fits[digest] = (check.ok, check.detail)
    except RolldeckError as error:
        summary = f"not compared: {error.message}"
    words = {"one is there, not checked": True, "none was found": False}
    rows = []
    for row in view.rows:
        if row.digest in fits:
            row = replace(row, fits=fits[row.digest][0], fit_line=fits[row.digest][1])
        if row.digest in signed:
            row = replace(row, signed=words.get(signed[row.digest].detail))
        rows.append(row)
    return replace(view, rows=tuple(rows), summary=summary)

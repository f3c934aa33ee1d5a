"""Moving a channel: claim the next generation, verify, write, verify again.

Most registries write a tag for whoever comes last, so a race is not prevented there but seen. Of
two writers at most one ends without an error: each looks, after it wrote the channel, whether its
claim still stands and no newer one does. Who claims later sees the channel moved before that.
Where a registry takes conditions on a tag, the first of two writers wins and the other one changes
nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from rolldeck.errors import RolldeckError
from rolldeck.oci import Digest, Expect, Manifest, TagMovedError
from rolldeck.progress import Progress
from rolldeck.release.channel.conflict import LostRaceError, MovedError
from rolldeck.release.channel.entry import Entry, Recorded
from rolldeck.release.channel.journal import Journal
from rolldeck.release.channel.records import Records
from rolldeck.release.channel.tags import entry_tag

SETTLE = 2.0
"""Seconds after which a channel is looked at again, where another writer could not be kept out."""

_WATCHED = 5.0
"""Seconds for which a pending move is watched: whoever claimed it may be about to make it."""
_LOOK = 0.5
"""Seconds between two looks at it."""

_ABANDONED = timedelta(minutes=10)
"""From this age on nobody waits for a pending move. Clocks differ, so nothing else rests on it."""

Sleep = Callable[[float], Awaitable[None]]


async def make_move(
    records: Records,
    entry: Entry,
    progress: Progress,
    *,
    settle: float = SETTLE,
    sleep: Sleep = asyncio.sleep,
) -> Recorded:
    """Make the move that an entry describes, from what its channel pointed at when it was planned.

    A pending move of somebody else is watched for some seconds, then passed over. Raises
    LostRaceError where the generation is another one meanwhile, MovedError where the channel is:
    the move is then not this one's, even if the channel was ``written`` to. After an error of the
    registry it may have been made all the same, or be pending: the journal tells.
    """
    journal = await records.journal(entry.channel, limit=3)
    _require_as_planned(records, journal, entry)
    if journal.pending is not None:
        await _watch(records, journal, progress, sleep)
        journal = await records.journal(entry.channel, limit=3)
        _require_as_planned(records, journal, entry)
    progress.check()
    await _keep_current(records, journal)
    version = await records.manifest(entry.to_digest)
    recorded = await records.claim(entry)
    await _carry_out(records, recorded, version, progress, settle, sleep)
    return recorded


async def finish(
    records: Records,
    journal: Journal,
    progress: Progress,
    *,
    settle: float = SETTLE,
    sleep: Sleep = asyncio.sleep,
) -> Recorded | None:
    """Make the move of a pending entry, which may be anybody's; None where there is none to make.

    It is watched first: whoever claimed it may be about to make it. Raises as ``make_move``.
    """
    pending = journal.pending
    if pending is None or not await _watch(records, journal, progress, sleep):
        return None
    await _keep_current(records, journal)
    version = await records.manifest(pending.entry.to_digest)
    await _carry_out(records, pending, version, progress, settle, sleep)
    return pending


def _require_as_planned(records: Records, journal: Journal, entry: Entry) -> None:
    """Raise where the channel or its journal went on since an entry was planned."""
    reference = records.reference(entry.channel)
    newest = journal.newest
    if journal.live != entry.from_digest:
        raise MovedError(reference, entry, _mover(journal), journal.live)
    if journal.next_number != entry.number or entry.previous != (newest and newest.digest):
        raise LostRaceError(reference, entry, newest, journal.live)


def _mover(journal: Journal) -> Recorded | None:
    """Return the entry that led to what is live, where one did."""
    return next((i for i in journal.recorded if i.entry.to_digest == journal.live), None)


async def _watch(records: Records, journal: Journal, progress: Progress, sleep: Sleep) -> bool:
    """Wait until a pending move is made, or probably never will be; return whether it is pending.

    What happens is what counts, and not what the clocks of different hosts say.
    """
    pending = journal.pending
    assert pending is not None
    entry = pending.entry
    if abs(datetime.now(UTC) - entry.time) < _ABANDONED:
        progress.tell(f"g{entry.number} by {entry.actor} is on its way; waiting for it")
        for _ in range(round(_WATCHED / _LOOK)):
            progress.check()
            await sleep(_LOOK)
            if await records.point(entry.channel) != journal.live:
                return False
    return True


async def _keep_current(records: Records, journal: Journal) -> None:
    """Write the keeper of the generation that is live, if whoever made it could not."""
    current = journal.current
    if current is None or current.entry.number in journal.made:
        return
    version = await records.manifest(current.entry.to_digest)
    await records.keep_version(current.entry.channel, current.entry.number, version)


async def _carry_out(
    records: Records,
    recorded: Recorded,
    version: Manifest,
    progress: Progress,
    settle: float,
    sleep: Sleep,
) -> None:
    """Point the channel at the version of a claimed entry, verify that, and write its keeper."""
    entry = recorded.entry
    found = await records.point(entry.channel)
    if found != entry.from_digest:
        raise await _moved(records, entry, found, written=False)
    await _require_newest(records, recorded, found, written=False)
    progress.check()
    try:
        await records.writer.push_manifest(
            records.repository, version, [entry.channel], expect=Expect(entry.from_digest)
        )
    except TagMovedError:
        # By somebody else, or by this very request, whose first answer was lost.
        found = await records.point(entry.channel)
        if found != entry.to_digest:
            raise await _moved(records, entry, found, written=False) from None
    await _verify(records, recorded)
    tag = entry_tag(entry.channel, entry.number)
    if settle and not await records.writer.enforces_expectations(
        records.repository, tag, entry.to_manifest()
    ):
        await sleep(settle)
        await _verify(records, recorded)
    try:
        await records.keep_version(entry.channel, entry.number, version)
    except RolldeckError as error:
        # The move was made; whoever moves next writes it.
        progress.tell(f"the keeper of g{entry.number} is not written yet: {error.message}")


async def _verify(records: Records, recorded: Recorded) -> None:
    """Raise where the channel does not point at the version, or the claim does not stand."""
    entry = recorded.entry
    found = await records.point(entry.channel)
    if found != entry.to_digest:
        raise await _moved(records, entry, found, written=True)
    await _require_newest(records, recorded, found, written=True)


async def _require_newest(
    records: Records, recorded: Recorded, found: Digest | None, *, written: bool
) -> None:
    """Raise LostRaceError where an entry was replaced, or a newer one claimed."""
    entry = recorded.entry
    for number, expected in ((entry.number, recorded.digest), (entry.number + 1, None)):
        if await records.point(entry_tag(entry.channel, number)) != expected:
            other = await records.entry(entry.channel, number)
            reference = records.reference(entry.channel)
            raise LostRaceError(reference, entry, other, found, written=written)


async def _moved(
    records: Records, entry: Entry, found: Digest | None, *, written: bool
) -> MovedError:
    journal = await records.journal(entry.channel, limit=3)
    others = [i for i in journal.recorded if i.entry.nonce != entry.nonce]
    mover = next((i for i in others if i.entry.to_digest == found), None)
    return MovedError(records.reference(entry.channel), entry, mover, found, written=written)

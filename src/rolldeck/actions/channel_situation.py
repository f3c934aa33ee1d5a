"""What a plan of a channel starts from: the channel, its marks, what its last move still owes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rolldeck.actions.actor import actor_name
from rolldeck.actions.channel import open_records
from rolldeck.actions.targets import followers_of, lagging
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError
from rolldeck.oci import Descriptor, Digest, Reference
from rolldeck.release import Check
from rolldeck.release.channel import (
    ChannelPlan,
    ChannelVerb,
    Hold,
    Journal,
    Owed,
    Recorded,
    Records,
    Verdict,
    last_made,
    marked_by,
    owed,
    require_channel,
    ruling,
)
from rolldeck.release.channel.preflight import chain_check, drift_check, pending_check
from rolldeck.units import duration, short_digest

_REPEATED = timedelta(minutes=10)
"""How long after a move without a keeper the same command means that move."""


@dataclass(frozen=True, slots=True)
class Situation:
    """A channel as it is now, who looks at it, and the marks that its newest generation owes.

    Those count as set: a hold that a killed rollback did not come to set holds all the same.
    ``followers`` are the local targets of this host that follow the channel; one that ``lags`` has
    what the channel points at unpacked and is not there.
    """

    reference: Reference
    records: Records
    journal: Journal
    last_hold: Hold | None
    now: datetime
    actor: str
    owed: Owed | None
    followers: tuple[Path, ...] = ()
    lags: bool = False

    @property
    def name(self) -> str:
        """The channel's tag."""
        return self.journal.channel

    @property
    def live(self) -> Digest | None:
        """What the channel points at."""
        return self.journal.live

    @property
    def hold(self) -> Hold | None:
        """The hold in force; None where none is, or it ended."""
        found = (self.owed.hold if self.owed else None) or self.last_hold
        return found if found is not None and found.holds(self.now) else None

    def unfinished(self, verb: ChannelVerb) -> Recorded | None:
        """Return the newest move, where it is one of that verb which was cut short after the move.

        It owes marks, or it was made by the same actor a moment ago and has no keeper, or did not
        take the local targets of this host along: whoever repeats the command means to end it, and
        not to go one further.
        """
        newest = last_made(self.journal)
        if newest is None or newest.entry.verb != verb:
            return None
        entry = newest.entry
        is_fresh = abs(self.now - entry.time) < _REPEATED and entry.actor == self.actor
        was_cut_short = entry.number not in self.journal.made or self.lags
        return newest if self.owed or (is_fresh and was_cut_short) else None

    def ending(self, verb: ChannelVerb, forced: bool) -> ChannelPlan | None:
        """Return the plan that only sets what such a move did not come to set; None without one."""
        newest = self.unfinished(verb)
        if newest is None:
            return None
        entry = newest.entry
        since = duration((self.now - entry.time).total_seconds())
        text = f"g{entry.number} did it {since} ago and was cut short; nothing moves again"
        done = Check("already done", True, text)
        draft = self.draft(verb, entry.version)
        return replace(draft, checks=(done, *self.checks(forced=forced)), ends=entry.number)

    def version(self, digest: Digest) -> Reference:
        """Return the reference of a version of the channel's repository, without any tag."""
        return replace(self.reference, tag=None, digest=digest)

    def label(self, digest: Digest | None) -> str | None:
        """Return the short name of a version: what the journal called it, else its digest."""
        if digest is None:
            return None
        for recorded in self.journal.recorded:
            entry = recorded.entry
            names = {entry.to_digest: entry.to_label, entry.from_digest: entry.from_label}
            if label := names.get(digest):
                return label
        return short_digest(digest)

    async def verdicts(self, digests: Iterable[Digest]) -> dict[Digest, Verdict | None]:
        """Return the verdict that rules over each version; None where there is none."""
        return {digest: ruling(said) for digest, said in (await self.said(digests)).items()}

    async def said(self, digests: Iterable[Digest]) -> dict[Digest, tuple[Verdict, ...]]:
        """Return everything that was said of each version, and what a move still has to say."""
        wanted = tuple(dict.fromkeys(digests))
        found = await self.records.verdicts(wanted)
        missing = self.owed.verdict if self.owed else None
        return {
            digest: (
                *found.get(digest, ()),
                *((missing,) if missing and missing.version.digest == digest else ()),
            )
            for digest in wanted
        }

    def draft(
        self, verb: ChannelVerb, version: Descriptor, label: str | None = None
    ) -> ChannelPlan:
        """Return the plan of a move to a version, without what is checked and set."""
        journal, live = self.journal, self.journal.live
        adopts = None if verb == "external" else self.unrecorded
        return ChannelPlan(
            verb=verb,
            channel=self.reference,
            version=version,
            to_label=label or self.label(version.digest) or "",
            from_digest=live,
            from_label=self.label(live),
            recorded=journal.newest.entry.to_digest if journal.newest else None,
            generation=journal.next_number + (adopts is not None),
            previous=journal.newest.digest if journal.newest else None,
            actor=self.actor,
            owes=self.owed,
            adopts=adopts,
            followers=() if verb == "external" else self.followers,
        )

    @property
    def unrecorded(self) -> Digest | None:
        """What is live where nothing was ever recorded; None where something was."""
        return self.live if self.journal.newest is None else None

    def checks(self, *, forced: bool) -> tuple[Check, ...]:
        """Return what is to be known of the channel itself before it moves."""
        journal = self.journal
        found = (
            drift_check(journal, forced=forced),
            pending_check(journal),
            chain_check(journal),
            self._unfinished(),
            self._unrecorded(),
        )
        return tuple(check for check in found if check is not None)

    def _unrecorded(self) -> Check | None:
        if self.unrecorded is None:
            return None
        text = f"nothing yet; that {self.label(self.live)} is live is recorded first, as g1"
        return Check("recorded", True, text)

    def _unfinished(self) -> Check | None:
        if not self.owed:
            return None
        missing = [
            name
            for name, mark in (("hold", self.owed.hold), ("verdict", self.owed.verdict))
            if mark is not None
        ]
        number = self.owed.recorded.entry.number
        return Check(
            "unfinished", None, f"g{number} did not set its {' and '.join(missing)}; set first"
        )


async def look_at_channel(
    workspace: Workspace, reference: Reference, *, limit: int | None = 50, may_be_new: bool = False
) -> Situation:
    """Read a channel for a plan; raises NotFoundError where there is none.

    One that ``may_be_new`` need not exist.
    """
    name = require_channel(reference.tag or "")
    channel = replace(reference, digest=None)
    records = open_records(workspace, channel)
    journal, hold = await asyncio.gather(records.journal(name, limit), records.hold(name))
    if journal.live is None and not may_be_new:
        raise NotFoundError(
            f"There is no channel {channel}",
            reference=str(channel),
            hint=f"Make it: rolldeck promote VERSION {channel}",
        )
    now = datetime.now(UTC)
    newest, debt = last_made(journal), None
    if newest is not None:
        number = newest.entry.refers_to
        undone = journal.find(number) if newest.entry.verb == "undo" and number else None
        debt = await owed_by(records, newest, undone, now, hold=hold)
    actor = actor_name(workspace.settings)
    followers = await followers_of(channel)
    lags = await asyncio.to_thread(lagging, followers, journal.live)
    return Situation(channel, records, journal, hold, now, actor, debt, followers, lags)


async def owed_by(
    records: Records,
    recorded: Recorded,
    undone: Recorded | None,
    now: datetime,
    *,
    hold: Hold | None,
) -> Owed | None:
    """Return what a made move still owes; None where nothing is missing.

    ``undone`` is the generation that it takes back, ``hold`` the one that its channel has.
    """
    entry = recorded.entry
    marked = marked_by(recorded, undone)
    if marked is None and entry.sets_hold is None and undone is None:
        return None
    said: tuple[Verdict, ...] = ()
    version = None
    if marked is not None:
        said = (await records.verdicts([marked])).get(marked, ())
        try:
            version = (await records.manifest(marked)).descriptor
        except NotFoundError:
            version = None  # a version that is gone needs no mark
    return owed(recorded, undone, version, hold, said, now) or None

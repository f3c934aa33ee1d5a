"""What a plan of a channel starts from: the channel, its marks, and what its last move still owes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from rolldeck.actions.actor import actor_name
from rolldeck.actions.channel import Channel, load_channel, records_of
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError
from rolldeck.facts import is_version_tag
from rolldeck.oci import Descriptor, Digest, Reference
from rolldeck.release import Check
from rolldeck.release.channel import (
    ChannelPlan,
    ChannelVerb,
    Hold,
    Owed,
    Recorded,
    Verdict,
    made,
    marked_by,
    owed,
    require_channel,
    ruling,
)
from rolldeck.release.channel.preflight import chain_check, drift_check, pending_check
from rolldeck.release.channel.records import Records
from rolldeck.units import short_digest


@dataclass(frozen=True, slots=True)
class Situation:
    """A channel as it is now, who looks at it, and the marks that its newest generation owes.

    Those count as set: a hold that a killed rollback did not come to set holds all the same.
    """

    channel: Channel
    records: Records
    now: datetime
    actor: str
    owed: Owed | None

    @property
    def reference(self) -> Reference:
        """The channel's tag."""
        return self.channel.reference

    @property
    def hold(self) -> Hold | None:
        """The hold in force, or the last one."""
        return (self.owed.hold if self.owed else None) or self.channel.hold

    def version(self, digest: Digest) -> Reference:
        """Return the reference of a version of the channel's repository, without any tag."""
        return replace(self.reference, tag=None, digest=digest)

    def label(self, digest: Digest | None) -> str | None:
        """Return the short name of a version: its version tag, else what the journal called it."""
        if digest is None:
            return None
        names = [
            name for name in self.channel.tags_of.get(digest, ()) if name != self.channel.name
        ]
        names.sort(key=lambda name: not is_version_tag(name))
        if names:
            return names[0]
        for recorded in self.channel.journal.recorded:
            entry = recorded.entry
            for named, label in (
                (entry.to_digest, entry.to_label),
                (entry.from_digest, entry.from_label),
            ):
                if named == digest and label:
                    return label
        return short_digest(digest)

    async def verdicts(self, digests: Iterable[Digest]) -> dict[Digest, Verdict | None]:
        """Return the verdict that rules over each version; None where there is none."""
        wanted = tuple(dict.fromkeys(digests))
        found = await self.records.verdicts(wanted)
        missing = self.owed.verdict if self.owed else None
        return {
            digest: ruling(
                [
                    *found.get(digest, ()),
                    *([missing] if missing and missing.version.digest == digest else ()),
                ]
            )
            for digest in wanted
        }

    def draft(
        self, verb: ChannelVerb, version: Descriptor, label: str | None = None
    ) -> ChannelPlan:
        """Return the plan of a move to a version, without what is checked and set."""
        journal, live = self.channel.journal, self.channel.live
        return ChannelPlan(
            verb=verb,
            channel=self.reference,
            version=version,
            to_label=label or self.label(version.digest) or "",
            from_digest=live,
            from_label=self.label(live),
            recorded=journal.newest.entry.to_digest if journal.newest else None,
            generation=journal.next_number,
            previous=journal.newest.digest if journal.newest else None,
            actor=self.actor,
            owes=self.owed,
        )

    def checks(self, *, forced: bool) -> tuple[Check, ...]:
        """Return what is to be known of the channel itself before it moves."""
        journal = self.channel.journal
        found = (
            drift_check(journal, forced=forced),
            pending_check(journal),
            chain_check(journal),
            self._unfinished(),
        )
        return tuple(check for check in found if check is not None)

    def _unfinished(self) -> Check | None:
        if not self.owed:
            return None
        missing = [
            name
            for name, mark in (("hold", self.owed.hold), ("verdict", self.owed.verdict))
            if mark is not None
        ]
        number = self.owed.recorded.entry.number
        return Check("unfinished", None, f"g{number} did not set its {' and '.join(missing)}; set first")


async def look_at_channel(
    workspace: Workspace, reference: Reference, *, limit: int | None = 50, may_be_new: bool = False
) -> Situation:
    """Read a channel for a plan; raises NotFoundError where there is none.

    One that ``may_be_new`` need not exist.
    """
    require_channel(reference.tag or "")
    channel = await load_channel(workspace, reference, limit=limit)
    if channel.live is None and not may_be_new:
        raise NotFoundError(
            f"There is no channel {channel.reference}",
            reference=str(channel.reference),
            hint=f"Make it: rolldeck promote VERSION {channel.reference}",
        )
    records = records_of(workspace, channel.reference)
    now = datetime.now(UTC)
    newest, debt = made(channel.journal), None
    if newest is not None:
        undone = _undone(newest, channel)
        debt = await owed_by(records, newest, undone, now, hold=channel.hold)
    return Situation(channel, records, now, actor_name(workspace.settings), debt)


def _undone(recorded: Recorded, channel: Channel) -> Recorded | None:
    number = recorded.entry.refers_to
    is_undo = recorded.entry.verb == "undo" and number is not None
    return channel.journal.find(number) if is_undo and number else None


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

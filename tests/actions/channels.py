"""Channels for tests: a repository of some kind, and journals made by the verbs themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rolldeck.actions import (
    ChannelMoved,
    Workspace,
    apply_channel,
    plan_channel_rollback,
    plan_channel_undo,
    plan_promote,
)
from rolldeck.actions.channel import open_records
from rolldeck.oci import Digest, Reference
from rolldeck.progress import Progress
from rolldeck.release.channel import (
    ChannelPlan,
    Entry,
    Hold,
    Journal,
    Opinion,
    Verdict,
    make_move,
)
from tests.release.channel.places import Site, no_wait

NAME = "production"


@dataclass
class Desk:
    """A workspace with one channel in front of it."""

    site: Site
    workspace: Workspace

    @property
    def channel(self) -> Reference:
        """The channel's tag."""
        return self.site.reference.tagged(NAME)

    def version(self, letter: str) -> Reference:
        """A version by its digest."""
        return self.site.reference.at(self.site.versions[letter])

    def digest(self, letter: str) -> Digest:
        """Its digest."""
        return self.site.versions[letter]

    async def record(self, *moves: str, hours: float = 48, ago: float = 0) -> None:
        """Record and make moves such as ``a``, each ``hours`` after the one before.

        ``b:ci-bot`` names the actor. The last one was ``ago`` hours before now.
        """
        records = open_records(self.workspace, self.channel, write=True)
        for index, move in enumerate(moves):
            letter, _, actor = move.partition(":")
            journal = await records.journal(NAME)
            manifest = await records.manifest(self.digest(letter))
            back = timedelta(hours=ago + hours * (len(moves) - 1 - index))
            entry = Entry(
                channel=NAME,
                number=journal.next_number,
                verb="promote",
                from_digest=journal.live,
                version=manifest.descriptor,
                actor=actor or "mia",
                time=datetime.now(UTC).replace(microsecond=0) - back,
                to_label=f"v1.0.{'abc'.index(letter)}",
                previous=journal.newest.digest if journal.newest else None,
            )
            await make_move(records, entry, Progress(), settle=0, sleep=no_wait)

    async def promote(self, letter: str, **more: Any) -> ChannelMoved:
        """Promote a version."""
        return await self.do(
            await plan_promote(self.workspace, self.version(letter), self.channel, **more)
        )

    async def roll_back(self, to: str | None = None, **more: Any) -> ChannelMoved:
        """Roll back."""
        return await self.do(await plan_channel_rollback(self.workspace, self.channel, to, **more))

    async def undo(self, **more: Any) -> ChannelMoved:
        """Undo the last move."""
        return await self.do(await plan_channel_undo(self.workspace, self.channel, **more))

    async def do(self, plan: ChannelPlan) -> ChannelMoved:
        """Carry out a plan."""
        return await apply_channel(self.workspace, plan, Progress(), settle=0)

    async def mark(self, letter: str, opinion: Opinion, actor: str = "mia") -> None:
        """Say something of a version."""
        records = open_records(self.workspace, self.channel, write=True)
        manifest = await records.manifest(self.digest(letter))
        now = datetime.now(UTC).replace(microsecond=0)
        await records.write_verdict(Verdict(manifest.descriptor, opinion, actor, now, "f1 drop"))

    async def freeze(self, letter: str, holder: str = "ops") -> None:
        """Hold the channel."""
        records = open_records(self.workspace, self.channel, write=True)
        manifest = await records.manifest(self.digest(letter))
        now = datetime.now(UTC).replace(microsecond=0)
        await records.write_hold(
            Hold(NAME, manifest.descriptor, holder, now, now + timedelta(hours=8), "audit")
        )

    async def journal(self) -> Journal:
        """The journal as anybody sees it."""
        return await open_records(self.workspace, self.channel).journal(NAME)

    async def live(self) -> str | None:
        """Which version the channel points at."""
        return self.site.letter(await open_records(self.workspace, self.channel).point(NAME))

    async def hold(self) -> Hold | None:
        """The hold of the channel."""
        return await open_records(self.workspace, self.channel).hold(NAME)

    async def said(self, letter: str) -> list[str]:
        """What was said of a version, in order."""
        digest = self.digest(letter)
        found = await open_records(self.workspace, self.channel).verdicts([digest])
        return [item.opinion for item in found[digest]]

    async def retag(self, letter: str) -> None:
        """Move the channel as another tool does: without a record."""
        records = open_records(self.workspace, self.channel, write=True)
        manifest = await records.manifest(self.digest(letter))
        await records.writer.push_manifest(records.repository, manifest, [NAME])


@asynccontextmanager
async def desk_at(site: Site) -> AsyncIterator[Desk]:
    """Open a workspace for a site; its actor is mia."""
    workspace = site.workspace()
    workspace.settings = replace(workspace.settings, actor="mia")
    try:
        yield Desk(site, workspace)
    finally:
        await workspace.close()


def checks(plan: ChannelPlan) -> dict[str, tuple[bool | None, str]]:
    """The checks of a plan by name."""
    return {item.check: (item.ok, item.detail) for item in plan.checks}

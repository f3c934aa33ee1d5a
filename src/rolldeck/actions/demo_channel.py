"""The demo's channel: ``production`` with a past, as it stands when something went wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rolldeck.actions.channel import recording
from rolldeck.actions.workspace import Workspace
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.release.channel import Entry, Recorded, Verdict, make_move

DEMO_CHANNEL = "production"

_MOVES = (
    ("v1.0.0", "mia", timedelta(days=17, hours=5), "first release"),
    ("v1.1.0", "mia", timedelta(days=9, hours=2), "shrinkage, fewer neighbours"),
    ("v2.0.0", "ci-bot", timedelta(minutes=35), "weekly retrain"),
)
"""Which version was promoted by whom, how long ago, and why."""


async def stage_channel(
    workspace: Workspace, repository: Reference, now: datetime | None = None
) -> None:
    """Record the example moves, dated back from ``now``, and that v1.1.0 was found good."""
    now = (now or datetime.now(UTC)).replace(microsecond=0)
    async with recording(workspace, "demo", repository) as records:
        last: Recorded | None = None
        for number, (tag, actor, ago, reason) in enumerate(_MOVES, 1):
            digest = (await workspace.resolve(repository.tagged(tag))).digest
            assert digest is not None
            entry = Entry(
                channel=DEMO_CHANNEL,
                number=number,
                verb="promote",
                from_digest=last.entry.to_digest if last else None,
                version=(await records.manifest(digest)).descriptor,
                actor=actor,
                time=now - ago,
                reason=reason,
                previous=last.digest if last else None,
                from_label=last.entry.to_label if last else None,
                to_label=tag,
            )
            last = await make_move(records, entry, Progress(), settle=0)
            if tag == "v1.1.0":
                time = entry.time + timedelta(days=1)
                await records.write_verdict(Verdict(entry.version, "good", "mia", time, "A/B test"))

"""What triage shows: a channel or a local target, its generations, and where to go back to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from rolldeck.actions.targets import TargetState
from rolldeck.oci import Digest, Reference
from rolldeck.release.channel import Chain, Hold, Opinion


@dataclass(frozen=True, slots=True)
class TriageRow:
    """One generation that took effect.

    ``active`` is how long it was live. ``missing`` counts the bytes that this host lacks of its
    version, None where that is not known. ``fits`` and ``signed`` are None where nobody looked;
    ``fit_line`` says why it fits this host or not.
    ``skipped`` says why it is not the last known good.
    """

    number: int
    digest: Digest | None
    label: str
    time: datetime
    actor: str
    verb: str
    active: timedelta
    reason: str | None = None
    verdict: Opinion | None = None
    verdict_by: str | None = None
    is_live: bool = False
    is_current: bool = False
    missing: int | None = None
    is_gone: bool = False
    fits: bool | None = None
    fit_line: str = ""
    signed: bool | None = None
    skipped: str | None = None

    @property
    def name(self) -> str:
        """Its name: ``g42``."""
        return f"g{self.number}"


@dataclass(frozen=True)
class Triage:
    """A channel, or a local target, as somebody on call wants to see it; rows newest first.

    ``good`` is the generation of the last known good version. ``read`` is when the registry said
    so; ``is_stale`` says that this is a memory, and ``problem`` why the registry did not answer.
    ``is_complete`` is False while more is being read. ``since`` is when the incident began.
    """

    channel: Reference | None
    target: Path | None
    now: datetime
    live: Digest | None
    live_label: str
    rows: tuple[TriageRow, ...]
    good: int | None
    why_good: str = ""
    summary: str | None = None
    drift: str | None = None
    pending: str | None = None
    chain: Chain = "ok"
    hold: Hold | None = None
    targets: tuple[TargetState, ...] = ()
    since: datetime | None = None
    read: datetime | None = None
    is_stale: bool = False
    is_complete: bool = True
    problem: str | None = None
    unpublished: tuple[str, ...] = field(default=())
    """Moves of this host that the registry was not told yet, in words."""

    @property
    def name(self) -> str:
        """What it is called: a channel's reference, or a directory."""
        return str(self.channel) if self.channel is not None else str(self.target)

    @property
    def short(self) -> str:
        """Its shortest name: the channel's tag, or the last part of the directory."""
        if self.channel is not None:
            return self.channel.tag or ""
        return self.target.name if self.target is not None else ""

    def row(self, number: int | None) -> TriageRow | None:
        """Return a generation by its number."""
        return next((item for item in self.rows if item.number == number), None)

    @property
    def live_row(self) -> TriageRow | None:
        """The generation that is live; None after drift."""
        return next((item for item in self.rows if item.is_live), None)

    @property
    def incident_row(self) -> TriageRow | None:
        """The generation that was live when the incident began."""
        if self.since is None:
            return None
        return next((item for item in self.rows if item.time <= self.since), None)

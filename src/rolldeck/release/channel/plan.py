"""Plans of a channel: where it goes, what was checked, and which marks belong to the move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rolldeck.oci import Descriptor, Digest, Reference
from rolldeck.release.channel.entry import ChannelVerb, Entry, Skipped
from rolldeck.release.channel.owed import Owed
from rolldeck.release.plan import Check


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """One move of a channel, ready to be shown and then carried out as it stands.

    ``channel`` is the reference of its tag, ``version`` what it goes to, ``generation`` the number
    that it will have. ``from_digest`` is what the tag names now, ``recorded`` what its journal
    says; ``previous`` is the digest of its newest entry. ``refers_to`` is the generation that a
    rollback returns to or an undo takes back. ``bytes_to_pull`` counts what this host lacks of the
    version; the move itself sends none of it. ``seconds`` is how long the move will take, as far as
    that can be told. ``owes`` is what the generation before did not come to set: it is set first.
    ``ends`` is the number of a move that was cut short, where the plan is only to end that one.
    ``labels`` are the short names of versions that are only mentioned. ``adopts`` is what was live
    before anything was recorded: it is recorded first, in the generation before this one.
    ``followers`` are the local targets of this host that follow the channel and go along.
    ``nonce`` is what the entry is known by where somebody has to recognise it later; None: any.
    """

    verb: ChannelVerb
    channel: Reference
    version: Descriptor
    to_label: str
    from_digest: Digest | None
    from_label: str | None
    recorded: Digest | None
    generation: int
    previous: Digest | None
    actor: str
    reason: str | None = None
    source: str | None = None
    refers_to: int | None = None
    hold_until: datetime | None = None
    marks_bad: Digest | None = None
    checks: tuple[Check, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    labels: Mapping[Digest, str] = field(default_factory=dict)
    bytes_to_pull: int | None = None
    seconds: float | None = None
    summary: str | None = None
    owes: Owed | None = None
    ends: int | None = None
    adopts: Digest | None = None
    nonce: str | None = None
    followers: tuple[Path, ...] = ()

    @property
    def to_digest(self) -> Digest:
        """The version that the channel goes to."""
        return self.version.digest

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return all(check.ok is not False for check in self.checks)

    @property
    def records(self) -> bool:
        """Whether carrying it out makes a generation; where not, all is as it would be."""
        return self.verb == "external" or self.from_digest != self.to_digest

    def entry(self, now: datetime) -> Entry:
        """Return what is recorded of the move."""
        start = self.recorded if self.verb == "external" else self.from_digest
        return Entry(
            channel=self.channel.tag or "",
            number=self.generation,
            verb=self.verb,
            from_digest=start,
            version=self.version,
            actor=self.actor,
            time=now,
            reason=self.reason,
            previous=self.previous,
            from_label=self.from_label,
            to_label=self.to_label,
            source=self.source,
            refers_to=self.refers_to,
            sets_hold=self.hold_until,
            marks_bad=self.marks_bad,
            checks=self.checks,
            skipped=self.skipped,
            **({"nonce": self.nonce} if self.nonce else {}),
        )

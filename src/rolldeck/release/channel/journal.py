"""The journal of a channel: its generations in order, read against what the channel points at.

A number is never used twice by one writer, but two may claim one at the same time: a fork. An
entry whose successor starts from the same version, and which has no keeper, took no effect: its
move was never made. Order is by number alone, since clocks differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

from rolldeck.oci import Digest
from rolldeck.release.channel.entry import Entry, Recorded

Chain = Literal["ok", "pruned", "broken", "forked"]

Outcome = Literal["made", "pending", "void", "rival"]
"""What became of an entry; a ``rival`` lost the number that it claimed."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A generation that took effect, with the moment that ended it; None for the newest."""

    entry: Entry
    until: datetime | None

    def length(self, now: datetime) -> timedelta:
        """Return how long its version was live."""
        return max((self.until or now) - self.entry.time, timedelta())


@dataclass(frozen=True, slots=True)
class Answer:
    """What a channel pointed at in the past; ``certain`` is False after an unrecorded move."""

    entry: Entry
    certain: bool


@dataclass(frozen=True)
class Journal:
    """The entries that were read, newest first, and what the channel points at now.

    ``more`` says that older ones were not read. ``rivals`` are further entries that claim a number
    which another one has. ``made`` are the numbers with a keeper, which is written after a move.
    ``unreadable`` are numbers whose tag names no entry that could be read.
    """

    channel: str
    live: Digest | None
    recorded: tuple[Recorded, ...]
    more: bool = False
    rivals: tuple[Recorded, ...] = ()
    made: frozenset[int] = frozenset()
    unreadable: frozenset[int] = frozenset()

    @property
    def newest(self) -> Recorded | None:
        """The entry with the highest number, whether or not its move was made."""
        return self.recorded[0] if self.recorded else None

    @property
    def next_number(self) -> int:
        """The number that the next generation claims."""
        newest = self.recorded[0].entry.number if self.recorded else 0
        return max(newest, *self.unreadable, 0) + 1

    @property
    def pending(self) -> Recorded | None:
        """The newest entry, where its move was not made: it may be finished or passed over."""
        newest = self.newest
        return newest if newest and self._undone(newest.entry, self.live) else None

    def _undone(self, entry: Entry, after: Digest | None) -> bool:
        """Whether what the channel pointed at afterwards shows that a move was never made."""
        return after == entry.from_digest != entry.to_digest and entry.number not in self.made

    @property
    def drift(self) -> bool:
        """Whether the channel points at something that no entry led to."""
        if self.newest is None:
            return False
        return self.pending is None and self.live != self.newest.entry.to_digest

    @cached_property
    def stays(self) -> tuple[Stay, ...]:
        """The generations that took effect, newest first."""
        found: list[Stay] = []
        successor: Entry | None = None
        for recorded in self.recorded:
            entry = recorded.entry
            after = self.live if successor is None else successor.from_digest
            if not self._undone(entry, after):
                found.append(Stay(entry, found[-1].entry.time if found else None))
            successor = entry
        return tuple(found)

    @property
    def current(self) -> Stay | None:
        """The generation that is live; None where there is none, or after drift."""
        return self.stays[0] if self.stays and self.stays[0].entry.to_digest == self.live else None

    @cached_property
    def chain(self) -> Chain:
        """Whether each entry names the one before it."""
        if self.rivals:
            return "forked"
        if self.unreadable:
            return "broken"
        for newer, older in zip(self.recorded, self.recorded[1:], strict=False):
            if newer.entry.number != older.entry.number + 1 or newer.entry.previous != older.digest:
                return "broken"
        if not self.recorded or self.more:
            return "ok"
        oldest = self.recorded[-1].entry
        if oldest.previous is not None:
            return "pruned"
        return "ok" if oldest.number == 1 else "broken"

    def at(self, moment: datetime) -> Answer | None:
        """Return what was live at a moment; None before the first entry that was read."""
        following: Entry | None = None
        for stay in self.stays:
            entry = stay.entry
            if entry.time <= moment:
                after = following.from_digest if following else self.live
                moved = following is not None and following.verb == "external"
                return Answer(entry, after == entry.to_digest and not moved)
            following = entry
        return None

    def outcome(self, entry: Entry) -> Outcome:
        """Tell what became of an entry that was read."""
        if any(item.entry == entry for item in self.rivals):
            return "rival"
        if self.pending is not None and self.pending.entry == entry:
            return "pending"
        return "made" if any(stay.entry == entry for stay in self.stays) else "void"

    def find(self, number: int) -> Recorded | None:
        """Return the entry with a number, among those that were read."""
        return next((item for item in self.recorded if item.entry.number == number), None)


def assemble(
    channel: str,
    live: Digest | None,
    entries: Sequence[Recorded],
    *,
    more: bool = False,
    rivals: Sequence[Recorded] = (),
    made: Iterable[int] = (),
    unreadable: Iterable[int] = (),
) -> Journal:
    """Put the entries of a channel, in any order, into its journal.

    An entry of another channel is none of this one: tags can be copied.
    """
    own = [item for item in entries if item.entry.channel == channel]
    own.sort(key=lambda item: item.entry.number, reverse=True)
    listed = {item.digest for item in own}
    others = [
        item
        for item in rivals
        if item.entry.channel == channel
        and item.digest not in listed
        and any(item.entry.number == known.entry.number for known in own)
    ]
    return Journal(
        channel, live, tuple(own), more, tuple(others), frozenset(made), frozenset(unreadable)
    )

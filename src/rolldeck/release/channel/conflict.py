"""What ends a move because somebody else was there: with all that is known of it, to be shown."""

from __future__ import annotations

from rolldeck.errors import BusyError
from rolldeck.oci import Digest
from rolldeck.release.channel.entry import Entry, Recorded
from rolldeck.units import short_digest


class ConflictError(BusyError):
    """A move met another one.

    ``mine`` is the entry of the move that failed. ``other`` is the entry of who was there, where
    one is known, and ``found`` what the channel pointed at when that was seen. ``written`` says
    that the channel was already written to when the conflict was seen.
    """

    def __init__(
        self,
        message: str,
        reference: str,
        mine: Entry,
        other: Recorded | None,
        found: Digest | None,
        *,
        written: bool,
    ) -> None:
        changed = "It was already written to" if written else "It was not changed"
        super().__init__(
            message,
            reference=reference,
            hint=f"{changed}. Look at it: rolldeck log {reference}",
        )
        self.mine = mine
        self.other = other
        self.found = found
        self.written = written


class LostRaceError(ConflictError):
    """Somebody else has the generation that was claimed, or a newer one."""

    def __init__(
        self,
        reference: str,
        mine: Entry,
        other: Recorded | None,
        found: Digest | None = None,
        *,
        written: bool = False,
    ) -> None:
        number = other.entry.number if other else mine.number
        super().__init__(
            f"{reference}: generation g{number} is another one: {told(other)}",
            reference,
            mine,
            other,
            found,
            written=written,
        )


class MovedError(ConflictError):
    """The channel does not point at what it should."""

    def __init__(
        self,
        reference: str,
        mine: Entry,
        other: Recorded | None,
        found: Digest | None,
        *,
        written: bool = False,
    ) -> None:
        now = short_digest(found) if found else "gone"
        super().__init__(
            f"{reference} moved under you: it is {now}, {told(other)}",
            reference,
            mine,
            other,
            found,
            written=written,
        )


def told(recorded: Recorded | None) -> str:
    """Say in a few words what is known of a move: ``g44, rollback by mia: f1 drop``."""
    if recorded is None:
        return "and nobody recorded by whom"
    entry = recorded.entry
    said = f": {entry.reason}" if entry.reason else ""
    to = entry.to_label or short_digest(entry.to_digest)
    return f"g{entry.number}, {entry.verb} to {to} by {entry.actor}{said}"

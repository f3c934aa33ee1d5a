"""Everything that was recorded of channels and local targets, and whether it holds together."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from textual import on

from rolldeck.errors import RolldeckError
from rolldeck.text import clean_line
from rolldeck.tui.messages import AuditRead
from rolldeck.tui.models.audit_lines import audit_lines
from rolldeck.tui.models.lines import Line
from rolldeck.tui.reads import read_audit
from rolldeck.tui.screens.reading_page import ReadingPage

if TYPE_CHECKING:
    from rolldeck.actions.audit import Audit


class AuditScreen(ReadingPage):
    """The audit of some places: channels, repositories (all of their channels), local targets."""

    def __init__(self, places: tuple[str, ...]) -> None:
        name = clean_line(places[0], 200)
        super().__init__(f"Audit · {name}", (name, "audit"))
        self._places = places
        self._audit: Audit | None = None

    def read(self) -> Coroutine[Any, Any, None]:
        """Return what audits."""
        for place in self._places:
            self.deck.log_line(self.deck.command_line("audit", place))
        return read_audit(self, self.deck.workspace, self._places)

    @on(AuditRead)
    def _audit_read(self, event: AuditRead) -> None:
        if isinstance(event.result, RolldeckError):
            self._audit = None
            self.ended("not read", event.result)
            return
        self._audit = event.result
        count = sum(len(place.rows) for place in self._audit.places)
        self.ended(f"{count} record{'s' if count != 1 else ''}")

    def lines(self, width: int) -> Sequence[Line]:
        """Return the page for a width."""
        if self._audit is None:
            return self.problem_lines(width)
        return audit_lines(self._audit, width)

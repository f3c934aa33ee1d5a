"""Help: the keys, made from the registry of commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rolldeck.commands import Scope
from rolldeck.tui.models.help_lines import help_lines
from rolldeck.tui.models.lines import Line
from rolldeck.tui.screens.page import PageScreen


class HelpScreen(PageScreen):
    """The keys of the screen it was opened on, then those of everywhere."""

    def __init__(self, scope: Scope, reasons: Mapping[str, str], *, read_only: bool) -> None:
        super().__init__("Help", ("help",))
        self._about: Scope = scope
        self._reasons = reasons
        self._read_only = read_only

    def lines(self, width: int) -> Sequence[Line]:
        """Return the page for a width."""
        return help_lines(self._about, width, self._reasons, self._read_only)

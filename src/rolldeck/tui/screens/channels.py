"""The channels of a repository: what each points at, since when, by whom."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from textual import on

from rolldeck.errors import RolldeckError
from rolldeck.oci import Reference
from rolldeck.tui.messages import ChannelsRead
from rolldeck.tui.models.channel_rows import channel_lines
from rolldeck.tui.models.lines import Line, Span, line
from rolldeck.tui.reads import read_channels
from rolldeck.tui.screens.reading_page import ReadingPage
from rolldeck.tui.widgets.cursor_view import CursorView
from rolldeck.tui.widgets.page_view import PageView

if TYPE_CHECKING:
    from rolldeck.actions import Workspace
    from rolldeck.actions.channel import Channel


class ChannelsScreen(ReadingPage):
    """A line for each channel; ``enter`` opens its triage."""

    def __init__(self, workspace: Workspace, repository: Reference) -> None:
        super().__init__("3 Channels", (repository.name, "channels"))
        self._workspace = workspace
        self._repository = repository
        self._channels: Sequence[Channel] | None = None

    def read(self) -> Coroutine[Any, Any, None]:
        """Return what reads and posts the result."""
        return read_channels(self, self._workspace, self._repository)

    @on(ChannelsRead)
    def _read(self, message: ChannelsRead) -> None:
        if isinstance(message.result, RolldeckError):
            self._channels = None
            self.ended("× not read", message.result)
            return
        self._channels = message.result
        self.deck.log_line(self.deck.command_line("channels", self._repository.name))
        count = len(self._channels)
        self.ended(f"{count} channel{'s' if count != 1 else ''} · enter opens triage")

    def lines(self, width: int) -> Sequence[Line]:
        """Return the page for a width."""
        if self._channels is None:
            lines = self.problem_lines(width)
            if self.problem is not None:
                lines.append(line(Span("   ! shows triage, from what was seen last.", "dim")))
            return lines
        return channel_lines(self._channels, width, self.deck.now())

    @on(CursorView.Opened)
    def _opened(self) -> None:
        self.action_triage_open()

    def action_triage_open(self) -> None:
        """Show triage of the channel under the cursor; of the repository where none was read."""
        number = self.query_one(PageView).cursor - 1
        if self._channels is None:
            self.deck.show_triage(self._repository)
        elif 0 <= number < len(self._channels):
            self.deck.show_triage(self._channels[number].reference)

    def action_pane_channels(self) -> None:
        """Go back: the key that opened the list closes it."""
        self.dismiss(None)

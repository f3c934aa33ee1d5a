"""A page of lines with a cursor that rests on some of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.timer import Timer

from rolldeck.tui.keymap import bindings
from rolldeck.tui.models.lines import Stop
from rolldeck.tui.widgets.line_view import LineView

PAINT_GAP = 0.1
"""Seconds between two paints of a moving cursor: more would queue up on a slow line."""


class CursorView(LineView, inherit_bindings=False):
    """Moves a cursor over the stops of a page.

    The cursor itself moves at once, so a command right after a key acts on the right row; only
    the painting of a fast series of moves is summed up.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("move")

    @dataclass
    class Highlighted(Message):
        """The cursor came to rest on another stop."""

        view: CursorView

        @property
        def control(self) -> CursorView:
            """The view that it happened in."""
            return self.view

    @dataclass
    class Opened(Message):
        """The stop under the cursor was opened."""

        view: CursorView

        @property
        def control(self) -> CursorView:
            """The view that it happened in."""
            return self.view

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.cursor = 0
        self._painted = 0
        self._paint_time = 0.0
        self._timer: Timer | None = None

    # What a view says of its stops.

    @property
    def stop_count(self) -> int:
        """How many places the cursor can rest on."""
        raise NotImplementedError

    def stop(self, index: int) -> Stop:
        """Return a place by its number."""
        raise NotImplementedError

    def stop_at(self, line: int, column: int) -> int | None:
        """Return the number of the place at a line and column."""
        for index in range(self.stop_count):
            stop = self.stop(index)
            end = stop.end if stop.end is not None else self.size.width
            if stop.line == line and stop.start <= column < end:
                return index
        return None

    # Drawing.

    def cursor_span(self, y: int) -> tuple[int, int | None] | None:
        """Return what the cursor covers of a line."""
        if not self.stop_count or self._painted >= self.stop_count:
            return None
        stop = self.stop(self._painted)
        return (stop.start, stop.end) if stop.line == y else None

    def rebuilt(self, cursor: int) -> None:
        """Draw everything again after the page changed, with the cursor on another number."""
        self.cursor = self._painted = max(min(cursor, self.stop_count - 1), 0)
        self.set_extent()
        if self.stop_count and self.is_mounted:
            self._show_cursor()

    @property
    def at_rest(self) -> bool:
        """Whether what is painted is where the cursor is."""
        return self._painted == self.cursor

    def _show_cursor(self) -> None:
        """Scroll to the cursor; at the first stop to the very top, so that heads are seen."""
        if self.cursor == 0:
            self.scroll_to(y=0, animate=False, force=True)
        else:
            self.show_line(self.stop(self.cursor).line)

    def _paint(self) -> None:
        self._timer = None
        self._paint_time = time.monotonic()
        if not self.stop_count:
            return
        before = min(self._painted, self.stop_count - 1)
        self._painted = self.cursor
        self._show_cursor()
        self.redraw_line(self.stop(before).line)
        self.redraw_line(self.stop(self.cursor).line)
        self.post_message(self.Highlighted(self))

    # Moving.

    def move_to(self, index: int) -> None:
        """Move the cursor to a place, as near as there is one."""
        index = max(min(index, self.stop_count - 1), 0)
        if index == self.cursor:
            return
        self.cursor = index
        wait = self._paint_time + PAINT_GAP - time.monotonic()
        if self._timer is None:
            if wait <= 0:
                self._paint()
            else:
                self._timer = self.set_timer(wait, self._paint)

    def _page(self) -> int:
        return max(self.size.height - 2, 1)

    def action_move_down(self) -> None:
        """Move down."""
        self.move_to(self.cursor + 1)

    def action_move_up(self) -> None:
        """Move up."""
        self.move_to(self.cursor - 1)

    def action_move_first(self) -> None:
        """Go to the first."""
        self.move_to(0)

    def action_move_last(self) -> None:
        """Go to the last."""
        self.move_to(self.stop_count - 1)

    def action_move_half_down(self) -> None:
        """Move down half a page."""
        self.move_to(self.cursor + max(self._page() // 2, 1))

    def action_move_half_up(self) -> None:
        """Move up half a page."""
        self.move_to(self.cursor - max(self._page() // 2, 1))

    def action_move_page_down(self) -> None:
        """Move down a page."""
        self.move_to(self.cursor + self._page())

    def action_move_page_up(self) -> None:
        """Move up a page."""
        self.move_to(self.cursor - self._page())

    def action_move_open(self) -> None:
        """Open what the cursor is on."""
        if self.stop_count:
            self.post_message(self.Opened(self))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse was clicked; a second click opens."""
        place = event.get_content_offset(self)
        if place is None:
            return
        index = self.stop_at(self.scroll_offset.y + place.y, place.x)
        if index is None:
            return
        self.move_to(index)
        if event.chain > 1:
            self.action_move_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll without animation, which would flood a slow line."""
        self._scroll_by(3, event)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll without animation, which would flood a slow line."""
        self._scroll_by(-3, event)

    def _scroll_by(self, lines: int, event: events.MouseEvent) -> None:
        event.stop()
        event.prevent_default()
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, force=True)

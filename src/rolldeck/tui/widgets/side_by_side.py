"""Both sides of a text file beside each other, or in one column where there is less room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from rolldeck.tui.keymap import bindings
from rolldeck.tui.models.lines import Line
from rolldeck.tui.models.text_lines import LONGEST_LINE, Frame, frame, head_line, text_line
from rolldeck.tui.models.text_rows import Layout, TextDiff, lay_out
from rolldeck.tui.widgets.line_view import TEXT_DIFFERENCE, LineView

SIDEWAYS = 8
"""Cells that one key moves the text to the side."""


class SideBySide(LineView, inherit_bindings=False):
    """Shows a ``TextDiff``; keys scroll it, and one change is marked as the current one."""

    COMPONENT_CLASSES: ClassVar[set[str]] = TEXT_DIFFERENCE

    BINDINGS: ClassVar[list[BindingType]] = bindings("move")

    @dataclass
    class ChangeReached(Message):
        """Another change became the current one, or the layout was made anew."""

        view: SideBySide

        @property
        def control(self) -> SideBySide:
            """The view that it happened in."""
            return self.view

    diff: reactive[TextDiff] = reactive(TextDiff(), repaint=False)
    """What is shown."""
    context: reactive[int] = reactive(3, repaint=False)
    """How many equal lines are kept around a change."""
    shift: reactive[int] = reactive(0)
    """How far the text is moved to the side, in cells."""

    def __init__(self, labels: tuple[str, str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._labels = labels
        self._arranged = Layout()
        self._frame = Frame(0, 3, 0, False)
        self.change = 0
        """Number of the current change."""

    # The page.

    @property
    def line_count(self) -> int:
        """The line that names the sides, and all shown lines."""
        return 1 + len(self._arranged.entries)

    def line_at(self, y: int) -> Line:
        """Return the names of the sides, or a line."""
        if y == 0:
            return head_line(self._labels, self._frame)
        changes = self._arranged.changes
        start, end = changes[self.change] if changes else (0, 0)
        entry = self._arranged.entries[y - 1]
        return text_line(self.diff, entry, self._frame, start <= y - 1 < end)

    def render_line(self, y: int) -> Strip:
        """Draw a line; the names of the sides stay at the top."""
        if y == 0:
            head = [Segment(span.text, self.look(span.look)) for span in self.line_at(0).spans]
            return Strip(head).adjust_cell_length(self.size.width, self.look("plain"))
        return super().render_line(y)

    @property
    def changes(self) -> int:
        """How many changes there are."""
        return len(self._arranged.changes)

    def watch_diff(self) -> None:
        """Show another difference, from its first change."""
        self.change = 0
        self._arrange()
        self._show_change()

    def watch_context(self) -> None:
        """Keep more or fewer equal lines; the current change stays in sight."""
        self._arrange()
        self._show_change()

    def watch_shift(self) -> None:
        """Move the text to the side."""
        self._frame = frame(self.diff, self.size.width, self.shift)

    def validate_shift(self, shift: int) -> int:
        """Keep the end of the longest line on the page."""
        return max(0, min(shift, min(self.diff.longest, LONGEST_LINE + 1) - self._frame.room))

    def validate_context(self, context: int) -> int:
        """Keep the context sensible."""
        return max(0, min(context, 1 << 20))

    def on_resize(self, event: events.Resize) -> None:
        """Lay the lines out for the new size."""
        self._arrange()
        self.call_after_refresh(self._show_change)

    def _arrange(self) -> None:
        if not self.size.width:
            return
        self._frame = frame(self.diff, self.size.width, self.shift)
        self._arranged = lay_out(self.diff, self.context, self._frame.unified)
        self.change = max(min(self.change, self.changes - 1), 0)
        self.set_extent()
        self.post_message(self.ChangeReached(self))

    # Changes.

    def next_change(self, step: int) -> bool:
        """Go to the next change, or to the one before; False where there is none."""
        wanted = self._beyond(step)
        if not 0 <= wanted < self.changes:
            self._show_change()
            return False
        before, self.change = self.change, wanted
        self._show_change()
        for number in (before, wanted):
            for entry in range(*self._arranged.changes[number]):
                self.redraw_line(entry + 1)
        self.post_message(self.ChangeReached(self))
        return True

    def _beyond(self, step: int) -> int:
        """Return the number of the change after or before what is looked at."""
        changes = self._arranged.changes
        top = self.scroll_offset.y
        bottom = top + self.size.height - 1
        if changes and not (changes[self.change][0] < bottom and changes[self.change][1] > top):
            if step > 0:
                return next(
                    (n for n, (start, _) in enumerate(changes) if start >= top), len(changes)
                )
            return max((n for n, (start, _) in enumerate(changes) if start < top), default=-1)
        return self.change + step

    def _show_change(self) -> None:
        """Scroll so that the current change is seen, with a few lines in front of it."""
        if self._arranged.changes:
            start, end = self._arranged.changes[self.change]
            last = min(end, start + max(self.size.height - 6, 1))
            self.show_line(start + 1, last, margin=min(self.context, 3) + 1)

    # Moving.

    def _scroll(self, lines: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, force=True)

    def action_move_down(self) -> None:
        """Scroll down a line."""
        self._scroll(1)

    def action_move_up(self) -> None:
        """Scroll up a line."""
        self._scroll(-1)

    def action_move_half_down(self) -> None:
        """Scroll down half a page."""
        self._scroll(max(self.size.height // 2, 1))

    def action_move_half_up(self) -> None:
        """Scroll up half a page."""
        self._scroll(-max(self.size.height // 2, 1))

    def action_move_page_down(self) -> None:
        """Scroll down a page."""
        self._scroll(max(self.size.height - 2, 1))

    def action_move_page_up(self) -> None:
        """Scroll up a page."""
        self._scroll(-max(self.size.height - 2, 1))

    def action_move_first(self) -> None:
        """Scroll to the first line."""
        self.scroll_to(y=0, animate=False, force=True)

    def action_move_last(self) -> None:
        """Scroll to the last line."""
        self.scroll_to(y=self.line_count, animate=False, force=True)

    def action_move_right(self) -> None:
        """Show what lies further to the right."""
        self.shift += SIDEWAYS

    def action_move_left(self) -> None:
        """Show what lies further to the left."""
        self.shift -= SIDEWAYS

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll without animation, which would flood a slow line."""
        event.stop()
        event.prevent_default()
        self._scroll(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll without animation, which would flood a slow line."""
        event.stop()
        event.prevent_default()
        self._scroll(-3)

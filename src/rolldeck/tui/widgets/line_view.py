"""A scrolling page of styled lines: only what is visible is ever drawn."""

from __future__ import annotations

from typing import ClassVar

from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from rolldeck.tui.models.lines import Line, Look

CURSOR_MARK = "▌"
"""Marks the line with the cursor, so that it is found without colours."""

TEXT_DIFFERENCE: set[str] = {
    "line--added",
    "line--removed",
    "line--added-part",
    "line--removed-part",
}
"""Looks that only views of text differences have: each costs every view time to style."""


class LineView(ScrollView, can_focus=True):
    """Draws ``line_at(y)`` for the visible lines and maps looks to the theme's colours."""

    DEFAULT_CSS = """
    LineView {
        overflow-y: auto;
        overflow-x: hidden;
        height: 1fr;
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "line--plain",
        "line--bright",
        "line--dim",
        "line--accent",
        "line--better",
        "line--worse",
        "line--changed",
        "line--cursor",
    }

    # What a view says of its content.

    def line_at(self, y: int) -> Line:
        """Return a line of the page; only asked for lines that exist."""
        raise NotImplementedError

    @property
    def line_count(self) -> int:
        """How many lines the page has."""
        raise NotImplementedError

    def cursor_span(self, y: int) -> tuple[int, int | None] | None:
        """Return which columns of a line the cursor covers, None where it is elsewhere."""
        return None

    # Drawing.

    def render(self) -> RenderableType:
        """Return nothing: every line comes from ``render_line``."""
        return ""

    def render_line(self, y: int) -> Strip:
        """Draw the line at row ``y`` of the visible part."""
        width = self.size.width
        index = self.scroll_offset.y + y
        if not 0 <= index < self.line_count:
            return Strip.blank(width, self.look("plain"))
        segments = [Segment(span.text, self.look(span.look)) for span in self.line_at(index).spans]
        strip = Strip(segments).crop_extend(0, width, self.look("plain"))
        span = self.cursor_span(index)
        return strip if span is None else self._with_cursor(strip, *span)

    def look(self, name: Look) -> Style:
        """Return the style of a look in the theme that is on."""
        return self.get_component_rich_style(f"line--{name}")

    def _with_cursor(self, strip: Strip, start: int, end: int | None) -> Strip:
        """Return a line with the cursor drawn over the columns from ``start`` to ``end``."""
        cursor = self.get_component_rich_style("line--cursor")
        ground = Style(bgcolor=cursor.bgcolor, reverse=cursor.reverse)
        width = strip.cell_length
        end = width if end is None else min(end, width)
        middle = strip.crop(start + 1, end)
        covered = [Segment(item.text, (item.style or Style()) + ground) for item in middle]
        mark = Strip([Segment(CURSOR_MARK, cursor)])
        parts = (strip.crop(0, start), mark, Strip(covered), strip.crop(end, width))
        return Strip.join(parts)

    # Scrolling: at once, since an animation floods a slow line.

    def set_extent(self) -> None:
        """Tell the scrollbar how long the page is, and draw it again."""
        self.virtual_size = Size(self.size.width, self.line_count)
        self.refresh()

    def show_line(self, y: int, last: int | None = None, margin: int = 1) -> None:
        """Scroll so that line ``y`` (to ``last``) is seen, with a margin, as little as possible."""
        height = self.size.height
        top = self.scroll_offset.y
        bottom = min((y if last is None else last) + margin, self.line_count - 1)
        if y - margin < top:
            top = max(y - margin, 0)
        elif bottom >= top + height:
            top = min(bottom - height + 1, max(y - margin, 0))
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True)

    def redraw_line(self, y: int) -> None:
        """Draw one line again if it is visible."""
        row = y - self.scroll_offset.y
        if 0 <= row < self.size.height:
            self.refresh(Region(0, row, self.size.width, 1))

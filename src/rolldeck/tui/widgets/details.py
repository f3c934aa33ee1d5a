"""The details of the selected version."""

from __future__ import annotations

from collections.abc import Hashable

from rolldeck.tui.models.details_page import DetailsPage, DetailsView, LayerTarget, details_page
from rolldeck.tui.models.lines import Line, Span, Stop, wrap
from rolldeck.tui.widgets.cursor_view import CursorView


class Details(CursorView):
    """Shows a ``DetailsView``; what is unfolded stays unfolded from version to version."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.view = DetailsView()
        self.placeholder = ""
        """What stands here while no version is selected."""
        self._built = DetailsPage()

    def show(self, view: DetailsView) -> None:
        """Show another version, or more of the same."""
        before, after = self.view.row, view.row
        keep = before is not None and after is not None and before.key == after.key
        self.view = view
        self._build(self.cursor if keep else 0)
        if not keep:
            self.scroll_to(y=0, animate=False, force=True)

    def set_placeholder(self, text: str) -> None:
        """Say what stands here while no version is selected."""
        if text != self.placeholder:
            self.placeholder = text
            self.set_extent()

    @property
    def section(self) -> str | None:
        """The id of the section under the cursor."""
        target = self._target
        return (
            None if target is None else "layers" if self.layer_number is not None else str(target)
        )

    @property
    def layer_number(self) -> int | None:
        """The number of the layer under the cursor."""
        target = self._target
        return target.number if isinstance(target, LayerTarget) else None

    @property
    def _target(self) -> Hashable:
        inside = 0 <= self.cursor < len(self._built.stops)
        return self._built.stops[self.cursor].target if inside else None

    def head_of(self, section: str) -> int:
        """Return the number of the stop at a section's head."""
        for index, stop in enumerate(self._built.stops):
            if stop.target == section:
                return index
        return 0

    def put_cursor(self, section: str) -> None:
        """Put the cursor on the head of a section, after it was folded or unfolded."""
        self.rebuilt(self.head_of(section))

    def _build(self, cursor: int) -> None:
        width = self.size.width
        self._built = details_page(self.view, width)
        if len(self._built.lines) > self.size.height:
            # The scrollbar stands over the last cells.
            self._built = details_page(self.view, width - self.styles.scrollbar_size_vertical)
        self.rebuilt(cursor)

    @property
    def stop_count(self) -> int:
        """How many places the cursor can rest on."""
        return len(self._built.stops)

    def stop(self, index: int) -> Stop:
        """Return a place by its number."""
        return self._built.stops[index]

    @property
    def line_count(self) -> int:
        """How many lines there are."""
        return len(self._built.lines) or len(self._words())

    def line_at(self, y: int) -> Line:
        """Return a line."""
        return self._built.lines[y] if self._built.lines else self._words()[y]

    def cursor_span(self, y: int) -> tuple[int, int | None] | None:
        """Return what the cursor covers; nothing while another pane has the keys."""
        return super().cursor_span(y) if self.has_focus else None

    def _words(self) -> list[Line]:
        texts = [
            text
            for part in self.placeholder.split("\n")
            for text in wrap(part, max(self.size.width - 4, 10))
        ]
        return [Line((Span("  "), Span(text, "dim"))) for text in texts]

    def on_resize(self) -> None:
        """Lay the lines out for the new width."""
        self._build(self.cursor)

    def on_focus(self) -> None:
        """Draw the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Take the cursor away."""
        self.refresh()

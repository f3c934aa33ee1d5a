"""The repositories, grouped by where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolldeck.tui.models.filter import Filter
from rolldeck.tui.models.lines import Line, Span, Stop, wrap
from rolldeck.tui.models.repository_rows import RepositoryLine, repository_lines
from rolldeck.tui.widgets.cursor_view import CursorView

if TYPE_CHECKING:
    from rolldeck.actions import RepositoryList as Listing
    from rolldeck.actions import RepositoryRow
    from rolldeck.oci import Reference


class RepositoryPane(CursorView):
    """Shows repositories under the head of their source; the cursor rests on repositories."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.listing: Listing | None = None
        self.shown: Reference | None = None
        """The repository whose versions are shown elsewhere."""
        self.filter_text = ""
        self.placeholder = ""
        """What stands where there are no repositories."""
        self._lines: list[RepositoryLine] = []
        self._stops: list[int] = []

    # Data in.

    def show(self, listing: Listing | None, shown: Reference | None) -> None:
        """Show other repositories, or the same after a refresh."""
        self.listing, self.shown = listing, shown
        self._build(self.selected)

    def set_filter(self, text: str) -> None:
        """Show only repositories that match."""
        if text != self.filter_text:
            self.filter_text = text
            self._build(self.selected)
            self.post_message(self.Highlighted(self))

    def set_placeholder(self, text: str) -> None:
        """Say what stands where there are no repositories."""
        self.placeholder = text
        self.set_extent()

    def select(self, reference: Reference) -> bool:
        """Put the cursor on a repository; False where it is not shown."""
        for index, number in enumerate(self._stops):
            row = self._lines[number].row
            if row is not None and row.reference == reference:
                self.rebuilt(index)
                self.post_message(self.Highlighted(self))
                return True
        return False

    # Data out.

    @property
    def row(self) -> RepositoryRow | None:
        """The repository under the cursor."""
        if 0 <= self.cursor < len(self._stops):
            return self._lines[self._stops[self.cursor]].row
        return None

    @property
    def selected(self) -> Reference | None:
        """The reference of the repository under the cursor."""
        return self.row.reference if self.row else None

    # The page.

    def _build(self, selected: Reference | None) -> None:
        width = max(self.size.width, 10)
        wanted = Filter.parse(self.filter_text, ("name", "source"))
        listing = self.listing
        self._lines = repository_lines(listing, wanted, width, self.shown) if listing else []
        self._stops = [number for number, item in enumerate(self._lines) if item.row is not None]
        cursor = 0
        for index, number in enumerate(self._stops):
            row = self._lines[number].row
            if row is not None and row.reference == selected:
                cursor = index
        self.rebuilt(cursor)

    @property
    def stop_count(self) -> int:
        """How many repositories are shown."""
        return len(self._stops)

    def stop(self, index: int) -> Stop:
        """Return where a repository is drawn."""
        return Stop(self._stops[index], index)

    @property
    def line_count(self) -> int:
        """All lines, or the words that stand for them."""
        return len(self._lines) + len(self._words())

    def line_at(self, y: int) -> Line:
        """Return a line."""
        return self._lines[y].line if y < len(self._lines) else self._words()[y - len(self._lines)]

    def _words(self) -> list[Line]:
        if self._stops:
            return []
        width = max(self.size.width - 2, 10)
        words = [text for part in self.placeholder.split("\n") for text in wrap(part, width)]
        lines = [Line((Span(" "), Span(text, "dim"))) for text in words]
        return [Line(), *lines] if self._lines else lines

    def on_resize(self) -> None:
        """Lay the lines out for the new width."""
        self._build(self.selected)

"""A screen with one page to read: help, a version's documents, the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen

from rolldeck.commands import Command, Scope, footer_commands
from rolldeck.tui.keymap import bindings
from rolldeck.tui.models.lines import Line
from rolldeck.tui.widgets.breadcrumb import Breadcrumb
from rolldeck.tui.widgets.filter_bar import FilterBar
from rolldeck.tui.widgets.key_footer import KeyFooter
from rolldeck.tui.widgets.page_view import PageView


class PageScreen(Screen[None]):
    """Shows lines under a title; ``/`` searches, ``esc`` goes back."""

    CSS_PATH = "page.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere", "move")

    scope: ClassVar[Scope] = "everywhere"
    """Whose keys are shown first in help."""

    def __init__(self, title: str, path: tuple[str, ...]) -> None:
        super().__init__()
        self._page_title = title
        self._path = path

    def lines(self, width: int) -> Sequence[Line]:
        """Return the page for a width."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Return the page between the top line and the keys."""
        crumb = Breadcrumb()
        crumb.path = self._path
        yield crumb
        page = PageView(id="page")
        page.border_title = Content(self._page_title)
        yield page
        yield FilterBar()
        footer = KeyFooter()
        footer.commands = self.footer()
        yield footer

    def footer(self) -> tuple[Command, ...]:
        """Return the commands of the footer."""
        return footer_commands("everywhere", ("view.refresh", "command.type", "move.open"))

    def on_mount(self) -> None:
        """Give the page the keys."""
        self.query_one(PageView).focus()

    def on_resize(self) -> None:
        """Lay the page out for the new width."""
        self.call_after_refresh(self.lay_out)

    def lay_out(self) -> None:
        """Make the lines again."""
        page = self.query_one(PageView)
        page.show(self.lines(max(page.size.width, 20)))

    # Searching.

    def action_filter_open(self) -> None:
        """Search in the page."""
        self.query_one(FilterBar).open(self.query_one(PageView).needle)

    @on(FilterBar.Changed)
    def _searched(self, event: FilterBar.Changed) -> None:
        page = self.query_one(PageView)
        count = page.search(event.text)
        self.query_one(FilterBar).set_count(count, page.line_count)

    @on(FilterBar.Left)
    def _search_left(self, event: FilterBar.Left) -> None:
        if not event.kept:
            self.query_one(FilterBar).close()
        self.query_one(PageView).focus()

    def action_hit_next(self) -> None:
        """Go to the next hit."""
        self._hit(1)

    def action_hit_previous(self) -> None:
        """Go to the hit before."""
        self._hit(-1)

    def _hit(self, step: int) -> None:
        if not self.query_one(PageView).next_hit(step):
            self.notify("Nothing found; / searches.", markup=False)

    def action_view_back(self) -> None:
        """Close the search, then the page."""
        bar = self.query_one(FilterBar)
        if bar.is_open:
            bar.action_clear()
        else:
            self.dismiss(None)

"""What the table and the plot of many versions share: they are read once, and have a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen

from rolldeck.commands import Scope, footer_commands
from rolldeck.compare import Entry, Matrix
from rolldeck.errors import RolldeckError
from rolldeck.oci import Reference
from rolldeck.text import clean_line
from rolldeck.tui.failures import told
from rolldeck.tui.messages import VersionsTabled
from rolldeck.tui.reads import read_table
from rolldeck.tui.widgets.breadcrumb import Breadcrumb
from rolldeck.tui.widgets.key_footer import KeyFooter
from rolldeck.tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from rolldeck.tui.app import Deck


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be shown: versions, or of a repository so many of the newest."""

    references: Sequence[Reference]
    last: int
    baseline: Reference | None = None
    title: str = ""
    """The way here."""


class ManyScreen(Screen[None]):
    """Many versions on one page; a subclass says how."""

    CSS_PATH = "compare.tcss"

    scope: ClassVar[Scope] = "table"
    """Whose keys are shown first in help."""
    heading: ClassVar[str] = ""
    unused: ClassVar[tuple[str, ...]] = ()
    """Commands that the footer leaves out: they do nothing here, or are known."""

    def __init__(self, wanted: Wanted, matrix: Matrix | None = None) -> None:
        """A ``matrix`` that was read already is shown at once."""
        super().__init__()
        self.wanted = wanted
        self.matrix = matrix

    def page(self) -> LineView:
        """Return the page, new."""
        raise NotImplementedError

    def show(self) -> None:
        """Show the matrix."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Lay out the way here, the page and the keys."""
        crumb = Breadcrumb()
        crumb.path = (self.wanted.title, self.heading)
        yield crumb
        page = self.page()
        page.add_class("page")
        page.border_title = Content(self.heading)
        page.border_subtitle = Content("reading …")
        yield page
        footer = KeyFooter()
        footer.commands = footer_commands(self.scope, hidden=self.unused)
        yield footer

    def on_mount(self) -> None:
        """Read what is to be shown."""
        if self.matrix is None:
            self._read()
        else:
            self.call_after_refresh(self.show)

    @work(exclusive=True, group="many", exit_on_error=False)
    async def _read(self) -> None:
        workspace = cast("Deck", self.app).workspace
        wanted = self.wanted
        self.post_message(
            await read_table(workspace, wanted.references, wanted.last, wanted.baseline)
        )

    @on(VersionsTabled)
    def _tabled(self, message: VersionsTabled) -> None:
        if isinstance(message.result, RolldeckError):
            self.say(f"could not be read: {clean_line(message.result.message, 300)}")
            self.notify(told(message.result), severity="error", markup=False)
            return
        self.matrix = message.result.matrix
        self.show()

    def say(self, text: str) -> None:
        """Say something at the bottom of the page."""
        self.query_one(LineView).border_subtitle = Content(text)

    def set_baseline(self, entry: int) -> None:
        """Make an entry the baseline, or take that back."""
        if self.matrix is not None:
            baseline = None if self.matrix.baseline == entry else entry
            self.matrix = replace(self.matrix, baseline=baseline)

    def copy_line(self, verb: str, *options: str) -> None:
        """Copy the command line that shows the same."""
        words = [str(reference) for reference in self.wanted.references]
        if self.matrix is not None and self.matrix.baseline is not None:
            options = (*options, "--baseline", self.matrix.entries[self.matrix.baseline].reference)
        if not any(item.tag or item.digest for item in self.wanted.references):
            options = (*options, "--last", str(self.wanted.last))
        deck = cast("Deck", self.app)
        deck.copy(deck.command_line(verb, *words, *options))

    def compare(self, one: Entry, other: Entry) -> None:
        """Compare two versions, the older or the baseline first."""
        deck = cast("Deck", self.app)
        if deck.browser is not None:
            deck.browser.compare(Reference.parse(one.reference), Reference.parse(other.reference))

    def action_view_back(self) -> None:
        """Go back to where this was asked for."""
        self.dismiss(None)

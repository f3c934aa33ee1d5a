"""Compare: what two versions differ in, on one page."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.worker import get_current_worker

from rolldeck.commands import Scope, footer_commands
from rolldeck.compare import NO_DIRECTIONS, Comparison, Directions, Matrix, Version, compare
from rolldeck.errors import RolldeckError
from rolldeck.oci import Reference
from rolldeck.text import clean_line
from rolldeck.tui.comparison_direction import directed, direction_words, remember_direction
from rolldeck.tui.comparison_texts import ComparisonTexts
from rolldeck.tui.dialogs.line import LineDialog
from rolldeck.tui.keymap import bindings
from rolldeck.tui.messages import FileOfBothRead, VersionsTabled
from rolldeck.tui.models.comparison_history import VERSIONS, history_of
from rolldeck.tui.models.comparison_state import Target, border_note
from rolldeck.tui.models.file_texts import FileChanges, FilePair, count_changes
from rolldeck.tui.reads import read_before, read_both
from rolldeck.tui.widgets.breadcrumb import Breadcrumb
from rolldeck.tui.widgets.comparison_view import ComparisonView
from rolldeck.tui.widgets.key_footer import KeyFooter
from rolldeck.units import fraction

if TYPE_CHECKING:
    from rolldeck.tui.app import Deck

_NOT_HERE = ("move.open", "filter.open", "command.type", "view.refresh", "deck.quit")
"""Commands that the footer leaves out: they do nothing here, or are known."""


class CompareScreen(Screen[None]):
    """Two versions side by side; what got worse comes first, what is equal is hidden."""

    CSS_PATH = "compare.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere", "compare")
    AUTO_FOCUS = "ComparisonView"

    scope: ClassVar[Scope] = "compare"
    """Whose keys are shown first in help."""

    @dataclass
    class FilesCompared(Message):
        """The text of the changed files of a comparison was compared."""

        comparison: Comparison
        changes: FileChanges

    @dataclass
    class Recompared(Message):
        """The comparison was made again: sides swapped, another tolerance, another direction."""

        comparison: Comparison
        a: Version
        b: Version
        remarks: tuple[str, str]

    def __init__(
        self,
        comparison: Comparison,
        a: Version,
        b: Version,
        *,
        directions: Directions = NO_DIRECTIONS,
        remarks: tuple[str, str] = ("", ""),
        before: tuple[Reference, ...] = (),
    ) -> None:
        """``directions`` is what the user says of metrics, by which ``comparison`` was made.

        ``remarks`` is what else is known of A and B: ``good · baseline``, ``production``;
        ``before`` are the newer of both and the versions before it, newest first.
        """
        super().__init__()
        self.comparison = comparison
        self.a = a
        self.b = b
        self._tolerance = comparison.tolerance
        self._directions = directions
        self._remarks = remarks
        self._texts = ComparisonTexts(self)
        self._before = before
        self.matrix: Matrix | None = None
        """The versions before by metric and parameter, once they were read."""

    def compose(self) -> ComposeResult:
        """Lay out the way here, the page and the keys."""
        yield Breadcrumb()
        page = ComparisonView(self.comparison, self._remarks, id="comparison")
        page.add_class("page")
        page.border_title = Content("Compare")
        yield page
        footer = KeyFooter()
        writing = ("compare.export",) if self._read_only else ()
        footer.commands = footer_commands("compare", hidden=(*_NOT_HERE, *writing))
        yield footer

    def on_mount(self) -> None:
        """Say what is shown, and look at the files that differ."""
        self._describe()
        self._compare_files(self.comparison, self._texts.files)
        self._read_before()

    @property
    def _read_only(self) -> bool:
        """Whether the deck writes nothing: no export, and a direction is for this screen only."""
        return bool(getattr(self.app, "read_only", False))

    @property
    def _page(self) -> ComparisonView:
        return self.query_one(ComparisonView)

    def _describe(self) -> None:
        """Say at the top which versions these are, and at the bottom what is hidden."""
        a, b = self.comparison.a, self.comparison.b
        places = [_repository(side.reference) for side in (a, b)]
        path: tuple[str, ...]
        if places[0] == places[1]:
            path = (places[0], f"{a.label} ↔ {b.label}")
        else:
            path = (f"{places[0]} {a.label} ↔ {places[1]} {b.label}",)
        self.query_one(Breadcrumb).path = path
        self._page.border_subtitle = Content(border_note(self.comparison, self._page.looking))

    # Workers.

    @work(thread=True, exclusive=True, group="files", exit_on_error=False)
    def _compare_files(self, comparison: Comparison, files: Mapping[Target, FilePair]) -> None:
        worker = get_current_worker()
        changes = count_changes(files, lambda: worker.is_cancelled)
        if not worker.is_cancelled:
            self.post_message(self.FilesCompared(comparison, changes))

    @work(exclusive=True, group="before", exit_on_error=False)
    async def _read_before(self) -> None:
        workspace = getattr(self.app, "workspace", None)
        if workspace is not None:
            self.post_message(await read_before(workspace, self._before, self.b.reference))

    @work(exclusive=True, group="file", exit_on_error=False)
    async def _read_file(self, path: str) -> None:
        workspace = cast("Deck", self.app).workspace
        how = (self._tolerance, self._directions, self.comparison.policy)
        self.post_message(await read_both(workspace, path, self.a, self.b, *how))

    def _again(self) -> None:
        """Compare the same sides again."""
        self._compare(self.a, self.b, self._remarks, self._tolerance, self._directions)

    @work(thread=True, exclusive=True, group="again", exit_on_error=False)
    def _compare(
        self,
        a: Version,
        b: Version,
        remarks: tuple[str, str],
        tolerance: float,
        directions: Directions,
    ) -> None:
        comparison = compare(a, b, tolerance, directions, self.comparison.policy)
        if not get_current_worker().is_cancelled:
            self.post_message(self.Recompared(comparison, a, b, remarks))

    @work(thread=True, group="direction", exit_on_error=False)
    def _remember(self, metric: str) -> None:
        # Read here: of several quick presses the last one counts, whichever thread is last.
        problem = remember_direction(self._directions, metric, (self.a, self.b))
        if problem is not None:
            said = f"Not remembered: {problem}"
            self.app.call_from_thread(self.notify, said, severity="warning", markup=False)

    # What workers and the page say.

    @on(FilesCompared)
    def _files_compared(self, message: FilesCompared) -> None:
        if message.comparison is self.comparison:
            self._page.changes = message.changes

    @on(VersionsTabled)
    def _versions_before_read(self, message: VersionsTabled) -> None:
        # Without them the page still shows everything else.
        if not isinstance(message.result, RolldeckError):
            self.matrix = message.result.matrix
            self._page.history = history_of(self.matrix)

    @on(FileOfBothRead)
    def _file_read(self, message: FileOfBothRead) -> None:
        if isinstance(message.result, RolldeckError):
            self.notify(message.result.message, severity="warning", markup=False)
            return
        comparison, a, b = message.result
        self._recompared(self.Recompared(comparison, a, b, self._remarks))
        pair = self._texts.of_path(message.path)
        if pair is not None:
            self._texts.show(pair)

    @on(Recompared)
    def _recompared(self, message: Recompared) -> None:
        self.comparison, self.a, self.b = message.comparison, message.a, message.b
        self._texts = ComparisonTexts(self)
        self._remarks = message.remarks
        self._page.show(self.comparison, self._remarks)
        self._describe()
        self._compare_files(self.comparison, self._texts.files)

    @on(ComparisonView.Opened)
    def _opened(self, message: ComparisonView.Opened) -> None:
        message.stop()
        target = self._page.target
        if target is None:
            return
        if target.key is None:
            self.action_compare_fold()
        elif self._texts.at(target) is not None or self._texts.unread(target) is not None:
            self.action_compare_text()
        else:
            self.notify("This row has no text to open; z folds its section", markup=False)

    # Actions.

    def action_compare_equal(self) -> None:
        """Show only differences, or all rows."""
        looking = self._page.looking
        self._page.looking = replace(looking, only_differences=not looking.only_differences)
        self._describe()

    def action_compare_relative(self) -> None:
        """Show differences as per cent or as numbers."""
        looking = self._page.looking
        self._page.looking = replace(looking, relative=not looking.relative)
        self._describe()

    def action_compare_swap(self) -> None:
        """Swap the two sides."""
        remarks = (self._remarks[1], self._remarks[0])
        self._compare(self.b, self.a, remarks, self._tolerance, self._directions)

    def action_compare_direction(self) -> None:
        """Say which way of the metric under the cursor is good: the next of the choices."""
        target = self._page.target
        row = self.comparison.row(target.section, target.key) if target and target.key else None
        if row is None or row.metric is None:
            self.notify("b sets the good direction of a metric: go to one", markup=False)
            return
        self._directions = directed(self._directions, row.metric)
        self._again()
        said = direction_words(self._directions, row.metric)
        self.notify(f"{clean_line(row.metric, 60)}: {said}", markup=False)
        if not self._read_only:
            self._remember(row.metric)

    def action_compare_tolerance(self) -> None:
        """Ask for the tolerance, then compare again."""

        def read(text: str) -> float:
            try:
                return fraction(text)
            except ValueError:
                raise ValueError("A percentage such as 0.1 %, or a fraction below 1") from None

        def answered(tolerance: float | None) -> None:
            if tolerance is not None:
                self._tolerance = tolerance
                self._again()

        proposal = f"{self._tolerance * 100:g} %"
        words = "Metrics that move by no more of their value count as equal; 0 for none."
        self.app.push_screen(LineDialog("Tolerance", proposal, words, read), answered)

    def action_compare_export(self) -> None:
        """Write the comparison into a file."""
        # Imported late: most comparisons are only looked at.
        from rolldeck.tui.comparison_export import ComparisonExport

        ComparisonExport(self).ask()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Take away what writes, in a read-only deck."""
        if action == "compare_export" and self._read_only:
            return False
        return super().check_action(action, parameters)

    @property
    def only_differences(self) -> bool:
        """Whether equal rows are hidden."""
        return self._page.looking.only_differences

    def action_compare_fold(self) -> None:
        """Fold or unfold the section under the cursor."""
        target = self._page.target
        if target is not None:
            self._page.fold(target.section)
            self._describe()

    def action_compare_fold_all(self) -> None:
        """Fold or unfold all sections."""
        self._page.fold_all()
        self._describe()

    def action_compare_text(self) -> None:
        """Show the text of the file under the cursor, else of one of those that differ."""
        pair, path = self._texts.at(self._page.target), self._texts.unread(self._page.target)
        if pair is not None:
            self._texts.show(pair)
        elif path is not None:
            self.notify(f"Reading {clean_line(path, 200)}", markup=False)
            self._read_file(path)
        else:
            self._texts.choose()

    def action_compare_table(self) -> None:
        """Show both versions and those before by metric and parameter."""
        from rolldeck.tui.screens.many import Wanted
        from rolldeck.tui.screens.table import TableScreen

        wanted = Wanted(*self._wanted())
        self.app.push_screen(TableScreen(wanted))

    def action_compare_plot(self) -> None:
        """Draw the metric under the cursor over both versions and those before."""
        from rolldeck.tui.screens.many import Wanted
        from rolldeck.tui.screens.plot import PlotScreen

        target = self._page.target
        metric = target.key if target is not None and target.section == "metrics" else None
        self.app.push_screen(PlotScreen(Wanted(*self._wanted()), metric=metric))

    def _wanted(self) -> tuple[list[Reference], int, Reference, str]:
        """Return what a table and a plot show from here: A is their baseline."""
        a, b = Reference.parse(self.a.reference), Reference.parse(self.b.reference)
        known = {item.digest for item in self._before}
        first = [] if b.digest in known else [b]
        return [*first, *self._before], VERSIONS, a, _repository(self.b.reference)

    def action_compare_copy(self) -> None:
        """Copy the command line that shows the same."""
        a, b = self.comparison.a.reference, self.comparison.b.reference
        # The deck's own ways also name its library, reach tmux, and say what was copied.
        in_words = getattr(
            self.app, "command_line", lambda *words: shlex.join(("rolldeck", *words))
        )
        words = ["--tolerance", f"{self._tolerance * 100:g}%"] if self._tolerance else []
        line = in_words("diff", a, b, *words)
        copy = getattr(self.app, "copy", self.app.copy_to_clipboard)
        copy(line)

    def action_hit_next(self) -> None:
        """Go to the next difference."""
        if not self._page.move_to_difference(1):
            self.notify("No difference below", markup=False)

    def action_hit_previous(self) -> None:
        """Go to the difference before."""
        if not self._page.move_to_difference(-1):
            self.notify("No difference above", markup=False)

    def action_view_back(self) -> None:
        """Go back to where the comparison was asked for."""
        self.dismiss(None)


def _repository(reference: str) -> str:
    """Return a reference without its tag and digest, for the way here."""
    name = clean_line(reference).partition("@")[0]
    head, slash, tail = name.rpartition("/")
    return f"{head}{slash}{tail.partition(':')[0]}"

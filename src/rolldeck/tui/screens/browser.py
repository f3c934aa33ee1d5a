"""The deck's main screen: repositories, versions, details."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from rolldeck.commands import COMMANDS, Scope, command
from rolldeck.errors import RolldeckError
from rolldeck.oci import Reference
from rolldeck.tui.errands import Errands, failed, spoken
from rolldeck.tui.keymap import bindings
from rolldeck.tui.messages import (
    ChangesSummed,
    FitJudged,
    HeadlinesRead,
    JobFinished,
    PlanMade,
    RepositoriesListed,
    TargetsRead,
    VersionRead,
    VersionsCompared,
    VersionsListed,
)
from rolldeck.tui.models.deck_state import DeckState
from rolldeck.tui.screens.browser_painter import Painter
from rolldeck.tui.screens.browser_reading import Reading
from rolldeck.tui.widgets.breadcrumb import Breadcrumb
from rolldeck.tui.widgets.cursor_view import CursorView
from rolldeck.tui.widgets.details import Details
from rolldeck.tui.widgets.filter_bar import FilterBar
from rolldeck.tui.widgets.job_bar import JobBar
from rolldeck.tui.widgets.key_footer import KeyFooter
from rolldeck.tui.widgets.repository_list import RepositoryPane
from rolldeck.tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from rolldeck.actions import VersionRow, Workspace
    from rolldeck.tui.app import Deck

PANES = ("repositories", "versions", "details")
"""The panes from left to right, by their ids."""

_CHANGING = {item.action for item in COMMANDS if item.danger != "look"}


class BrowserScreen(Screen[None]):
    """Three panes where the terminal is wide, one at a time where it is not."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere", "move", "browse")
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-tiny"),
        (60, "-narrow"),
        (100, "-wide"),
    ]
    AUTO_FOCUS = ""

    scope: ClassVar[Scope] = "browse"
    """Whose keys are shown first in help."""

    def __init__(
        self,
        workspace: Workspace,
        open_reference: str | None,
        *,
        now: Callable[[], datetime],
        waits: bool = False,
    ) -> None:
        """With ``waits`` nothing is read before the screen comes to the front again."""
        # Given before the first layout, since a class given later styles every widget again.
        super().__init__(classes="-versions" if open_reference else "-repositories")
        self.state = DeckState()
        self.errands = Errands(self, workspace)
        self.painter = Painter(self, self.state, now)
        self.reading = Reading(self, workspace, self.state, self.painter)
        self._open_reference = open_reference
        self._waits = waits
        self._was_covered = False

    def compose(self) -> ComposeResult:
        """Return the panes between the top line and the keys."""
        yield Breadcrumb()
        with Horizontal(id="panes"):
            yield RepositoryPane(id="repositories").add_class("pane")
            with Vertical(id="right"):
                yield VirtualTable(id="versions").add_class("pane")
                yield Details(id="details").add_class("pane")
        yield FilterBar()
        yield JobBar()
        yield KeyFooter()

    def on_mount(self) -> None:
        """Start reading; with a reference, at its versions."""
        self.show_pane("versions" if self._open_reference else "repositories")
        if not self._waits:
            self.reading.start(self._open_reference)

    def on_screen_resume(self) -> None:
        """Start reading where that waited for another screen to go."""
        if self._waits and len(self.app.screen_stack) == 1 and self._was_covered:
            self._waits = False
            self.reading.start(self._open_reference)

    def on_screen_suspend(self) -> None:
        """Note that another screen is in front."""
        self._was_covered = True

    @property
    def deck(self) -> Deck:
        """The app, as what it is."""
        return cast("Deck", self.app)

    @property
    def row(self) -> VersionRow | None:
        """The selected version."""
        return self.state.row(self.query_one(VirtualTable).selected_key)

    @property
    def pane(self) -> str:
        """The id of the pane that has the keys, or had them before a line was typed."""
        return next((name for name in PANES if self.has_class(f"-{name}")), PANES[0])

    def show_pane(self, name: str) -> None:
        """Give a pane the keys; where there is room for one only, show it."""
        if name == "repositories":
            self.remove_class("-whole")
        for other in PANES:
            self.set_class(other == name, f"-{other}")
        self.query_one(f"#{name}").focus()
        self.painter.frame()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Follow the focus, which a click may have moved."""
        if event.widget.id in PANES and event.widget.id != self.pane:
            self.show_pane(event.widget.id)

    def on_resize(self) -> None:
        """Say in the frame what fits."""
        self.call_after_refresh(self.painter.frame)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Take away what changes anything in a read-only deck."""
        if action in _CHANGING and self.deck.read_only:
            return False
        return super().check_action(action, parameters)

    def reasons(self) -> dict[str, str]:
        """Return by command id why it does not apply right now."""
        missing = {item.id: item.when for item in COMMANDS if item.scope == "browse" and item.when}
        if self.row is not None:
            for identifier in list(missing):
                if identifier.startswith("version.") or identifier == "target.pin":
                    del missing[identifier]
        if self.state.pair(self.row) is None:
            missing["version.diff"] = command("version.diff").when
        else:
            missing.pop("version.diff", None)
        if self.state.targets_here():
            missing.pop("target.rollback", None)
            missing.pop("target.undo", None)
        return missing

    def known_references(self) -> list[str]:
        """Return references to suggest, the selected one first."""
        rows = [self.row] if self.row else []
        if self.state.listing is not None:
            rows += list(self.state.listing.rows[:200])
        names = [spoken(row.reference) for row in rows]
        return list(dict.fromkeys([*names, *self.known_repositories()]))

    def known_repositories(self) -> list[str]:
        """Return all repositories listed so far."""
        listing = self.state.repositories
        return [row.reference.name for row in listing.rows] if listing else []

    def open(self, reference: Reference) -> None:
        """Show the versions of a repository, or the repositories of a place."""
        self.show_pane(self.reading.open(reference))

    # What was read.

    @on(RepositoriesListed)
    def _repositories_listed(self, event: RepositoriesListed) -> None:
        self.reading.repositories_listed(event)

    @on(VersionsListed)
    def _versions_listed(self, event: VersionsListed) -> None:
        self.reading.versions_listed(event)

    @on(VersionRead)
    def _version_read(self, event: VersionRead) -> None:
        self.reading.version_read(event)

    @on(ChangesSummed)
    def _changes_summed(self, event: ChangesSummed) -> None:
        self.reading.changes_summed(event)

    @on(FitJudged)
    def _fit_judged(self, event: FitJudged) -> None:
        self.reading.fit_judged(event)

    @on(HeadlinesRead)
    def _headlines_read(self, event: HeadlinesRead) -> None:
        self.state.headlines = event.headlines
        if self.state.headline is not None:
            self.painter.versions()

    @on(TargetsRead)
    def _targets_read(self, event: TargetsRead) -> None:
        self.reading.targets_read(event)

    @on(JobFinished)
    def _job_finished(self, event: JobFinished) -> None:
        self.reading.job_finished(event.job)

    @on(PlanMade)
    def _plan_made(self, event: PlanMade) -> None:
        if isinstance(event.result, RolldeckError):
            failed(self, event.result)
        else:
            self.errands.show_plan(event.result)

    @on(VersionsCompared)
    def _versions_compared(self, event: VersionsCompared) -> None:
        self.painter.say("")
        if isinstance(event.result, RolldeckError):
            failed(self, event.result)
            return
        # Imported late: a deck that compares nothing does not pay for it.
        from rolldeck.tui.models.comparison_history import VERSIONS
        from rolldeck.tui.screens.compare import CompareScreen

        self.deck.log_line(self.deck.command_line("diff", str(event.a), str(event.b)))
        found = event.result
        self.state.marks = []
        self.painter.marks()
        digests = (found.a.kit.digest, found.b.kit.digest)
        screen = CompareScreen(
            found.comparison,
            found.a,
            found.b,
            directions=found.directions,
            remarks=(self.state.remark(digests[0]), self.state.remark(digests[1])),
            before=self.state.before(digests, VERSIONS),
        )
        self.app.push_screen(screen)

    # Where the cursor is.

    @on(CursorView.Highlighted, "#repositories")
    def _repository_highlighted(self) -> None:
        self.reading.choose(self.query_one(RepositoryPane).selected)

    @on(CursorView.Highlighted, "#versions")
    def _version_highlighted(self) -> None:
        self.reading.select()

    @on(CursorView.Opened, "#repositories")
    def _repository_opened(self) -> None:
        self.reading.load_chosen()
        self.show_pane("versions")

    @on(CursorView.Opened, "#versions")
    def _version_opened(self) -> None:
        self.show_pane("details")

    @on(CursorView.Opened, "#details")
    def _section_opened(self) -> None:
        layer = self.query_one(Details).layer_number
        version = self.state.version(self.row.digest) if self.row is not None else None
        if layer is None or version is None:
            self.reading.toggle_section()
            return
        # Imported late: only who looks into a layer pays for it.
        from rolldeck.tui.screens.files import FilesScreen

        self.app.push_screen(FilesScreen(version, version.kit.layers[layer]))

    @on(CursorView.Highlighted, "#details")
    def _detail_highlighted(self) -> None:
        self.painter.frame()

    @on(VirtualTable.Arranged)
    def _arranged(self) -> None:
        self.painter.frame()

    @on(FilterBar.Changed)
    def _filter_changed(self, event: FilterBar.Changed) -> None:
        self.painter.filter(event.text)

    @on(FilterBar.Left)
    def _filter_left(self, event: FilterBar.Left) -> None:
        if not event.kept:
            self.query_one(FilterBar).close()
        self.show_pane(self.pane)

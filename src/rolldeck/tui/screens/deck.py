"""The main screen with its commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rolldeck.actions import headline_name
from rolldeck.commands import command
from rolldeck.errors import UsageError
from rolldeck.oci import Reference
from rolldeck.tui.errands import failed, spoken
from rolldeck.tui.models.deck_state import repository_of
from rolldeck.tui.reads import remember_metric
from rolldeck.tui.screens.browser import PANES, BrowserScreen
from rolldeck.tui.typed_errands import run_typed
from rolldeck.tui.widgets.details import Details
from rolldeck.tui.widgets.filter_bar import FilterBar
from rolldeck.tui.widgets.repository_list import RepositoryPane
from rolldeck.tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from rolldeck.actions import VersionRow
    from rolldeck.tui.models.typed import Typed

TABLED = 20
"""Versions of a repository in a table of the deck."""

PLOTTED = 60
"""Versions of a repository in a plot of the deck."""


class DeckScreen(BrowserScreen):
    """The browser, told what to do: one method per command, named after it."""

    def run_typed(self, typed: Typed) -> None:
        """Run a typed command; an argument that cannot be is told of."""
        try:
            run_typed(self, self.errands, self.deck.workspace, typed)
        except UsageError as error:
            failed(self, error)

    # Triage.

    def action_triage_open(self) -> None:
        """Show triage of the channel that the selected version is in, else of the repository.

        Without a repository it is that of a local target of this host.
        """
        repository = self.state.repository
        if repository is None:
            self._triage_target()
            return
        channel = next(iter(self.row.badges), None) if self.row is not None else None
        if self.pane == "repositories":
            channel = None
        self.deck.show_triage(repository.tagged(channel) if channel else repository)

    def _triage_target(self) -> None:
        """Show triage of a local target; asks which one where there are several."""
        paths = [str(item.path) for item in self.state.targets]

        def go(number: int | None) -> None:
            if number is not None:
                self.deck.show_triage(paths[number])

        if not paths:
            self.notify(f"Not now: {command('triage.open').when}.", markup=False)
        elif len(paths) == 1:
            go(0)
        else:
            from rolldeck.tui.dialogs.choose import ChooseDialog

            self.app.push_screen(ChooseDialog("Triage: which target?", paths), go)

    def action_pane_channels(self) -> None:
        """List the channels of the selected repository."""
        from rolldeck.tui.screens.channels import ChannelsScreen

        if self.state.repository is None:
            self.notify(f"Not now: {command('pane.channels').when}.", markup=False)
        else:
            self.app.push_screen(ChannelsScreen(self.deck.workspace, self.state.repository))

    # Panes.

    def action_pane_next(self) -> None:
        """Go to the next pane."""
        self.show_pane(PANES[(PANES.index(self.pane) + 1) % len(PANES)])

    def action_pane_previous(self) -> None:
        """Go to the pane before."""
        self.show_pane(PANES[(PANES.index(self.pane) - 1) % len(PANES)])

    def action_pane_repositories(self) -> None:
        """Go to the repositories."""
        self.show_pane("repositories")

    def action_pane_versions(self) -> None:
        """Go to the versions."""
        self.show_pane("versions")

    def action_move_left(self) -> None:
        """Go to the pane at the left."""
        self.show_pane(PANES[max(PANES.index(self.pane) - 1, 0)])

    def action_move_right(self) -> None:
        """Go to the pane at the right."""
        if self.pane == "repositories":
            self.reading.load_chosen()
        self.show_pane(PANES[min(PANES.index(self.pane) + 1, len(PANES) - 1)])

    def action_view_back(self) -> None:
        """Empty the filter, then go to the pane before."""
        bar = self.query_one(FilterBar)
        if bar.is_open or self.painter.filter_text:
            self.painter.filter("")
            bar.close()
            self.show_pane(self.pane)
        elif self.pane == "repositories":
            self.notify("This is the first pane; q quits.", markup=False)
        else:
            self.action_move_left()

    def action_view_wide(self) -> None:
        """Give the versions the whole width, and back."""
        whole = not self.has_class("-whole")
        self.set_class(whole, "-whole")
        if whole and self.pane == "repositories":
            self.show_pane("versions")

    def action_view_refresh(self) -> None:
        """Read again what is shown."""
        self.deck.see_jobs()
        self.reading.refresh()

    # Lists.

    def action_filter_open(self) -> None:
        """Filter the list that has the keys; from the details, the versions."""
        if self.pane == "details":
            self.show_pane("versions")
        self.query_one(FilterBar).open(self.painter.filter_text)
        self.painter.filter(self.painter.filter_text)

    def action_hit_next(self) -> None:
        """Go to the next row that the filter leaves."""
        self._hit(1)

    def action_hit_previous(self) -> None:
        """Go to the row before that the filter leaves."""
        self._hit(-1)

    def _hit(self, step: int) -> None:
        if not self.painter.filter_text:
            self.notify("There is no filter; / sets one.", markup=False)
            return
        name = "#repositories" if self.pane == "repositories" else "#versions"
        view = self.query_one(name, RepositoryPane if "rep" in name else VirtualTable)
        view.move_to(view.cursor + step)

    def action_sort_next(self) -> None:
        """Sort by the next column."""
        self.query_one(VirtualTable).next_order()

    def action_sort_reverse(self) -> None:
        """Reverse the order."""
        table = self.query_one(VirtualTable)
        table.set_order(table.sort, not table.reverse)

    # Versions.

    def _with_row(self, identifier: str, act: Callable[[VersionRow], None]) -> None:
        """Do something with the selected version, or say that there is none."""
        if self.row is None:
            self.notify(f"Not now: {command(identifier).when}.", markup=False)
        else:
            act(self.row)

    def compare(self, a: Reference, b: Reference) -> None:
        """Compare two versions."""
        self.deck.see_jobs()
        self.painter.say(f"comparing {spoken(a)} with {spoken(b)} …")
        self.errands.compare(a, b)

    def action_version_diff(self) -> None:
        """Compare what is marked, or the selected version."""
        pair = self.state.pair(self.row)
        if pair is None:
            self.notify(f"Not now: {command('version.diff').when}.", markup=False)
        else:
            self.compare(*pair)

    def action_version_table(self) -> None:
        """Show the marked versions, or the newest, by metric and parameter."""
        self._many("version.table", TABLED)

    def action_version_plot(self) -> None:
        """Draw a metric over the marked versions, or the newest."""
        self._many("version.plot", PLOTTED)

    def _many(self, identifier: str, last: int) -> None:
        references = self.state.several(self.row, last)
        if not references:
            self.notify(f"Not now: {command(identifier).when}.", markup=False)
            return
        baseline = self.state.baseline
        self.show_many(identifier, references, baseline.reference if baseline else None)

    def show_many(
        self,
        identifier: str,
        references: Sequence[Reference],
        baseline: Reference | None = None,
    ) -> None:
        """Show many versions as a table or a plot; of a repository the newest."""
        # Imported late: a deck that looks at one version does not pay for it.
        from rolldeck.tui.screens.many import Wanted
        from rolldeck.tui.screens.plot import PlotScreen
        from rolldeck.tui.screens.table import TableScreen

        plots = identifier == "version.plot"
        words = [str(item) for item in references]
        if baseline is not None:
            words += ["--baseline", str(baseline)]
        verb = command(identifier).cli or ""
        self.deck.log_line(self.deck.command_line(verb, *words))
        homes = {repository_of(item).name for item in references}
        title = homes.pop() if len(homes) == 1 else f"{len(references)} versions"
        wanted = Wanted(references, PLOTTED if plots else TABLED, baseline, title)
        if plots:
            self.app.push_screen(PlotScreen(wanted, metric=self.state.headline))
        else:
            self.app.push_screen(TableScreen(wanted))

    def choose_metric(self, metric: str) -> None:
        """Show a metric in the list of versions of this repository, now and later."""
        repository = self.state.repository
        if repository is None:
            return
        self.state.headlines[headline_name(repository)] = metric
        self.painter.versions()
        if not self.deck.read_only:
            self.run_worker(remember_metric(self, repository, metric), exit_on_error=False)

    def action_version_mark(self) -> None:
        """Mark the selected version, or fold the section under the cursor."""
        if self.pane == "details" and self.query_one(Details).section:
            self.reading.toggle_section()
        elif self.pane == "repositories":
            self.notify("Versions are marked; 2 goes to them.", markup=False)
        else:
            self._with_row("version.mark", self._mark)

    def _is_named(self, row: VersionRow) -> bool:
        """Whether it is known what a row names; says so where not."""
        if row.digest is None:
            self.notify("It is being read still; try again in a moment.", markup=False)
        return row.digest is not None

    def _mark(self, row: VersionRow) -> None:
        if not self._is_named(row):
            return
        self.state.toggle_mark(row)
        self.painter.marks()
        self.query_one(VirtualTable).action_move_down()

    def action_version_baseline(self) -> None:
        """Make the selected version the baseline, or take that back."""
        self._with_row("version.baseline", self._baseline)

    def _baseline(self, row: VersionRow) -> None:
        if not self._is_named(row):
            return
        is_one = self.state.toggle_baseline(row)
        self.painter.versions()
        text = f"{row.label} is the baseline; d compares with it." if is_one else "No baseline."
        self.notify(text, markup=False)

    def action_version_inspect(self) -> None:
        """Show the documents of the selected version."""
        self._with_row("version.inspect", self._inspect)

    def _inspect(self, row: VersionRow) -> None:
        from rolldeck.tui.screens.inspect import InspectScreen

        version = self.state.version(row.digest)
        if version is None:
            self.reading.read_now(row)
            self.notify("It is being read still; try again in a moment.", markup=False)
        else:
            self.deck.log_line(self.deck.command_line("show", str(row.reference)))
            self.app.push_screen(InspectScreen(version))

    def action_version_fit(self) -> None:
        """Show what speaks for and against the selected version on this host."""
        from rolldeck.tui.screens.fit import FitScreen

        digest = self.row.digest if self.row is not None else None
        version, fit = self.state.version(digest), self.state.fits.get(digest or "")
        if version is None or fit is None or self.state.host is None:
            self.notify(f"Not now: {command('version.fit').when}.", markup=False)
        else:
            self.deck.log_line(self.deck.command_line("env", "check", version.reference))
            self.app.push_screen(FitScreen(version, fit, self.state.host))

    def action_channel_audit(self) -> None:
        """Show what was recorded of the selected repository's channels and local targets."""
        repository = self.state.repository
        if repository is None:
            self.notify(f"Not now: {command('channel.audit').when}.", markup=False)
        else:
            targets = (str(target.path) for target in self.state.targets_here())
            self.audit(repository.name, *targets)

    def audit(self, *places: str) -> None:
        """Show what was recorded of channels, repositories and local targets."""
        from rolldeck.tui.screens.audit import AuditScreen

        self.app.push_screen(AuditScreen(places))

    def action_version_copy(self) -> None:
        """Copy the pinned reference."""
        self._with_row("version.copy", lambda row: self.deck.copy(str(row.reference)))

    def action_version_pull(self) -> None:
        """Pull the selected version."""
        self._with_row("version.pull", lambda row: self.errands.pull(row.reference))

    def action_version_unpack(self) -> None:
        """Unpack the selected version."""
        self._with_row("version.unpack", self.errands.ask_unpack)

    def action_version_tag(self) -> None:
        """Ask for a further tag of the selected version."""
        self._with_row("version.tag", self._ask_tag)

    def _ask_tag(self, row: VersionRow) -> None:
        name = row.label if row.label in row.tags else str(row.reference)
        self.deck.ask_command(f"tag {name} ")

    def action_version_remove(self) -> None:
        """Show what removing the selected version, or one of its tags, would take away."""
        self._with_row("version.remove", lambda row: self.errands.plan_removal(row.reference))

    # Local targets.

    def action_target_pin(self) -> None:
        """Pin the selected version to a local target."""
        targets = self.state.targets_here()
        proposal = str(targets[0].path) if targets else ""
        self._with_row("target.pin", lambda row: self.errands.ask_pin(row, proposal))

    def action_target_rollback(self) -> None:
        """Roll a local target of this repository back."""
        self.errands.on_target("target.rollback", self.state.targets_here())

    def action_target_undo(self) -> None:
        """Undo the last move of a local target of this repository."""
        self.errands.on_target("target.undo", self.state.targets_here())

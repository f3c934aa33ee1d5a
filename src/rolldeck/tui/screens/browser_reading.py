"""What the browser reads, when, and what it does with the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.timer import Timer

from rolldeck.errors import RolldeckError, UnavailableError, UsageError
from rolldeck.oci import Reference
from rolldeck.tui import reads
from rolldeck.tui.errands import failed
from rolldeck.tui.jobs import Job
from rolldeck.tui.messages import (
    ChangesSummed,
    FitJudged,
    RepositoriesListed,
    TargetsRead,
    VersionRead,
    VersionsListed,
)
from rolldeck.tui.models.deck_state import DeckState, is_near, is_place, repository_of
from rolldeck.tui.models.repository_rows import joined, updated, with_repository
from rolldeck.tui.models.version_rows import VersionTable
from rolldeck.tui.widgets.details import Details
from rolldeck.tui.widgets.repository_list import RepositoryPane
from rolldeck.tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from rolldeck.actions import RepositoryList, VersionRow, Workspace
    from rolldeck.tui.screens.browser import BrowserScreen
    from rolldeck.tui.screens.browser_painter import Painter

_REST = 0.12
"""Seconds the cursor must rest before something is read for it: who scrolls by wants nothing."""

_TOLD = frozenset({"rollback", "undo", "pin", "rm", "untag", "tag"})
"""Verbs that change what a name stands for: their end is told, not only shown."""


class Reading:
    """Starts reads for the browser; an answer that is no longer asked for only fills the state."""

    def __init__(
        self, screen: BrowserScreen, workspace: Workspace, state: DeckState, painter: Painter
    ) -> None:
        self._screen = screen
        self._workspace = workspace
        self._state = state
        self._painter = painter
        self._timer: Timer | None = None
        self._places: list[Reference] = []
        self._opened: list[Reference] = []
        self._loading: set[Reference] = set()
        self._shown: VersionRow | None = None
        self._lists: dict[Reference | None, RepositoryList] = {}
        """What was last listed, by what was asked for."""

    def start(self, open_reference: str | None) -> None:
        """Read the repositories and targets; with a reference, its versions at once."""
        self._read_repositories(None)
        self._screen.run_worker(
            reads.read_targets(self._screen, self._workspace), group="targets", exit_on_error=False
        )
        self._screen.run_worker(reads.read_headlines(self._screen), exit_on_error=False)
        if open_reference:
            try:
                self._screen.open(Reference.parse(open_reference))
            except UsageError as error:
                failed(self._screen, error)
        self._painter.everything()

    def open(self, reference: Reference) -> str:
        """Begin to show a repository or a place; returns the pane to look at."""
        if is_place(reference):
            if reference not in self._places:
                self._places.append(reference)
            self._read_repositories(reference)
            return "repositories"
        repository = repository_of(reference)
        if repository not in self._opened:
            self._opened.append(repository)
        self._state.wanted = reference.digest or reference.tag
        listing = self._state.repositories
        if listing is not None:
            self._state.repositories = with_repository(listing, repository)
        self._change(repository)
        self._painter.repositories()
        self._screen.query_one(RepositoryPane).select(repository)
        self._load(repository)
        self._painter.versions()
        self._select_wanted()
        return "versions"

    def refresh(self) -> None:
        """Read the repositories, the targets and the selected repository's versions again."""
        self._read_repositories(None)
        for place in self._places:
            self._read_repositories(place)
        self._screen.run_worker(
            reads.read_targets(self._screen, self._workspace), group="targets", exit_on_error=False
        )
        self._state.host = None
        self._state.fits.clear()
        if self._screen.row is not None:
            self._judge(self._screen.row)
        if self._state.repository is not None:
            self._state.problems.clear()
            self._load(self._state.repository)
            self._painter.versions()

    def job_finished(self, job: Job) -> None:
        """Read again what the job may have changed."""
        if job.verb in _TOLD and job.state == "done":
            self._screen.notify(job.outcome, title="Done", markup=False, timeout=6)
        elif job.state == "failed":
            self._screen.notify(
                job.outcome, title=job.name, severity="error", timeout=8, markup=False
            )
        if job.verb != "verify":
            self.refresh()

    # Repositories.

    def _read_repositories(self, place: Reference | None) -> None:
        self._screen.run_worker(
            reads.read_repositories(self._screen, self._workspace, place),
            group=f"repositories {place}",
            exclusive=True,
            exit_on_error=False,
        )

    def repositories_listed(self, event: RepositoriesListed) -> None:
        """Show the repositories that were listed."""
        state = self._state
        if isinstance(event.result, RolldeckError):
            failed(self._screen, event.result)
        else:
            self._lists[event.place] = updated(self._lists.get(event.place), event.result)
            for source, _ in event.result.problems:
                state.silent.add(source)
        self._join()
        self._painter.repositories()
        pane = self._screen.query_one(RepositoryPane)
        if state.repository is None:
            self.choose(pane.selected)
        elif pane.selected != state.repository:
            pane.select(state.repository)

    def _join(self) -> None:
        """Put together what was listed and what was opened."""
        if self._lists:
            self._state.repositories = joined(self._lists.values())
            for repository in self._opened:
                self._state.repositories = with_repository(self._state.repositories, repository)

    def choose(self, repository: Reference | None) -> None:
        """Show a repository's versions; read them if that costs nothing or was asked for."""
        if repository == self._state.repository:
            return
        self._change(repository)
        self._painter.versions()
        self.select()
        if repository is not None and is_near(repository) and not self._known(repository):
            self._after_rest(lambda: self._load_if_chosen(repository))

    def _change(self, repository: Reference | None) -> None:
        """Make another repository the chosen one.

        Marks are of one repository, and one that was typed and could not be read leaves no row.
        """
        state, before = self._state, self._state.repository
        state.repository = repository
        if repository == before:
            return
        state.marks = []
        if before in self._opened and before in state.failures and before not in state.lists:
            self._opened.remove(before)
            self._join()
            self._painter.repositories()

    def load_chosen(self) -> None:
        """Read the versions of the chosen repository, if that did not happen yet."""
        repository = self._screen.query_one(RepositoryPane).selected
        if repository is not None:
            self.choose(repository)
            if not self._known(repository):
                self._load(repository)
                self._painter.versions()

    def is_loading(self, repository: Reference) -> bool:
        """Whether the versions of a repository are being read."""
        return repository in self._loading

    def _known(self, repository: Reference) -> bool:
        return repository in self._state.lists or repository in self._loading

    def _load_if_chosen(self, repository: Reference) -> None:
        if repository == self._state.repository and not self._known(repository):
            self._load(repository)
            self._painter.versions()

    def _load(self, repository: Reference) -> None:
        self._loading.add(repository)
        self._state.failures.pop(repository, None)
        self._screen.run_worker(
            reads.read_versions(
                self._screen, self._workspace, repository, lambda: self._in_view(repository)
            ),
            group=f"versions {repository}",
            exclusive=True,
            exit_on_error=False,
        )

    def _in_view(self, repository: Reference) -> list[str] | None:
        """Return the labels of a repository's rows on the screen: they are read before others.

        None where its rows are not painted yet.
        """
        if repository != self._state.repository:
            return []
        table, listing = self._screen.query_one(VirtualTable), self._state.listing
        data = table.data
        if not isinstance(data, VersionTable) or listing is None or data.rows is not listing.rows:
            return None
        return [data.rows[row].label for row in table.rows_in_view()]

    # Versions.

    def versions_listed(self, event: VersionsListed) -> None:
        """Show the versions that were listed, if their repository is still the chosen one."""
        state, repository = self._state, event.repository
        if event.finished:
            self._loading.discard(repository)
        if isinstance(event.result, RolldeckError):
            state.failures[repository] = event.result
            state.silent.add(repository.root)
        else:
            state.lists[repository] = event.result
            state.read_at[repository] = self._painter.now()
            (state.silent.discard if event.result.stale is None else state.silent.add)(
                repository.root
            )
        if repository == state.repository:
            self._painter.versions()
            self._select_wanted()
            if self._screen.row != self._shown:
                self.select()

    def _select_wanted(self) -> None:
        wanted, listing = self._state.wanted, self._state.listing
        if wanted is None or listing is None:
            return
        for row in listing.rows:
            if wanted == row.digest or wanted in row.tags:
                self._state.wanted = None
                self._screen.query_one(VirtualTable).select(row.key)

    def select(self) -> None:
        """Show what is known of the selected version, and read the rest once the cursor rests."""
        self._painter.details()
        self._painter.frame()
        row = self._shown = self._screen.row
        if row is not None and self._needed(row):
            self._after_rest(lambda: self._read_if_selected(row.key))
        elif row is not None and row.digest is not None and row.digest not in self._state.fits:
            self._after_rest(lambda: self._judge_if_selected(row.key))

    def _needed(self, row: VersionRow) -> bool:
        known = self._state.version(row.digest) is not None
        return row.digest is not None and not known and row.digest not in self._state.problems

    def _read_if_selected(self, key: str) -> None:
        row = self._screen.row
        if row is not None and row.key == key and self._needed(row):
            self.read_now(row)

    def read_now(self, row: VersionRow) -> None:
        """Read a version for its details."""
        self._screen.run_worker(
            reads.read_version(self._screen, self._workspace, row.reference),
            group="details",
            exclusive=True,
            exit_on_error=False,
        )

    def version_read(self, event: VersionRead) -> None:
        """Keep a version that was read; show it if it is still selected."""
        digest = event.reference.digest
        if digest is None:
            return
        if isinstance(event.result, RolldeckError):
            self._state.problems[digest] = event.result
            if isinstance(event.result, UnavailableError):
                self._state.silent.add(event.reference.root)
                self._painter.frame()
        else:
            self._state.keep(digest, event.result)
        row = self._screen.row
        if row is None or row.digest != digest:
            return
        self._painter.details()
        self._judge(row)
        older = self._state.older(row)
        if older is not None and digest not in self._state.since and row.loaded:
            self._screen.run_worker(
                reads.sum_changes(
                    self._screen, self._workspace, older.reference, row.reference, older.label
                ),
                group="since",
                exclusive=True,
                exit_on_error=False,
            )

    def _judge_if_selected(self, key: str) -> None:
        row = self._screen.row
        if row is not None and row.key == key:
            self._judge(row)

    def _judge(self, row: VersionRow) -> None:
        """Judge whether a version that was read fits this host."""
        version = self._state.version(row.digest)
        if version is not None and row.digest not in self._state.fits:
            self._screen.run_worker(
                reads.judge_fit(self._screen, self._workspace, version, self._state.host),
                group="fit",
                exclusive=True,
                exit_on_error=False,
            )

    def fit_judged(self, event: FitJudged) -> None:
        """Show whether a version fits this host."""
        self._state.host = event.host
        self._state.fits[event.digest] = event.fit
        self._painter.details()

    def changes_summed(self, event: ChangesSummed) -> None:
        """Show what changed since the version before."""
        if event.reference.digest is not None:
            self._state.since[event.reference.digest] = (event.since, event.summary)
            self._painter.details()

    def targets_read(self, event: TargetsRead) -> None:
        """Show what is live here."""
        self._state.targets = event.targets
        self._painter.repositories()
        self._painter.versions()
        self._painter.details()
        self._painter.frame()

    def toggle_section(self) -> None:
        """Fold or unfold the section of the details under the cursor."""
        details = self._screen.query_one(Details)
        section = details.section
        if section is not None:
            self._painter.toggle_section(section)
            details.put_cursor(section)

    def _after_rest(self, act: object) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._screen.set_timer(_REST, act)  # type: ignore[arg-type]

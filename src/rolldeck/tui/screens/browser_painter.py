"""How the browser's state is put into its panes: rows, titles, words where there are no rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from textual.content import Content

from rolldeck.commands import footer_commands
from rolldeck.oci import Place
from rolldeck.text import clean_line
from rolldeck.tui.failures import told
from rolldeck.tui.models.deck_state import DeckState, is_near
from rolldeck.tui.models.details_page import DetailsView
from rolldeck.tui.models.repository_rows import place_and_name
from rolldeck.tui.models.version_rows import VersionTable, order_words
from rolldeck.tui.widgets.breadcrumb import Breadcrumb
from rolldeck.tui.widgets.details import Details
from rolldeck.tui.widgets.filter_bar import FilterBar
from rolldeck.tui.widgets.key_footer import KeyFooter
from rolldeck.tui.widgets.repository_list import RepositoryPane
from rolldeck.tui.widgets.virtual_table import VirtualTable
from rolldeck.units import age

if TYPE_CHECKING:
    from rolldeck.tui.screens.browser import BrowserScreen

NO_REPOSITORIES = (
    "No repositories yet. Type :open ghcr.io/you/model.\n"
    "rolldeck demo fills a library to play with."
)
"""What stands where there are no repositories."""

NARROW = 100
"""Below this width one pane is shown at a time."""

_OF_A_VERSION = ("version.diff", "version.mark", "version.pull", "version.unpack", "target.pin")


class Painter:
    """Puts the state into the panes; the only place that writes their titles."""

    def __init__(
        self, screen: BrowserScreen, state: DeckState, now: Callable[[], datetime]
    ) -> None:
        self._screen = screen
        self._state = state
        self.now = now
        self._said = ""
        self._unfolded: frozenset[str] = frozenset()

    def everything(self) -> None:
        """Paint all panes."""
        self.repositories()
        self.versions()
        self.details()
        self.frame()

    def repositories(self) -> None:
        """Paint the repositories."""
        pane = self._screen.query_one(RepositoryPane)
        pane.set_placeholder(self._repository_words(pane.filter_text))
        pane.show(self._state.repositories, self._state.repository)

    def _repository_words(self, filter_text: str) -> str:
        if self._state.repositories is None:
            return "Reading …"
        if filter_text and self._state.repositories.rows:
            return f"No repository matches {clean_line(filter_text, 60)}. esc empties the filter."
        targets = self._state.targets
        if not targets:
            return NO_REPOSITORIES
        more = f" and {len(targets) - 1} more" if len(targets) > 1 else ""
        path = clean_line(str(targets[0].path), 200)
        return f"{NO_REPOSITORIES}\n! shows triage of the local target {path}{more}."

    def versions(self) -> None:
        """Paint the versions of the chosen repository."""
        table = self._screen.query_one(VirtualTable)
        listing, baseline = self._state.listing, self._state.baseline
        data = None
        if listing is not None:
            data = VersionTable(
                listing.rows,
                now=self.now(),
                targets=self._state.targets,
                baseline=baseline.digest if baseline else None,
                chosen=self._state.headline,
            )
        table.show(data)
        table.set_placeholder(self._version_words(table.filter_text))
        self.marks()

    def _version_words(self, filter_text: str) -> str:
        state, repository = self._state, self._state.repository
        if repository is None:
            return "Versions of the selected repository are listed here."
        failure = state.failures.get(repository)
        if failure is not None:
            return f"× {told(failure)}\nr tries again."
        if state.listing is None:
            if is_near(repository) or self._screen.reading.is_loading(repository):
                return "Reading …"
            return f"enter lists the versions of {repository.name}."
        if filter_text and state.listing.rows:
            return f"No version matches {clean_line(filter_text, 60)}. esc empties the filter."
        return f"There are no versions in {repository.name}."

    def marks(self) -> None:
        """Paint the marks."""
        marked = frozenset(mark.digest for mark in self._state.marks)
        self._screen.query_one(VirtualTable).set_marks(marked)
        self.frame()

    def details(self) -> None:
        """Paint what is known of the selected version."""
        row, state = self._screen.row, self._state
        view = DetailsView(unfolded=self._unfolded, now=self.now())
        if row is not None:
            error = state.problems.get(row.key)
            problem = (error.message, error.hint or "") if error is not None else None
            if row.digest is None and row.problem is not None:
                problem = (row.problem, "")
            view = replace(
                view,
                row=row,
                version=state.version(row.digest),
                problem=problem,
                since=state.since.get(row.key),
                fit=state.fits.get(row.key),
                here=state.places_of(row.key),
            )
        details = self._screen.query_one(Details)
        details.set_placeholder("What the selected version says of itself stands here.")
        details.show(view)

    def toggle_section(self, section: str) -> None:
        """Fold or unfold a section of the details."""
        self._unfolded = self._unfolded ^ {section}
        self.details()

    # Filters.

    @property
    def filter_text(self) -> str:
        """The filter of the list that has the keys."""
        if self._screen.pane == "repositories":
            return self._screen.query_one(RepositoryPane).filter_text
        return self._screen.query_one(VirtualTable).filter_text

    def filter(self, text: str) -> None:
        """Filter the list that has the keys."""
        screen, bar = self._screen, self._screen.query_one(FilterBar)
        if screen.pane == "repositories":
            pane = screen.query_one(RepositoryPane)
            pane.set_filter(text)
            pane.set_placeholder(self._repository_words(text))
            total = len(pane.listing.rows) if pane.listing else 0
            bar.set_count(pane.stop_count, total)
        else:
            table = screen.query_one(VirtualTable)
            table.set_filter(text)
            table.set_placeholder(self._version_words(text))
            total = len(table.data) if table.data is not None else 0
            bar.set_count(table.shown_rows, total)
        self.frame()

    # Titles, the top line, the keys.

    def say(self, text: str) -> None:
        """Say at the right of the top line what is being waited for."""
        self._said = text
        self.frame()

    def frame(self) -> None:
        """Paint titles, the top line and the keys."""
        screen = self._screen
        wide = screen.size.width >= NARROW
        row, repository = screen.row, self._state.repository
        place, name = place_and_name(repository) if repository is not None else ("", "")
        label = row.label if row is not None else ""
        repositories = screen.query_one(RepositoryPane)
        table = screen.query_one(VirtualTable)
        details = screen.query_one(Details)
        repositories.border_title = Content("1 Repositories")
        table.border_title = _title("2 Versions", name)
        table.border_subtitle = Content(self._count_words(table))
        details.border_title = _title("Details", label)
        digest = row.digest if row is not None else None
        details.border_subtitle = Content(f"{digest[:19]}…" if digest is not None else "")
        crumb = screen.query_one(Breadcrumb)
        if wide:
            crumb.path = tuple(part for part in (place, name, label) if part)
        else:
            parts = {"repositories": (), "versions": (name,), "details": (name, label)}
            crumb.path = tuple(part for part in parts[screen.pane] if part) or ("repositories",)
        crumb.state, crumb.state_class = self._freshness(table, wide)
        self._keys(wide)

    def _count_words(self, table: VirtualTable, *, narrow: bool = False) -> str:
        listing = self._state.listing
        if listing is None or not listing.rows:
            return ""
        total = len(listing.rows)
        if table.filter_text:
            words = [f"{table.shown_rows} of {total}"]
        elif listing.stale is not None:
            words = [f"{total} version{'s' if total != 1 else ''} as last seen"]
        elif listing.looked_up < total:
            words = [f"{listing.looked_up} of {total} looked up"]
        elif listing.loaded < total:
            words = [f"{listing.loaded} of {total} read"]
        else:
            words = [f"{total} version{'s' if total != 1 else ''}"]
        metrics = table.data.metrics if isinstance(table.data, VersionTable) else {}
        words.append(order_words(table.sort, table.reverse, metrics))
        if not listing.complete:
            words.append("incomplete")
        if listing.referrers and not narrow:
            plural = "s" if listing.referrers > 1 else ""
            words.append(f"{listing.referrers} record tag{plural} folded away")
        return " · ".join(words)

    def _freshness(self, table: VirtualTable, wide: bool) -> tuple[str, str]:
        repository = self._state.repository
        if self._said:
            return self._said, "dim"
        if repository is None:
            return "", "dim"
        listing = self._state.lists.get(repository)
        if listing is not None and listing.stale is not None:
            return f"× offline · seen {age(listing.stale, self.now())} ago", "bad"
        known = self._state.read_at.get(repository)
        since = f" · as of {known.astimezone():%H:%M:%S}" if known else ""
        if self._screen.reading.is_loading(repository):
            return f"reading …{since}", "dim"
        if repository in self._state.failures:
            return f"× not read{since}", "bad"
        if not wide and self._screen.pane == "versions":
            return self._count_words(table, narrow=True), "dim"
        if known is None:
            return "", "dim"
        online = repository.place is Place.REGISTRY and repository.root not in self._state.silent
        return ("● online" + since, "good") if online else (since.removeprefix(" · "), "dim")

    def _keys(self, wide: bool) -> None:
        screen, footer = self._screen, self._screen.query_one(KeyFooter)
        pane = screen.pane
        hidden = {"view.back"} if wide else {"view.back", "version.mark", "version.unpack"}
        fold = "fold" if screen.query_one(Details).layer_number is None else "files"
        titles = {"move.open": {"repositories": "versions", "versions": "details"}.get(pane, fold)}
        if pane == "repositories" or screen.row is None:
            hidden |= set(_OF_A_VERSION)
        if self._state.repository is None and not self._state.targets:
            hidden.add("triage.open")
        chosen = self._state.repository if pane == "repositories" else screen.row
        if chosen is None or (wide and pane == "versions"):
            hidden.add("move.open")
        if pane == "details":
            hidden.add("version.mark")
        if not self._state.targets_here():
            hidden.add("target.rollback")
        commands = footer_commands("browse", hidden)
        footer.commands = tuple(item for item in commands if screen.deck.offers(item, screen))
        footer.titles = titles
        marks = self._state.marks
        footer.note = (
            f"{len(marks)} marked: {', '.join(mark.label for mark in marks)}" if marks else ""
        )


def _title(head: str, name: str) -> Content:
    return Content(f"{head} · {clean_line(name, 200)}" if name else head)

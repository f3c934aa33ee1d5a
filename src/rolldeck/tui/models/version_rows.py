"""The versions of a repository as a table: what the columns say, and of which metric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from rolldeck.cells import ABSENT, number
from rolldeck.text import clean_line
from rolldeck.tui.models.lines import Look
from rolldeck.tui.models.sparkline import sparkline
from rolldeck.tui.models.table import Cell, Column
from rolldeck.units import age, human_size, short_digest

if TYPE_CHECKING:
    from rolldeck.actions import TargetState, VersionRow

HISTORY = 7
"""Values of a sparkline: about what the eye takes in at once."""

_COUNTED_ROWS = 1000
"""Rows whose metrics are counted and whose cells are measured: more would hold up every paint."""

_LONGEST_VERSION = 40
_LONGEST_BADGES = 28
_LONGEST_METRIC = 14

BASELINE = "· baseline"
UNREADABLE = "unreadable"

METRICS = 3
"""Most metrics with a column, as many as a listing on the command line has."""


def headline_metric(rows: Iterable[VersionRow], chosen: str | None = None) -> str | None:
    """Return the metric that was chosen, where any version has it, else the commonest.

    Of equally common ones it is the first named.
    """
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(row.metrics.keys())
    if chosen in counts:
        return chosen
    return max(counts, key=lambda name: counts[name]) if counts else None


class VersionTable:
    """A table of versions, newest first; cells are made when they are drawn."""

    def __init__(
        self,
        rows: Sequence[VersionRow],
        *,
        now: datetime,
        targets: Sequence[TargetState] = (),
        baseline: str | None = None,
        chosen: str | None = None,
    ) -> None:
        """``baseline`` is a digest, ``chosen`` the metric that the user wants to see first."""
        self.rows = rows
        counted = rows[:_COUNTED_ROWS]
        self.metric = headline_metric(counted, chosen)
        """The metric with a history beside it."""
        named = dict.fromkeys(name for row in counted for name in row.metrics)
        others = [name for name in named if name != self.metric][: METRICS - 1]
        self.metrics = {
            "metric" + str(number or ""): name
            for number, name in enumerate([self.metric, *others])
            if name is not None
        }
        """The metrics that have a column, by its id."""
        self._now = now
        self._baseline = baseline
        self._current = {target.current for target in targets if target.current}
        self._unpacked = {digest for target in targets for digest in target.releases}

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, key: str) -> int | None:
        """Return the number of the row with a digest or a tag."""
        return self._numbers.get(key)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        numbers = {tag: number for number, row in enumerate(self.rows) for tag in row.tags}
        return numbers | {row.key: number for number, row in enumerate(self.rows)}

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns for these rows: only as wide as they need to be."""
        version = max((cell_len(clean_line(row.label, 200)) for row in self._longest), default=0)
        badges = max((cell_len(self._badges(row)) for row in self.rows if row.badges), default=0)
        badges = max(badges, len(BASELINE) if self._baseline else 0)
        columns = [
            Column("version", "VERSION", min(max(version, 7), _LONGEST_VERSION), narrowest=12),
            Column("channel", "CHANNEL", min(max(badges, 7), _LONGEST_BADGES), narrowest=7),
            Column("digest", "DIGEST", 12, gives_way=2, sorts=False),
            Column("size", "SIZE", self._size_width(), "right", gives_way=3),
            Column("created", "CREATED", self._created_width(), gives_way=1),
        ]
        if self.metric:
            name = self._metric_title(self.metric)
            width = min(max(cell_len(name) + 2, 7), _LONGEST_METRIC)
            columns += [
                Column("metric", name, width, "right", gives_way=5),
                Column("history", "", HISTORY, gives_way=0, sorts=False),
            ]
        for place, (column, metric) in enumerate(list(self.metrics.items())[1:]):
            name = self._metric_title(metric)
            width = min(max(cell_len(name) + 2, 7), _LONGEST_METRIC)
            columns.append(Column(column, name, width, "right", gives_way=-1 - place))
        columns.append(Column("here", "HERE", 10, gives_way=6))
        return tuple(columns)

    @property
    def _longest(self) -> Sequence[VersionRow]:
        """The rows among which the longest label is."""
        if len(self.rows) <= _COUNTED_ROWS:
            return self.rows
        return [max(self.rows, key=lambda row: len(row.label))]

    def _size_width(self) -> int:
        """Return how wide sizes are; of a long list, the widest that they can be."""
        if len(self.rows) > _COUNTED_ROWS:
            return 10
        if any(row.problem for row in self.rows):
            return len(UNREADABLE)
        return max((len(human_size(row.size or 0)) for row in self.rows), default=7)

    def _created_width(self) -> int:
        """Return how wide ages are; of a long list, the widest that they can be."""
        if len(self.rows) > _COUNTED_ROWS:
            return 9
        ages = (len(age(row.created, self._now)) for row in self.rows if row.created)
        return max(7, *ages, 0)

    def _metric_title(self, metric: str) -> str:
        """Return a metric without its slice and data set, where that still tells it apart."""
        bare = metric.partition(" [")[0]
        others = {
            name.partition(" [")[0]
            for row in self.rows[:50]
            for name in row.metrics
            if name != metric
        }
        return clean_line(metric if bare in others else bare, 60)

    def key(self, row: int) -> str:
        """Return the digest of a row."""
        return self.rows[row].key

    def here(self, digest: str | None, local: bool) -> str:
        """Return where a version is on this host."""
        if digest in self._current:
            return "current"
        if digest in self._unpacked:
            return "on disk"
        return "in library" if local else ABSENT

    def cells(self, row: int) -> Sequence[Cell]:
        """Return the cells of a row."""
        item = self.rows[row]
        wait = "…" if not item.loaded else ABSENT
        here = self.here(item.digest, item.local)
        badges = self._badges(item)
        cells = [
            Cell(clean_line(item.label, 200), "dim" if item.remembered else "bright"),
            Cell(badges, "accent" if item.badges else "dim"),
            Cell(short_digest(item.digest) if item.digest else wait, "dim"),
            self._size(item, wait),
            Cell(wait if item.created is None else age(item.created, self._now), "dim"),
        ]
        if self.metric:
            value = item.metrics.get(self.metric)
            cells += [
                Cell(number(value, 4)) if value is not None else Cell(wait, "dim"),
                Cell(self._history(row), "dim"),
            ]
        for metric in list(self.metrics.values())[1:]:
            value = item.metrics.get(metric)
            cells.append(Cell(number(value, 4)) if value is not None else Cell(wait, "dim"))
        cells.append(Cell(here, _HERE_LOOKS.get(here, "dim")))
        return cells

    def _size(self, item: VersionRow, wait: str) -> Cell:
        if item.problem:
            return Cell(UNREADABLE, "worse")
        return Cell(wait, "dim") if item.size is None else Cell(human_size(item.size))

    def _badges(self, item: VersionRow) -> str:
        parts = [clean_line(badge, 60) for badge in item.badges]
        if item.digest is not None and item.digest == self._baseline:
            parts.append(BASELINE)
        return " ".join(parts)

    def _history(self, row: int) -> str:
        """Return the metric of this version and those before it, oldest first."""
        if self.metric is None or self.metric not in self.rows[row].metrics:
            return ""
        before = self.rows[row : row + HISTORY]
        values = [item.metrics.get(self.metric) for item in before]
        return sparkline(values[::-1]) if sum(value is not None for value in values) > 1 else ""

    def searchable(self, row: int) -> Mapping[str, str]:
        """Return what a filter looks at."""
        item = self.rows[row]
        cells = {
            "version": item.label.casefold(),
            "channel": " ".join(item.badges).casefold(),
            "tag": " ".join(item.tags).casefold(),
            "digest": item.digest or "",
            "here": self.here(item.digest, item.local),
        }
        if item.name:
            cells["name"] = item.name.casefold()
        return cells

    def sort_key(self, row: int, column: str) -> Any:
        """Return what a row is sorted by: the largest comes first."""
        item = self.rows[row]
        if column == "version":
            return -row
        if column == "channel":
            return _Backwards(" ".join(item.badges)) if item.badges else None
        if column == "size":
            return item.size
        if column == "created":
            return item.created.timestamp() if item.created else None
        if column in self.metrics:
            return item.metrics.get(self.metrics[column])
        order = {"current": 3, "on disk": 2, "in library": 1}
        return order.get(self.here(item.digest, item.local), 0)


_HERE_LOOKS: dict[str, Look] = {"current": "better", "on disk": "better", "in library": "plain"}


class _Backwards(str):
    """A text that sorts from z to a, so that "largest first" means a first."""

    __slots__ = ()

    def __lt__(self, other: str) -> bool:
        return str.__gt__(self, other)


SORT_WORDS = {
    None: ("newest first", "oldest first"),
    "version": ("newest first", "oldest first"),
    "channel": ("by channel", "by channel, reversed"),
    "size": ("largest first", "smallest first"),
    "created": ("last created first", "first created first"),
    "metric": ("highest {metric} first", "lowest {metric} first"),
    "here": ("what is here first", "what is here last"),
}
"""How an order is said, forwards and reversed."""


def order_words(sort: str | None, reverse: bool, metrics: Mapping[str, str]) -> str:
    """Return an order in words: ``newest first``; ``metrics`` by the columns they are in."""
    metric = metrics.get(sort or "")
    words = SORT_WORDS.get("metric" if metric else sort, SORT_WORDS[None])[reverse]
    return words.format(metric=clean_line(metric or "", 40))

"""A text difference ready to be shown: numbered rows of both sides, and where they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from rich.cells import cell_len

from rolldeck.compare.text_diff import DiffLine, side_by_side

TAB = 4
"""Cells from one tab stop to the next."""


@dataclass(frozen=True, slots=True)
class TextDiff:
    """All rows of a file on both sides; ``notice`` is what the reader has to know of them.

    ``changes`` are the runs of rows that differ, as first row and the row after the last.
    """

    rows: Sequence[DiffLine] = ()
    changes: tuple[tuple[int, int], ...] = ()
    added: int = 0
    removed: int = 0
    notice: str = ""
    longest: int = 0
    """Cells of the longest line."""

    @classmethod
    def of(cls, rows: Sequence[DiffLine], notice: str = "") -> TextDiff:
        """Return the difference that some rows make."""
        changes: list[tuple[int, int]] = []
        added = removed = longest = 0
        start: int | None = None
        for index, row in enumerate(rows):
            longest = max(longest, _cells(row.left), _cells(row.right))
            if row.tag == "equal":
                if start is not None:
                    changes.append((start, index))
                    start = None
                continue
            start = index if start is None else start
            added += row.tag != "delete"
            removed += row.tag != "insert"
        if start is not None:
            changes.append((start, len(rows)))
        return cls(rows, tuple(changes), added, removed, notice, longest)


def _cells(text: str | None) -> int:
    """Return how many cells a line takes at least, tabs as they are shown."""
    if not text:
        return 0
    return len(text) if text.isascii() and "\t" not in text else cell_len(text.expandtabs(TAB))


def text_diff(
    a: bytes | None, b: bytes | None, check: Callable[[], None] = lambda: None
) -> TextDiff:
    """Return how the text of two files differs; None stands for a file that is not there.

    ``check`` is called again and again, and may raise to stop the work.
    """
    texts = [(data or b"").decode("utf-8-sig").replace("\r\n", "\n") for data in (a, b)]
    diff = TextDiff.of(side_by_side(texts[0], texts[1], check))
    if a is None or b is None:
        return replace(diff, notice="only on one side")
    if diff.changes or a == b:
        return diff
    return replace(diff, notice="only line endings or the byte order mark differ")


class Entry(NamedTuple):
    """One line to show: a row (of one side where ``side`` says so), or ``hidden`` equal rows."""

    row: int
    side: Literal["both", "a", "b"] = "both"
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """Which lines are shown, and where each change begins and ends among them."""

    entries: tuple[Entry, ...] = ()
    changes: tuple[tuple[int, int], ...] = ()


def lay_out(diff: TextDiff, context: int, unified: bool) -> Layout:
    """Return the lines to show, with ``context`` equal rows kept around each change."""
    entries: list[Entry] = []
    places: list[tuple[int, int]] = []
    reached = 0
    for number, (start, end) in enumerate(diff.changes):
        _equal(entries, reached, start, context, first=number == 0)
        begin = len(entries)
        if unified:
            run = range(start, end)
            entries += [Entry(n, "a") for n in run if diff.rows[n].left_number is not None]
            entries += [Entry(n, "b") for n in run if diff.rows[n].right_number is not None]
        else:
            entries += [Entry(n) for n in range(start, end)]
        places.append((begin, len(entries)))
        reached = end
    _equal(entries, reached, len(diff.rows), context, first=not diff.changes, last=True)
    return Layout(tuple(entries), tuple(places))


def _equal(
    entries: list[Entry], start: int, end: int, context: int, first: bool, last: bool = False
) -> None:
    """Show a run of equal rows: what is next to a change, and one line for all between."""
    after = min(0 if first else context, end - start)
    before = min(0 if last else context, end - start)
    hidden = end - start - after - before
    if hidden <= 1:
        entries += [Entry(n) for n in range(start, end)]
        return
    entries += [Entry(n) for n in range(start, start + after)]
    entries.append(Entry(start + after, hidden=hidden))
    entries += [Entry(n) for n in range(end - before, end)]

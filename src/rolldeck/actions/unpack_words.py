"""What unpacking would do to a directory in use, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rolldeck.actions.unpack_plan import standing_so
from rolldeck.kit import Found, MergeRules, Standing
from rolldeck.text import clean_line
from rolldeck.units import human_size

STANDINGS: tuple[Standing, ...] = ("new", "identical", "changed", "in the way")

_MOST_NAMES = 8
"""Names told of each kind."""


def standing_words(found: Sequence[Found]) -> Iterator[tuple[Standing, str]]:
    """Yield a line for each way to stand, and for the first files that stand so."""
    for standing in STANDINGS:
        items = standing_so(found, standing)
        if not items:
            continue
        yield standing, f"{standing:<10}  {count_of(items)}"
        if standing != "identical":
            yield from ((standing, f"  {_named(item)}") for item in items[:_MOST_NAMES])
            if len(items) > _MOST_NAMES:
                yield standing, f"  and {len(items) - _MOST_NAMES} more"


def count_of(items: Sequence[Found]) -> str:
    """Return how many files there are, and how large they are in the version."""
    size = human_size(sum(item.entry.size for item in items))
    return f"{len(items)} file{'s' if len(items) != 1 else ''}, {size}"


def replaced(found: Iterable[Found], rules: MergeRules) -> tuple[Found, ...]:
    """Return what would be replaced."""
    return tuple(
        item
        for item in found
        if item.standing in ("changed", "in the way") and not rules.keeps(item)
    )


def _named(item: Found) -> str:
    size = human_size(item.entry.size) if item.entry.type == "file" else "a directory"
    there = f", there: {item.there}" if item.there else ""
    return f"{clean_line(item.entry.path, 200)} ({size}{there})"

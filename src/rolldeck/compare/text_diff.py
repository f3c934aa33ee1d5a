"""Two texts line by line beside each other, with the parts of a line that differ.

Lines that occur once on each side anchor the comparison (as in git's patience diff), so that it
stays fast and readable on long files; ``difflib`` compares what lies between anchors as long as
that is small, and what is large and repetitive is compared by position.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

Tag = Literal["equal", "replace", "delete", "insert"]
Spans = tuple[tuple[int, int], ...]
"""Parts of a line that differ: start and end in characters."""

_PAIRS = 4096
"""Most pairs of equal lines between two anchors that difflib may look at: it is quadratic."""
_LEVELS = 32
"""Most times a gap is split anew by lines that are unique within it."""
_TOKENS = 48
"""Most words of a changed line compared word by word."""
_LINE = 2000
"""Longest line looked into, in characters."""

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


class DiffLine(NamedTuple):
    """One row: line numbers count from 1; a side without a line has neither number nor text."""

    tag: Tag
    left_number: int | None
    left: str | None
    right_number: int | None
    right: str | None

    @property
    def left_spans(self) -> Spans:
        """The parts of the left line that differ, of a replaced line; found when asked for."""
        return self._both_spans[0]

    @property
    def right_spans(self) -> Spans:
        """The parts of the right line that differ, of a replaced line; found when asked for."""
        return self._both_spans[1]

    @property
    def _both_spans(self) -> tuple[Spans, Spans]:
        if self.tag != "replace" or self.left is None or self.right is None:
            return (), ()
        return _spans(self.left, self.right)


def _go_on() -> None:
    """Never stop."""


class _Block(NamedTuple):
    left: int
    left_end: int
    right: int
    right_end: int
    equal: bool
    level: int = 0


def side_by_side(a: str, b: str, check: Callable[[], None] = _go_on) -> list[DiffLine]:
    """Return all rows of two texts; replaced lines stand beside each other in their order.

    ``check`` is called again and again, and may raise to stop the work.
    """
    left, right = _lines(a), _lines(b)
    rows: list[DiffLine] = []
    for start, end, other, other_end, equal, _ in _blocks(left, right, check):
        check()
        if equal:
            rows += [
                DiffLine("equal", start + step + 1, line, other + step + 1, line)
                for step, line in enumerate(left[start:end])
            ]
            continue
        paired = min(end - start, other_end - other)
        for step in range(paired):
            here, there = start + step, other + step
            rows.append(DiffLine("replace", here + 1, left[here], there + 1, right[there]))
        for number in range(start + paired, end):
            rows.append(DiffLine("delete", number + 1, left[number], None, None))
        for number in range(other + paired, other_end):
            rows.append(DiffLine("insert", None, None, number + 1, right[number]))
    return rows


def line_counts(a: str, b: str) -> tuple[int, int]:
    """Return how many lines B adds and how many of A it removes."""
    added = removed = 0
    for block in _blocks(_lines(a), _lines(b)):
        if not block.equal:
            added += block.right_end - block.right
            removed += block.left_end - block.left
    return added, removed


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return lines


def _blocks(
    left: Sequence[str], right: Sequence[str], check: Callable[[], None] = _go_on
) -> list[_Block]:
    """Return blocks that cover both sides in order, neighbours of one kind joined."""
    joined: list[_Block] = []
    for block in _split(left, right, check):
        last = joined[-1] if joined else None
        if last is not None and last.equal == block.equal:
            joined[-1] = last._replace(left_end=block.left_end, right_end=block.right_end)
        elif block.left < block.left_end or block.right < block.right_end:
            joined.append(block)
    return joined


def _split(
    left: Sequence[str], right: Sequence[str], check: Callable[[], None]
) -> Iterator[_Block]:
    """Yield blocks in order: equal ends, then between anchors, working down a stack of gaps."""
    waiting = [_Block(0, len(left), 0, len(right), False)]
    while waiting:
        gap = waiting.pop()
        start, end, other, other_end, equal, level = gap
        if equal:
            yield gap
            continue
        check()
        while start < end and other < other_end and left[start] == right[other]:
            start, other = start + 1, other + 1
        if start > gap.left:
            yield _Block(gap.left, start, gap.right, other, True)
        tail = 0
        while (
            end - tail > start
            and other_end - tail > other
            and left[end - tail - 1] == right[other_end - tail - 1]
        ):
            tail += 1
        end, other_end = end - tail, other_end - tail
        if tail:
            waiting.append(_Block(end, gap.left_end, other_end, gap.right_end, True))
        if start == end or other == other_end:
            yield _Block(start, end, other, other_end, False)
            continue
        anchors = _anchors(left, right, start, end, other, other_end) if level < _LEVELS else []
        if not anchors:
            yield from _between(left, right, start, end, other, other_end)
            continue
        parts = []
        for line, counterpart in anchors:
            if start < line or other < counterpart:
                parts.append(_Block(start, line, other, counterpart, False, level + 1))
            parts.append(_Block(line, line + 1, counterpart, counterpart + 1, True))
            start, other = line + 1, counterpart + 1
        parts.append(_Block(start, end, other, other_end, False, level + 1))
        waiting.extend(reversed(parts))


def _anchors(
    left: Sequence[str], right: Sequence[str], start: int, end: int, other: int, other_end: int
) -> list[tuple[int, int]]:
    """Return pairs of lines that occur once on each side, as many as keep their order."""
    once = Counter(left[start:end])
    places = _places(right, other, other_end)
    pairs = [
        (number, place)
        for number, line in enumerate(left[start:end], start)
        if once[line] == 1 and (place := places.get(line, -1)) >= 0
    ]
    return _longest_rising(pairs)


def _places(lines: Sequence[str], start: int, end: int) -> dict[str, int]:
    """Return where each line stands, -1 for those that occur more than once."""
    places: dict[str, int] = {}
    for number, line in enumerate(lines[start:end], start):
        places[line] = -1 if line in places else number
    return places


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest run of pairs whose second numbers rise (patience sorting)."""
    tops: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for index, (_, place) in enumerate(pairs):
        pile = bisect_left(tops, place)
        if pile == len(tops):
            tops.append(place)
            piles.append(index)
        else:
            tops[pile], piles[pile] = place, index
        before.append(piles[pile - 1] if pile else -1)
    found = []
    index = piles[-1] if piles else -1
    while index >= 0:
        found.append(pairs[index])
        index = before[index]
    return found[::-1]


def _between(
    left: Sequence[str], right: Sequence[str], start: int, end: int, other: int, other_end: int
) -> Iterator[_Block]:
    from difflib import SequenceMatcher

    one, two = left[start:end], right[other:other_end]
    uses = Counter(two)
    if sum(uses[line] for line in one) > _PAIRS:
        yield from _by_position(one, two, start, other)
        return
    for tag, i, i_end, j, j_end in SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        yield _Block(start + i, start + i_end, other + j, other + j_end, tag == "equal")


def _by_position(
    one: Sequence[str], two: Sequence[str], start: int, other: int
) -> Iterator[_Block]:
    """Yield blocks as if no line had moved."""
    for step, (line, counterpart) in enumerate(zip(one, two, strict=False)):
        here, there = start + step, other + step
        yield _Block(here, here + 1, there, there + 1, line == counterpart)
    shared = min(len(one), len(two))
    yield _Block(start + shared, start + len(one), other + shared, other + len(two), False)


@lru_cache(maxsize=512)
def _spans(left: str, right: str) -> tuple[Spans, Spans]:
    """Return which parts of two lines differ, word by word where they are short enough."""
    from difflib import SequenceMatcher

    if len(left) > _LINE or len(right) > _LINE:
        return ((0, len(left)),), ((0, len(right)),)
    one, two = _WORDS.findall(left), _WORDS.findall(right)
    head = 0
    while head < min(len(one), len(two)) and one[head] == two[head]:
        head += 1
    tail = 0
    while tail < min(len(one), len(two)) - head and one[-tail - 1] == two[-tail - 1]:
        tail += 1
    middle, other_middle = one[head : len(one) - tail], two[head : len(two) - tail]
    offset = sum(map(len, one[:head]))
    if max(len(middle), len(other_middle)) > _TOKENS or not middle or not other_middle:
        codes: list[tuple[str, int, int, int, int]]
        codes = [("replace", 0, len(middle), 0, len(other_middle))]
    else:
        codes = list(SequenceMatcher(None, middle, other_middle, autojunk=False).get_opcodes())
    starts, other_starts = _starts(middle, offset), _starts(other_middle, offset)
    changed = [code for code in codes if code[0] != "equal"]
    return (
        tuple((starts[i], starts[i_end]) for _, i, i_end, _, _ in changed if i < i_end),
        tuple((other_starts[j], other_starts[j_end]) for *_, j, j_end in changed if j < j_end),
    )


def _starts(tokens: Sequence[str], offset: int) -> list[int]:
    starts = [offset]
    for token in tokens:
        starts.append(starts[-1] + len(token))
    return starts

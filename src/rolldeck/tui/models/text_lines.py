"""Lines of a text difference as styled spans: both sides beside each other, or in one column."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size

from rolldeck.text import clean
from rolldeck.tui.models.comparison_rows import difference
from rolldeck.tui.models.lines import Line, Look, Span, cut, left
from rolldeck.tui.models.text_rows import Entry, TextDiff, TextRow

UNIFIED_BELOW = 100
"""Width below which both sides stand in one column."""

LONGEST_LINE = 4000
"""Most characters of a line that are shown."""

_LONGEST_EMPHASIS = 400
"""Longest line that is compared word by word; longer ones only from both ends."""

_WORD = re.compile(r"\w+|\s+|[^\w\s]")

_LEAST_ALIKE = 0.35
"""Below this likeness two lines are shown as wholly different: nothing in them is emphasised."""

_SEPARATOR = " │ "


@dataclass(frozen=True, slots=True)
class Frame:
    """How wide the parts of a line are, and how far its text is scrolled to the right."""

    width: int
    number: int
    shift: int
    unified: bool

    @property
    def half(self) -> int:
        """Cells of the left side."""
        return (self.width - 1 - len(_SEPARATOR)) // 2


def frame(diff: TextDiff, width: int, shift: int) -> Frame:
    """Return the frame for a difference in a view of ``width`` cells."""
    number = max(len(str(len(diff.rows))), 3)
    return Frame(width, number, shift, width < UNIFIED_BELOW)


def head_line(labels: tuple[str, str], frame: Frame) -> Line:
    """Return the line that names the sides."""
    a, b = (clean(label).replace("\n", " ") for label in labels)
    pad = " " * (frame.number + 1)
    if frame.unified:
        numbers = " " * (2 * frame.number + 3)
        names = (Span(f"- {cut(a, 30)}", "removed"), Span("  "), Span(f"+ {cut(b, 30)}", "added"))
        return Line((Span(numbers), *names))
    first = Span(left(f"{pad}- {a}", frame.half), "removed")
    return Line((Span(" "), first, Span(_SEPARATOR, "dim"), Span(f"{pad}+ {b}", "added")))


def text_line(diff: TextDiff, entry: Entry, frame: Frame, current: bool) -> Line:
    """Return one line; ``current`` marks it as part of the change that one is at."""
    mark = Span("▌" if current else " ", "accent")
    if entry.hidden:
        words = f"… {entry.hidden} equal lines"
        return Line((mark, Span(" " * (frame.number + 1)), Span(words, "dim")))
    row = diff.rows[entry.row]
    spans = _unified(row, entry, frame) if frame.unified else _beside(row, frame)
    return Line((mark, *spans))


def _number(number: int | None, width: int) -> str:
    return " " * width if number is None else f"{number:>{width}}"


def _beside(row: TextRow, frame: Frame) -> list[Span]:
    parts_a, parts_b = _parts(row)
    room = frame.half - frame.number - 3
    sign_a = "-" if row.kind in ("replaced", "removed") else " "
    sign_b = "+" if row.kind in ("replaced", "added") else " "
    spans = [Span(_number(row.a_number, frame.number), "dim"), Span(f" {sign_a} ", "removed")]
    spans += window(parts_a, frame.shift, room, pad=True)
    spans += [Span(_SEPARATOR, "dim"), Span(_number(row.b_number, frame.number), "dim")]
    spans.append(Span(f" {sign_b} ", "added"))
    rest = frame.width - 1 - frame.half - len(_SEPARATOR) - frame.number - 3
    return spans + window(parts_b, frame.shift, rest)


def _unified(row: TextRow, entry: Entry, frame: Frame) -> list[Span]:
    parts_a, parts_b = _parts(row)
    a = row.a_number if entry.side != "b" else None
    b = row.b_number if entry.side != "a" else None
    numbers = f"{_number(a, frame.number)} {_number(b, frame.number)}"
    sign = Span("   ")
    if entry.side == "a":
        sign = Span(" - ", "removed")
    elif entry.side == "b":
        sign = Span(" + ", "added")
    room = frame.width - 1 - len(numbers) - 3
    parts = parts_b if entry.side == "b" else parts_a
    return [Span(numbers, "dim"), sign, *window(parts, frame.shift, room)]


def shown(text: str) -> str:
    """Return a line of a file as one safe line of cells."""
    return clean(text.rstrip("\r\n").expandtabs(4).replace("\n", "␊"), LONGEST_LINE)


def _parts(row: TextRow) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Return the spans of both sides, with what differs within a replaced line emphasised."""
    a, b = shown(row.a), shown(row.b)
    if row.kind == "equal":
        return (Span(a),), (Span(b),)
    if row.kind == "replaced":
        return emphasised(a, b)
    return (Span(a, "removed"),), (Span(b, "added"),)


@lru_cache(maxsize=512)
def emphasised(a: str, b: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Return both lines of a replaced pair with the words that differ set off."""
    whole = (Span(a, "removed"),), (Span(b, "added"),)
    if max(len(a), len(b)) > _LONGEST_EMPHASIS:
        (start, end_a), (_, end_b) = difference(a, b)
        if start + len(a) - end_a < _LEAST_ALIKE * max(len(a), len(b)):
            return whole
        parts_a = [(a[:start], False), (a[start:end_a], True), (a[end_a:], False)]
        parts_b = [(b[:start], False), (b[start:end_b], True), (b[end_b:], False)]
        return _spans(parts_a, "removed", "removed-part"), _spans(parts_b, "added", "added-part")
    words_a, words_b = _WORD.findall(a), _WORD.findall(b)
    matcher = SequenceMatcher(None, words_a, words_b, autojunk=False)
    if matcher.ratio() < _LEAST_ALIKE:
        return whole
    parts_a, parts_b = [], []
    for tag, a0, a1, b0, b1 in matcher.get_opcodes():
        parts_a.append(("".join(words_a[a0:a1]), tag != "equal"))
        parts_b.append(("".join(words_b[b0:b1]), tag != "equal"))
    return _spans(parts_a, "removed", "removed-part"), _spans(parts_b, "added", "added-part")


def _spans(parts: Iterable[tuple[str, bool]], plain: Look, part: Look) -> tuple[Span, ...]:
    return tuple(Span(text, part if differs else plain) for text, differs in parts if text)


def window(spans: Iterable[Span], start: int, width: int, pad: bool = False) -> list[Span]:
    """Return the part of some spans that is seen from cell ``start`` in ``width`` cells.

    Text that goes on beyond the window ends with an ellipsis.
    """
    seen: list[Span] = []
    position = used = 0
    more = False
    for span in spans:
        text = span.text
        if text.isascii():
            piece = text[max(start - position, 0) : max(start + width - position, 0)]
            position += len(text)
        else:
            piece, position = _cells(text, position, start, start + width)
        if piece:
            seen.append(Span(piece, span.look))
            used += cell_len(piece)
        more = more or position > start + width
    if more and seen and width > 1:
        last = seen[-1]
        seen[-1] = Span(cut(last.text + "……", max(cell_len(last.text), 1)), last.look)
        used = sum(cell_len(span.text) for span in seen)
    if pad and used < width:
        seen.append(Span(" " * (width - used)))
    return seen


def _cells(text: str, position: int, start: int, end: int) -> tuple[str, int]:
    """Return the characters that lie wholly in the cells from ``start`` to ``end``."""
    piece = []
    for character in text:
        size = get_character_cell_size(character)
        if position >= start and position + size <= end:
            piece.append(character)
        elif position < start < position + size <= end:
            piece.append(" ")
        position += size
    return "".join(piece), position

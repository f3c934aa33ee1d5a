"""Lines of a text difference as styled spans: both sides beside each other, or in one column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.cells import cell_len, get_character_cell_size, set_cell_size

from rolldeck.compare.text_diff import DiffLine, Spans
from rolldeck.text import clean
from rolldeck.tui.models.lines import Line, Look, Span, cut, left
from rolldeck.tui.models.text_rows import TAB, Entry, TextDiff

UNIFIED_BELOW = 100
"""Width below which both sides stand in one column."""

LONGEST_LINE = 4000
"""Most characters of a line that are shown."""

_MOST_SET_OFF = 0.7
"""Share of a line that may be set off: where more differs, the line differs as a whole."""

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

    @property
    def room(self) -> int:
        """Cells of text that every shown side has."""
        if self.unified:
            return self.width - 1 - (2 * self.number + 1) - 3
        return self.half - self.number - 3


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


def _beside(row: DiffLine, frame: Frame) -> list[Span]:
    sign_a = "-" if row.tag in ("replace", "delete") else " "
    sign_b = "+" if row.tag in ("replace", "insert") else " "
    spans = [Span(_number(row.left_number, frame.number), "dim"), Span(f" {sign_a} ", "removed")]
    spans += window(left_parts(row), frame.shift, frame.room, pad=True)
    spans += [Span(_SEPARATOR, "dim"), Span(_number(row.right_number, frame.number), "dim")]
    spans.append(Span(f" {sign_b} ", "added"))
    rest = frame.width - 1 - frame.half - len(_SEPARATOR) - frame.number - 3
    return spans + window(right_parts(row), frame.shift, rest)


def _unified(row: DiffLine, entry: Entry, frame: Frame) -> list[Span]:
    a = row.left_number if entry.side != "b" else None
    b = row.right_number if entry.side != "a" else None
    numbers = f"{_number(a, frame.number)} {_number(b, frame.number)}"
    sign = Span("   ")
    if entry.side == "a":
        sign = Span(" - ", "removed")
    elif entry.side == "b":
        sign = Span(" + ", "added")
    parts = right_parts(row) if entry.side == "b" else left_parts(row)
    return [Span(numbers, "dim"), sign, *window(parts, frame.shift, frame.room)]


def left_parts(row: DiffLine) -> list[Span]:
    """Return the line of A, with what differs within it set off."""
    set_off = _sets_off(row)
    look: Look = "plain" if row.tag == "equal" or set_off else "removed"
    return _parts(row.left or "", row.left_spans if set_off else (), look, "removed-part")


def right_parts(row: DiffLine) -> list[Span]:
    """Return the line of B, with what differs within it set off."""
    set_off = _sets_off(row)
    look: Look = "plain" if row.tag == "equal" or set_off else "added"
    return _parts(row.right or "", row.right_spans if set_off else (), look, "added-part")


def _sets_off(row: DiffLine) -> bool:
    """Return whether parts of a replaced pair are set off: not where nearly all of it differs."""
    sides = ((row.left, row.left_spans), (row.right, row.right_spans))
    if row.tag != "replace" or not any(spans for _, spans in sides):
        return False
    return all(
        sum(end - start for start, end in spans) <= _MOST_SET_OFF * len((text or "").strip())
        for text, spans in sides
    )


def _parts(text: str, spans: Spans, plain: Look, part: Look) -> list[Span]:
    """Return a line in safe pieces."""
    more = [Span("…", "dim")] if len(text) > LONGEST_LINE else []
    text = text[:LONGEST_LINE]
    pieces: list[Span] = []
    column = reached = 0
    for start, end in (*spans, (len(text), len(text))):
        for piece, look in ((text[reached:start], plain), (text[start:end], part)):
            if piece:
                shown, column = _safe(piece, column)
                pieces.append(Span(shown, look))
        reached = end
    return pieces + more


def _safe(text: str, column: int) -> tuple[str, int]:
    """Return a piece of a line that begins at ``column``, with tabs as spaces, and its end."""
    shown = []
    for number, part in enumerate(text.split("\t")):
        if number:
            stop = TAB - column % TAB
            shown.append(" " * stop)
            column += stop
        shown.append(clean(part.replace("\n", " ")))
        column += cell_len(shown[-1])
    return "".join(shown), column


def window(spans: Iterable[Span], start: int, width: int, pad: bool = False) -> list[Span]:
    """Return the part of some spans that is seen from cell ``start`` in ``width`` cells.

    Text that goes on beyond the window, at either end, has an ellipsis there.
    """
    seen: list[Span] = []
    position = used = 0
    more = before = False
    for span in spans:
        text = span.text
        before = before or bool(text[: max(start - position, 0)].strip())
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
    if before and width > 2:
        first = seen[0] if seen else Span("…")
        rest = set_cell_size(first.text[::-1], max(cell_len(first.text) - 1, 0))[::-1]
        seen[:1] = [Span("…" + rest, first.look)]
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

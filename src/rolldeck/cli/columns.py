"""Tables on stdout. Own code, since rich's Table takes 1.2 ms per row: 12 s for 10,000."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from rolldeck.cli.terminal import console
from rolldeck.text import clean_line

if TYPE_CHECKING:
    from rich.console import Console

_GAP = 2
"""Cells between two columns."""

_READABLE = 12
"""Cells to which the last column of texts is cut before any other is."""

_NARROWEST = 6
"""Cells to which a column may be cut where the terminal is too narrow."""

_HEAD = "bold dim"
_UNDER = "    "


class _Row(NamedTuple):
    """The cells of a line, each with its style; the last one may stand across the rest."""

    cells: tuple[tuple[str, str], ...]
    across: bool

    def without(self, number: int) -> _Row:
        """Return it without the cell of a column; what stands across stays."""
        if number >= len(self.cells) - self.across:
            return self
        return _Row(self.cells[:number] + self.cells[number + 1 :], self.across)

    def split(self) -> Iterable[_Row]:
        """Yield it without its last cell, then that cell on a line of its own."""
        if self.across:
            yield self
            return
        yield _Row(self.cells[:-1], across=False)
        text, style = self.cells[-1]
        if text:
            yield _Row(((_UNDER + text, style),), across=True)


def print_columns(
    columns: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[str | Text]],
    *,
    spare: Sequence[int] = (),
    under: bool = False,
) -> int:
    """Print rows under their heads; a column is (title, "left" or "right"), no cell is markup.

    Where a terminal is too narrow, the last column's cells stand on lines of their own with
    ``under``; the columns ``spare`` are left out in that order. What still does not fit is cut and
    ends in ``…``: the last text first, numbers last. The last cell of a row that has fewer than
    there are columns stands across the rest. Returns how many columns were left out.
    """
    out = console()
    heads = _Row(tuple((title, _HEAD) for title, _ in columns), across=False)
    lines = [heads, *(_row(row, len(columns)) for row in rows)]
    sides = [side for _, side in columns]
    left_out: list[int] = []
    widths = _widths(lines, len(sides))
    if out.is_terminal:
        if under and _excess(widths, out.width) > 0:
            del sides[-1]
            lines = [_Row(heads.cells[:-1], across=False)] + [
                part for line in lines[1:] for part in line.split()
            ]
            widths = _widths(lines, len(sides))
        while len(left_out) < len(spare) and _excess(widths, out.width) > 0:
            # The number of a column is one less for each to its left that is gone.
            gone = spare[len(left_out)]
            number = gone - sum(other < gone for other in left_out)
            left_out.append(gone)
            del sides[number]
            lines = [line.without(number) for line in lines]
            widths = _widths(lines, len(sides))
        widths = _fit(widths, sides, out.width)
    if not any(text for text, _ in lines[0].cells):
        del lines[0]
    paint = _painter(out)
    out.file.write("\n".join([*(_line(line, sides, widths, paint) for line in lines), ""]))
    return len(left_out)


def _row(row: Sequence[str | Text], count: int) -> _Row:
    cells = tuple(
        (clean_line(cell.plain), str(cell.style))
        if isinstance(cell, Text)
        else (clean_line(cell), "")
        for cell in row
    )
    return _Row(cells, across=len(cells) < count)


def _widths(lines: Sequence[_Row], count: int) -> list[int]:
    """Return the cells that each column takes; what stands across takes none."""
    widths = [0] * count
    for line in lines:
        for number, (text, _) in enumerate(line.cells[:-1] if line.across else line.cells):
            widths[number] = max(widths[number], cell_len(text))
    return widths


def _excess(widths: Sequence[int], width: int) -> int:
    return sum(widths) + _GAP * (len(widths) - 1) - width


def _fit(widths: Sequence[int], sides: Sequence[str], width: int) -> list[int]:
    """Return widths that fit: the last text cut first, then the widest text, then numbers."""
    widths = list(widths)
    texts = [number for number, side in enumerate(sides) if side == "left"]
    for numbers, least in (
        (texts[-1:], _READABLE),
        (texts, _NARROWEST),
        (range(len(widths)), _NARROWEST),
    ):
        while numbers and (excess := _excess(widths, width)) > 0:
            widest = max(numbers, key=lambda number: widths[number])
            others = [widths[number] for number in numbers if number != widest]
            # Down to the next widest at once: a cell at a time takes long where a text is long.
            floor = max([least, *(other - 1 for other in others if other <= widths[widest])])
            step = min(excess, widths[widest] - floor)
            if step <= 0:
                break
            widths[widest] -= step
    return widths


def _line(
    line: _Row,
    sides: Sequence[str],
    widths: Sequence[int],
    paint: Callable[[str, str], str],
) -> str:
    parts = []
    across = len(line.cells) - 1 if line.across else None
    for number, (text, style) in enumerate(line.cells):
        side, width = sides[number], widths[number]
        if number == across:
            width = cell_len(text)
        if cell_len(text) > width:
            text = set_cell_size(text, width - 1) + "…"
        blank = " " * (width - cell_len(text))
        painted = paint(text, style)
        parts.append(blank + painted if side == "right" else painted + blank)
    return (" " * _GAP).join(parts).rstrip()


def _painter(out: Console) -> Callable[[str, str], str]:
    """Return what puts a style around a text: nothing where the output has no colours."""
    if out.color_system is None:
        return lambda text, style: text
    from rich.console import COLOR_SYSTEMS

    system = COLOR_SYSTEMS[out.color_system]

    def paint(text: str, style: str) -> str:
        if not style or not text:
            return text
        found = out.get_style(style)
        return (found.without_color if out.no_color else found).render(text, color_system=system)

    return paint

"""Long tables on stdout. Own code, since rich's Table takes 1.2 ms per row: 12 s for 10,000."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from rolldeck.cli.terminal import console
from rolldeck.text import clean_line

if TYPE_CHECKING:
    from rich.console import Console

_GAP = 2
"""Cells between two columns."""

_NARROWEST = 6
"""Cells to which a column may be cut where the terminal is too narrow."""

_HEAD = "bold dim"


def print_columns(
    columns: Sequence[tuple[str, str]],
    rows: Sequence[Sequence[str | Text]],
    *,
    whole: bool = False,
) -> None:
    """Print rows under their heads; a column is (title, "left" or "right"), no cell is markup.

    Where the terminal is too narrow, and not ``whole`` lines are wanted, the widest columns are cut
    and end in ``…``. The last cell of a row that has fewer than there are columns stands across the
    rest.
    """
    out = console()
    cells = [[_plain(cell) for cell in row] for row in rows]
    aligned = [row if len(row) == len(columns) else row[:-1] for row in cells]
    widths = [
        max([cell_len(title), *(cell_len(row[number]) for row in aligned if number < len(row))])
        for number, (title, _) in enumerate(columns)
    ]
    widths = widths if whole else _fit(widths, out.width)
    paint = _painter(out)
    lines = [_line(columns, widths, [(title, _HEAD) for title, _ in columns], paint)]
    for row, texts in zip(rows, cells, strict=True):
        styles = [str(cell.style) if isinstance(cell, Text) else "" for cell in row]
        lines.append(_line(columns, widths, list(zip(texts, styles, strict=True)), paint))
    out.file.write("\n".join([*lines, ""]))


def _plain(cell: str | Text) -> str:
    return clean_line(cell.plain if isinstance(cell, Text) else cell)


def _fit(widths: list[int], width: int) -> list[int]:
    """Return widths that fit, the widest columns cut first."""
    widths = list(widths)
    excess = sum(widths) + _GAP * (len(widths) - 1) - width
    while excess > 0 and max(widths) > _NARROWEST:
        widest = widths.index(max(widths))
        widths[widest] -= 1
        excess -= 1
    return widths


def _line(
    columns: Sequence[tuple[str, str]],
    widths: Sequence[int],
    cells: Sequence[tuple[str, str]],
    paint: Callable[[str, str], str],
) -> str:
    parts = []
    across = len(cells) - 1 if len(cells) < len(columns) else None
    for number, (text, style) in enumerate(cells):
        side, width = columns[number][1], widths[number]
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

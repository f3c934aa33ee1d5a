"""The parts of a progress as rows: name, bar, share, amount and what each does.

The same rows stand in the deck and on stderr; each front end gives them its colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from rolldeck.columns import cut, left
from rolldeck.pace import Pace
from rolldeck.progress import PartState
from rolldeck.text import clean_line
from rolldeck.units import amount

_LONGEST_BAR = 24
_SHORTEST_BAR = 8
_LONGEST_NAME = 32
_LEAST_DOING = 22
"""Cells of what a part does that amounts do not take: rate and time left."""


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """One row, its columns as wide as those of its neighbours.

    ``filled`` and ``empty`` are the two parts of the bar, both empty where there is no room for
    one.
    """

    state: PartState
    name: str
    filled: str
    empty: str
    figures: str
    doing: str


def progress_rows(
    paces: Sequence[Pace], width: int, now: float, name: str = ""
) -> list[ProgressRow]:
    """Return a row for each progress, at most ``width`` cells wide; ``now`` is monotonic.

    A progress without a name of its own is called ``name``.
    """
    names = [clean_line(pace.progress.name or name, 200) for pace in paces]
    amounts = [amount(pace.progress.done, pace.progress.total) for pace in paces]
    doings = [clean_line(pace.doing(now), 200) for pace in paces]
    first = min(max(map(cell_len, names), default=0), _LONGEST_NAME, width // 3)
    second = max(map(len, amounts), default=0)
    third = max(map(cell_len, doings), default=0)
    room = width - first - second - len("100 %") - 6
    if room < min(third, _LEAST_DOING):
        amounts, room = [""] * len(amounts), room + second + 2
        second = 0
    bar = min(room - third - 2, _LONGEST_BAR)
    rows = []
    for pace, called, size, doing in zip(paces, names, amounts, doings, strict=True):
        filled = bar * pace.progress.percent // 100 if bar >= _SHORTEST_BAR else 0
        unfilled = "─" * (bar - filled) if bar >= _SHORTEST_BAR else ""
        figures = f"{pace.progress.percent:3} %  {size.rjust(second)}".rstrip()
        if not pace.progress.total:
            # Nothing is known to be counted yet, or ever will be: a bar would say that it stands.
            unfilled, figures = " " * len(unfilled), " " * len(figures)
        rows.append(
            ProgressRow(
                pace.progress.state,
                left(called, first),
                "━" * filled,
                unfilled,
                figures,
                cut(doing, room if bar < _SHORTEST_BAR else third),
            )
        )
    return rows

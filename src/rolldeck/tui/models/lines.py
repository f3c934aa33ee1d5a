"""Lines of styled spans: what a view draws, decided without an app."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len, set_cell_size

from rolldeck.columns import cut as cut
from rolldeck.columns import left as left
from rolldeck.columns import right as right

Look = Literal[
    "plain",
    "bright",
    "dim",
    "accent",
    "better",
    "worse",
    "changed",
    "added",
    "removed",
    "added-part",
    "removed-part",
]
"""How a span looks; a view maps each to its theme's colours."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text with one look."""

    text: str
    look: Look = "plain"


@dataclass(frozen=True, slots=True)
class Stop:
    """A place the cursor can rest on: columns ``start`` to ``end`` of a line (end None = all)."""

    line: int
    target: Hashable
    start: int = 0
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a view."""

    spans: tuple[Span, ...] = ()

    @property
    def text(self) -> str:
        """The line without its looks."""
        return "".join(span.text for span in self.spans)

    @property
    def width(self) -> int:
        """How many cells the line takes."""
        return sum(cell_len(span.text) for span in self.spans)


def line(*parts: str | Span) -> Line:
    """Return a line of spans; a plain string is a span with the plain look."""
    return Line(tuple(Span(part) if isinstance(part, str) else part for part in parts))


def wrap(text: str, width: int, limit: int = 0) -> list[str]:
    """Return ``text`` in lines of at most ``width`` cells, broken at spaces where possible.

    ``limit`` is the most lines wanted; the last then ends with an ellipsis. 0 = all.
    """
    width = max(width, 1)
    lines: list[str] = []
    current = ""
    for word in text.split(" "):
        while cell_len(word) > width:
            if current:
                lines.append(current)
                current = ""
            head = set_cell_size(word, width).rstrip() or word[0]
            lines.append(head)
            word = word[len(head) :]
        joined = f"{current} {word}" if current else word
        if cell_len(joined) > width:
            lines.append(current)
            current = word
        else:
            current = joined
    lines.append(current)
    if limit and len(lines) > limit:
        lines[limit - 1 :] = [cut(f"{lines[limit - 1]} {lines[limit]}", width - 1) or "…"]
        if not lines[-1].endswith("…"):
            lines[-1] += "…"
    return lines

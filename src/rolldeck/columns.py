"""Text cut and padded to columns of a terminal, whose cells a character may take two of."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size


def cut(text: str, width: int) -> str:
    """Return ``text`` in at most ``width`` cells, with an ellipsis where something is left out."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…"


def left(text: str, width: int) -> str:
    """Return ``text`` cut and padded to ``width`` cells, at the left."""
    text = cut(text, width)
    return text + " " * (width - cell_len(text))


def right(text: str, width: int) -> str:
    """Return ``text`` cut and padded to ``width`` cells, at the right."""
    text = cut(text, width)
    return " " * (width - cell_len(text)) + text

"""Rows and columns of a small table of text: CSV or TSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from rolldeck.facts.document import number

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_SNIFFED = 64 * 1024


def is_table(path: str) -> bool:
    """Whether a path ends as a table of text does."""
    return path[-4:].lower() in _DELIMITERS


def table_shape(path: str, data: bytes) -> tuple[int | None, int | None]:
    """Return rows and columns of the whole file, None and None where it is no table.

    The first line is a header and no row where none of its cells is a number. A CSV whose first
    line holds semicolons and no commas is separated by these.
    """
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None, None
    if "\0" in content[:_SNIFFED]:
        return None, None
    first = content[:_SNIFFED].partition("\n")[0]
    delimiter = _DELIMITERS.get(path[-4:].lower(), ",")
    if delimiter == "," and "," not in first and ";" in first:
        delimiter = ";"
    rows = 0
    header: Sequence[str] | None = None
    try:
        for row in csv.reader(io.StringIO(content, newline=""), delimiter=delimiter):
            if header is None and row:
                header = row
            rows += bool(row)
    except csv.Error:
        return None, None
    if header is None:
        return 0, None
    named = not any(number(cell) is not None for cell in header)
    return rows - named, len(header)

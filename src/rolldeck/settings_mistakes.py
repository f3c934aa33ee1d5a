"""Mistakes in the settings file and policies, with their line and what was probably meant.

Loaded only where there is a mistake. The line is found by reading ever more of the file with the
standard library's own parser: a key begins where the text before it is whole.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rolldeck.errors import UsageError
from rolldeck.text import clean_line

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_BARE = re.compile(r"[A-Za-z0-9_-]+")

_MOST_MISTAKES = 20
"""Mistakes whose lines are looked for; only the first is told."""

_EXPECTED = {
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "string_type": "a text in quotes",
    "path_type": "a path in quotes",
    "tuple_type": 'a list, such as ["a", "b"]',
    "mapping_type": "a table",
    "dict_type": "a table",
    "dataclass_type": "a table",
}
"""What pydantic's kinds of errors ask for, in words of the file."""


def syntax_mistake(
    path: Path, text: str, error: tomllib.TOMLDecodeError, page: str = "docs/settings.md"
) -> UsageError:
    """Return the error for a file that is no TOML."""
    place = _PLACE.search(str(error))
    reason = str(error)[: place.start()] if place else str(error)
    where = str(max(len(text.splitlines()), 1))
    if place and place[1]:
        where = f"{place[1]}:{place[2]}"
    return UsageError(
        f"{path}:{where}: not TOML: {clean_line(reason[:1].lower() + reason[1:], 200)}",
        reference=str(path),
        hint=f"Texts stand in quotes, true and false in lower case; see {page}.",
    )


def key_mistake(
    path: Path,
    text: str,
    errors: Sequence[Mapping[str, Any]],
    top: Sequence[str],
    registry: Sequence[str],
) -> UsageError:
    """Return the error for the first mistake in the file of those that pydantic found.

    ``top`` are the keys of the file, ``registry`` those of a table of one registry.
    """

    def meant(key: str, table: Sequence[str]) -> str:
        known, elsewhere = (registry, top) if table else (top, registry)
        return _meant(key, known, elsewhere, in_table=bool(table))

    return _first_mistake(path, text, errors, meant)


def table_mistake(
    path: Path,
    text: str,
    errors: Sequence[Mapping[str, Any]],
    top: Sequence[str],
    table: Sequence[str],
) -> UsageError:
    """Return the error for the first mistake in a file of tables that all have the same keys.

    ``top`` are the keys of the file, ``table`` those of each table.
    """

    def meant(key: str, inside: Sequence[str]) -> str:
        return _meant(key, table if inside else top, (), in_table=bool(inside))

    return _first_mistake(path, text, errors, meant)


def _first_mistake(
    path: Path,
    text: str,
    errors: Sequence[Mapping[str, Any]],
    meant: Callable[[str, Sequence[str]], str],
) -> UsageError:
    placed = [(_line_of(text, _keys(error)), error) for error in errors[:_MOST_MISTAKES]]
    line, error = min(placed, key=lambda item: item[0])
    *table, key = _keys(error) or [""]
    kind = str(error["type"])
    if "unexpected" in kind or "extra" in kind:
        said = f'no such key "{clean_line(key, 80)}"{_inside(table)}'
        hint = meant(key, table)
    elif kind == "missing":
        said = f'"{clean_line(key, 80)}"{_inside(table)} is missing'
        hint = meant(key, table)
    else:
        expected = _EXPECTED.get(kind) or _one_of(error)
        wanted = f"should be {expected}" if expected else clean_line(str(error["msg"]), 200)
        said = f'"{clean_line(key, 80)}"{_inside(table)} {wanted}'
        hint = f"Found: {_shown(error['input'])}."
    return UsageError(f"{path}:{line}: {said}", reference=str(path), hint=hint)


def _one_of(error: Mapping[str, Any]) -> str | None:
    """Return the words of which a value should be one: ``higher, lower or none, in quotes``."""
    if error["type"] != "literal_error":
        return None
    return f"{error['ctx']['expected'].replace(chr(39), '')}, in quotes"


def _keys(error: Mapping[str, Any]) -> list[str]:
    return [part for part in error["loc"] if isinstance(part, str)]


def _shown(value: Any) -> str:
    # A list or a table may hold what is nobody's business.
    if isinstance(value, list):
        return "a list"
    return "a table" if isinstance(value, dict) else clean_line(repr(value), 80)


def range_mistake(path: Path, text: str, key: str, wanted: str) -> UsageError:
    """Return the error for a value of the right type that makes no sense."""
    return value_mistake(path, text, [key], wanted)


def value_mistake(path: Path, text: str, keys: Sequence[str], wanted: str) -> UsageError:
    """Return the same for a key in tables: ``keys`` are their names, then its own."""
    *table, key = keys
    said = f'"{clean_line(key, 80)}"{_inside(table)} should be {wanted}'
    return UsageError(f"{path}:{_line_of(text, keys)}: {said}", reference=str(path))


def _inside(table: Sequence[str]) -> str:
    if not table:
        return ""
    names = (name if _BARE.fullmatch(name) else f'"{clean_line(name, 80)}"' for name in table)
    return f" in [{'.'.join(names)}]"


def _meant(key: str, known: Sequence[str], elsewhere: Sequence[str], *, in_table: bool) -> str:
    if key in elsewhere:
        if in_table:
            return f"{key} stands at the top of the file, before the first [table]."
        return f'{key} stands in the table of a registry: [registries."HOST"].'
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]}?"
    return f"Known keys: {', '.join(known)}."


def _line_of(text: str, keys: Sequence[str]) -> int:
    """Return the line, from 1, in which a key is given its value; 1 where it cannot be found."""
    lines = text.splitlines(keepends=True)
    whole = 0
    for count in range(1, len(lines) + 1):
        try:
            read: Any = tomllib.loads("".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue
        for key in keys:
            read = read.get(key) if isinstance(read, dict) else None
        if read is not None:
            return whole + 1
        whole = count
    return 1

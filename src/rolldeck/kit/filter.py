"""Filters: which elements of a kit are wanted, in the grammar of ``kit unpack --filter``.

``TYPE[,TYPE...][:ID[,ID...]]``: an element is wanted where one of several filters names its type
and, unless that filter has no ids, its name or its path. Both are compared letter by letter with
what the Kitfile says: ``./README.md`` is not ``README.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rolldeck.errors import UsageError
from rolldeck.text import clean_line

_TYPE_OF = {
    "model": "model",
    "modelpart": "model",
    "dataset": "datasets",
    "code": "code",
    "prompt": "prompts",
    "docs": "docs",
    "mcpb": "mcpservers",
}
"""What filters call an element, by its kind; any other kind has no name there."""

FILTER_TYPES = ("kitfile", "model", "datasets", "code", "prompts", "docs", "mcpservers")

_NAMELESS = ("code", "docs")
"""Types whose elements have only a path."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter; without ``ids`` it takes every element of its ``types``."""

    types: tuple[str, ...]
    ids: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ",".join(self.types) + (f":{','.join(self.ids)}" if self.ids else "")

    def takes(self, kind: str, name: str | None, path: str | None) -> bool:
        """Whether it takes an element of a kind (as ``Layer.kind``)."""
        found = _TYPE_OF.get(kind)
        if found not in self.types:
            return False
        names = [path or ""] if found in _NAMELESS else [name or "", path or ""]
        return not self.ids or any(item in self.ids for item in names)


def parse_filter(text: str) -> Filter:
    """Read a filter; raises UsageError where kit would refuse it."""
    types, *ids = text.split(":")
    shown = clean_line(text, 100)
    hint = f"Types are {', '.join(FILTER_TYPES)}."
    if len(ids) > 1:
        raise UsageError(
            f"Not a filter: {shown}: it has more than one colon",
            hint="Write TYPE[,TYPE...][:NAME-OR-PATH[,NAME-OR-PATH...]]. " + hint,
        )
    for item in types.split(","):
        if item not in FILTER_TYPES:
            raise UsageError(f"Not a filter: {shown}: no type {clean_line(item, 40)!r}", hint=hint)
    return Filter(tuple(types.split(",")), tuple(ids[0].split(",")) if ids else ())


def is_wanted(
    filters: Iterable[Filter], kind: str, name: str | None = None, path: str | None = None
) -> bool:
    """Whether an element is wanted: where there are no filters, all are."""
    filters = tuple(filters)
    return not filters or any(item.takes(kind, name, path) for item in filters)


def wants_kitfile(filters: Sequence[Filter]) -> bool:
    """Whether the Kitfile is wanted; ids do not matter for it."""
    return not filters or any("kitfile" in item.types for item in filters)


def filter_of(kind: str, name: str | None, path: str | None) -> Filter | None:
    """Return the filter for one element, None for a kind that no filter names."""
    found = _TYPE_OF.get(kind)
    return Filter((found,), (path or name or "",)) if found else None


def lending_filters(filters: Sequence[Filter]) -> tuple[Filter, ...] | None:
    """Return the filters for kits that lend the model, None where nothing of them is wanted."""
    if not filters:
        return ()
    return tuple(replace(x, types=("model",)) for x in filters if "model" in x.types) or None

"""The elements of a version as a list to tick, and the filters that say what is ticked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rolldeck.errors import UsageError
from rolldeck.kit import Filter, Kit, parse_filter
from rolldeck.kit.filter import filter_of
from rolldeck.text import clean_line
from rolldeck.units import human_size

_KITFILE = Filter(("kitfile",))


@dataclass(frozen=True, slots=True)
class Element:
    """One element: the filter for it alone, what to call it, stored bytes.

    ``kind``, ``name`` and ``path`` are what filters look at, as in ``Layer``.
    """

    own: Filter
    label: str
    size: int
    kind: str = "kitfile"
    name: str | None = None
    path: str | None = None

    def is_taken(self, filters: Sequence[Filter]) -> bool:
        """Whether filters take it."""
        if self.kind == "kitfile":
            return any("kitfile" in item.types for item in filters)
        return any(item.takes(self.kind, self.name, self.path) for item in filters)


def elements_of(kit: Kit) -> list[Element]:
    """Return what can be unpacked of a version, with what other kits lend it."""
    found = [Element(_KITFILE, "Kitfile", 0)] if kit.brings_kitfile else []
    for layer in kit.layers:
        own = filter_of(layer.kind, layer.name, layer.path)
        if own is None or layer.form == "unknown":
            continue
        named = [layer.name or "", layer.path or ""]
        words = "  ".join(clean_line(word, 60) for word in dict.fromkeys(named) if word)
        lent = f"  lent by {clean_line(layer.origin, 60)}" if layer.origin else ""
        label = f"{layer.kind:<9}  {words}{lent}"
        found.append(Element(own, label, layer.size, layer.kind, layer.name, layer.path))
    return found


def filters_for(elements: Sequence[Element], ticked: Collection[int]) -> tuple[Filter, ...] | None:
    """Return the filters that take exactly the ticked elements, by number; none where all are.

    None where the grammar has no words for that: two elements that have one name and path, or a
    path with a comma or a colon.
    """
    if len(ticked) == len(elements):
        return ()
    whole: list[str] = []
    some: dict[str, list[str]] = {}
    for number, element in enumerate(elements):
        kind = element.own.types[0]
        of_kind = {n for n, other in enumerate(elements) if other.own.types[0] == kind}
        if number not in ticked:
            continue
        if of_kind <= set(ticked):
            if kind not in whole:
                whole.append(kind)
        else:
            some.setdefault(kind, []).extend(element.own.ids)
    found = [Filter(tuple(whole))] if whole else []
    found += [Filter((kind,), tuple(ids)) for kind, ids in some.items()]
    taken = {number for number, element in enumerate(elements) if element.is_taken(found)}
    return tuple(found) if taken == set(ticked) and all(map(_can_be_said, found)) else None


def _can_be_said(item: Filter) -> bool:
    try:
        return parse_filter(str(item)) == item
    except UsageError:
        return False


def choice_words(elements: Sequence[Element], ticked: Collection[int]) -> str:
    """Return how much is ticked: ``2 of 5, 1.1 GiB``."""
    size = sum(elements[number].size for number in ticked)
    return f"{len(ticked)} of {len(elements)} ticked, {human_size(size)}"


def filter_arguments(filters: Sequence[Filter]) -> list[str]:
    """Return the words that say filters on the command line."""
    return [word for item in filters for word in ("-f", str(item))]

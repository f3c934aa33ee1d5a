"""The filter: what stays of a list while a user types after ``/``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Term:
    text: str
    column: str | None
    inverted: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter: all its words must hold.

    A word is ``text`` (found in any column), ``column:text`` (found in that one), and either with
    ``!`` in front (not found). Case makes no difference.
    """

    terms: tuple[_Term, ...] = ()

    @classmethod
    def parse(cls, text: str, columns: Iterable[str]) -> Filter:
        """Parse a filter; a word before ``:`` that is no column is just text."""
        known = set(columns)
        terms = []
        for word in text.casefold().split():
            inverted = word.startswith("!")
            word = word[1:] if inverted else word
            name, colon, rest = word.partition(":")
            column = name if colon and name in known else None
            needle = rest if column else word
            if needle:
                terms.append(_Term(needle, column, inverted))
        return cls(tuple(terms))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def matches(self, cells: Mapping[str, str]) -> bool:
        """Whether a row stays; ``cells`` holds its columns in folded case."""
        for term in self.terms:
            if term.column is not None:
                found = term.text in cells.get(term.column, "")
            else:
                found = any(term.text in cell for cell in cells.values())
            if found == term.inverted:
                return False
        return True


def choose(rows: Sequence[Mapping[str, str]], wanted: Filter) -> list[int]:
    """Return the numbers of the rows that stay, in their order."""
    if not wanted:
        return list(range(len(rows)))
    return [number for number, cells in enumerate(rows) if wanted.matches(cells)]

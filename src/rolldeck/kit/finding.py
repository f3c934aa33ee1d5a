"""What a check found in a Kitfile or beside it: where, how bad, and what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from rolldeck.kit.strict_yaml import Place
from rolldeck.text import clean_line

Severity = Literal["error", "warning", "info"]
"""An error stops a pack; a warning is about what was probably not meant; info is only told."""

_SHOWN = 3
_COMPARED = 2_000
_MESSAGE_LIMIT = 400


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found; line and column count from 1, the texts are safe to show.

    ``file`` is the Kitfile's name, or that of the file beside it.
    """

    file: str
    line: int
    column: int
    severity: Severity
    message: str
    hint: str | None = None


class Findings:
    """Collects what the checks of one Kitfile find."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: list[Finding] = []

    def error(self, place: Place, message: str, hint: str | None = None) -> None:
        """Add a mistake; packing is refused."""
        self.add(self.file, place, "error", message, hint)

    def warning(self, place: Place, message: str, hint: str | None = None) -> None:
        """Add something that is packed otherwise than was probably meant."""
        self.add(self.file, place, "warning", message, hint)

    def info(self, place: Place, message: str, hint: str | None = None) -> None:
        """Add something worth knowing."""
        self.add(self.file, place, "info", message, hint)

    def add(
        self, file: str, place: Place, severity: Severity, message: str, hint: str | None = None
    ) -> None:
        """Add a finding in a file."""
        message = clean_line(message, _MESSAGE_LIMIT)
        hint = clean_line(hint, _MESSAGE_LIMIT) if hint else None
        self._found.append(Finding(file, place.line, place.column, severity, message, hint))

    @property
    def ok(self) -> bool:
        """Whether no mistake was found so far."""
        return not any(item.severity == "error" for item in self._found)

    def in_order(self) -> tuple[Finding, ...]:
        """Return each finding once, by file and place."""
        found = dict.fromkeys(self._found)
        return tuple(sorted(found, key=lambda item: (item.file, item.line, item.column)))


def closest(word: str, known: Collection[str]) -> str | None:
    """Return the known word that was probably meant, letter case aside; None where none is near."""
    half = len(word) // 2 + 1
    similar = (item for item in known if abs(len(item) - len(word)) <= half)
    folded = {item.casefold(): item for item in sorted(islice(similar, _COMPARED), reverse=True)}
    near = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def some(names: Collection[str]) -> str:
    """Return the first few of many names as text: ``a, b, c and 5 more``."""
    first = ", ".join(list(names)[:_SHOWN])
    more = len(names) - _SHOWN
    return f"{first} and {more} more" if more > 0 else first

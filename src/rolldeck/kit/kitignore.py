"""What ``.kitignore`` keeps out of all layers, decided as kit does.

The patterns are Docker's (moby/patternmatcher, ``MatchesOrParentMatches``): anchored at the
context, ``*`` and ``?`` stop at a slash, ``**`` does not, ``!`` takes back, the last match decides,
and what lies in a matched directory is matched. pathspec follows git, whose patterns without a
slash match at any depth, so it would leave out other files than kit.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

KITIGNORE = ".kitignore"

_CLASS = re.compile(r"\[\^?(?:(?:\\.|[^\\\]-])(?:-(?:\\.|[^\\\]-]))?)+\]", re.DOTALL)


class BadPatternError(ValueError):
    """A pattern that kit refuses; ``line`` counts from 1, the message says what is wrong."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of the file: its number from 1, its text, and whether it takes back (``!``)."""

    line: int
    text: str
    takes_back: bool
    regex: re.Pattern[str]


class KitIgnore:
    """The patterns of one ``.kitignore``."""

    def __init__(self, patterns: Sequence[Pattern] = ()) -> None:
        self.patterns = tuple(patterns)
        self._directories: dict[str, tuple[bool, ...]] = {"": (False,) * len(self.patterns)}

    def hides(self, path: str) -> bool:
        """Whether a path (relative to the context, with slashes) is in no layer."""
        return self.hidden_by(path) is not None

    def hidden_by(self, path: str) -> Pattern | None:
        """Return the pattern that hides a path, None where none does."""
        if not self.patterns:
            return None
        above = self._matches(posixpath.dirname(path))
        found = None
        for number, pattern in enumerate(self.patterns):
            is_hidden = found is not None
            if pattern.takes_back == is_hidden and (above[number] or pattern.regex.fullmatch(path)):
                found = None if pattern.takes_back else pattern
        return found

    def _matches(self, directory: str) -> tuple[bool, ...]:
        """Return which patterns match a directory or one above it; each is looked at once."""
        if directory not in self._directories:
            above = self._matches(posixpath.dirname(directory))
            self._directories[directory] = tuple(
                match or pattern.regex.fullmatch(directory) is not None
                for match, pattern in zip(above, self.patterns, strict=True)
            )
        return self._directories[directory]


def parse_kitignore(data: bytes) -> tuple[KitIgnore, tuple[BadPatternError, ...]]:
    """Read the file; returns what is understood, and the patterns that kit would refuse."""
    patterns, bad = [], []
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    for number, line in enumerate(text.split("\n"), 1):
        pattern = line.strip()
        if line.startswith("#") or not pattern:
            continue
        try:
            body = _cleaned(pattern)
            if body == "!":
                raise BadPatternError(number, "! takes nothing back")
            takes_back = body.startswith("!")
            regex = _regex(number, body[1:] if takes_back else body)
            patterns.append(Pattern(number, pattern, takes_back, regex))
        except BadPatternError as error:
            bad.append(error)
    return KitIgnore(patterns), tuple(bad)


def _cleaned(pattern: str) -> str:
    """Clean the path in a pattern as Go does, first without the ``!``, then with it."""
    mark = "!" if pattern.startswith("!") else ""
    path = pattern.removeprefix("!").strip()
    if path:
        path = _normal(path)
        path = path[1:] if len(path) > 1 and path.startswith("/") else path
    return _normal((mark + path).strip())


def _normal(path: str) -> str:
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def _regex(line: int, pattern: str) -> re.Pattern[str]:
    if pattern.startswith("**") and not re.search(r"[*?\[\]\\]", pattern[2:]):
        # Only at the start is ** taken for "ends with", so that **.log matches a/b.log.
        end = pattern[2:]
        whole = f"|{re.escape(end[1:])}" if end.startswith("/") else ""
        return re.compile(f".*{re.escape(end)}{whole}", re.DOTALL)
    made = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "*" and pattern.startswith("*", position):
            position += 1
            position += pattern.startswith("/", position)
            made.append("(?:.*/)?" if position < len(pattern) else ".*")
        elif char == "*":
            made.append("[^/]*")
        elif char == "?":
            made.append("[^/]")
        elif char == "[":
            found = _CLASS.match(pattern, position - 1)
            if found is None:
                raise BadPatternError(line, f"the set in {pattern} is not closed, or empty")
            made.append(_set(found.group()))
            position = found.end()
        elif char == "\\":
            if position == len(pattern):
                raise BadPatternError(line, f"{pattern} ends with a backslash")
            made.append(re.escape(pattern[position]))
            position += 1
        else:
            made.append(re.escape(char))
    try:
        return re.compile("".join(made), re.DOTALL)
    except re.error as error:
        raise BadPatternError(line, f"{pattern}: {error}") from None


def _set(text: str) -> str:
    """Return a set of characters for Python, where ``[``, ``&&`` and the like would mean more."""
    return "[" + re.sub(r"(?<!\\)([\[&~|])", r"\\\1", text[1:])

"""Local YAML files, read strictly and with the meaning that kit gives them.

PyYAML parses; the values are Go yaml.v3's (``go_scalar``). Anchors, aliases, merge keys, tags and
duplicate keys are errors that name their line: kit accepts some of them, but a file that expands
when it is read cannot be bounded. The tree is built from events, so limits hold while parsing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import yaml
from yaml.reader import Reader

from rolldeck.errors import UsageError
from rolldeck.kit.go_scalar import resolve
from rolldeck.text import clean_line

SIZE_LIMIT = 256 * 1024
"""Largest file read, in bytes."""

DEPTH_LIMIT = 32
"""Deepest nesting of collections."""

NODE_LIMIT = 20_000
"""Most scalars and collections in one file."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_COLON = "Put text that holds ': ' in quotes."
_INDENT = "Lines of one list or mapping begin in the same column; a list item begins with '- '."
_HINTS = (
    ("cannot start any token", "Put text that begins with a special character in quotes."),
    ("mapping values are not allowed", _COLON),
    ("could not find expected ':'", "Write it as 'name: value', with a space after the colon."),
    ("did not find expected", _INDENT),
    ("unexpected end of stream", "A quote is opened and not closed."),
)


class Place(NamedTuple):
    """Where something stands in a file: line and column, both from 1."""

    line: int
    column: int


Report = Callable[[Place, str, str | None], None]
"""Takes a problem: its place, what it is, and what was probably meant."""


class _StopReadingError(Exception):
    """The rest of the file cannot be read."""


@dataclass(frozen=True, slots=True)
class YamlNode:
    """One value with its place: text, a list of nodes, or a mapping from text to nodes.

    ``quoted`` text is text whatever it looks like; plain text means what ``resolve`` says. ``key``
    is the place of the key that the value belongs to. A ``partial`` value misses what could not be
    read of it.
    """

    place: Place
    value: str | list[YamlNode] | dict[str, YamlNode]
    quoted: bool = False
    key: Place | None = None
    partial: bool = False

    @property
    def line(self) -> int:
        """The line in which it begins, from 1."""
        return self.place.line

    def plain(self) -> Any:
        """Return the value as JSON has it; timestamps become RFC 3339 text."""
        if isinstance(self.value, str):
            found = self.value if self.quoted else resolve(self.value)
            return str(found) if isinstance(found, str) else found
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return {key: item.plain() for key, item in self.value.items()}

    @property
    def is_null(self) -> bool:
        """Whether this is the absence of a value: ``null``, ``~`` or nothing."""
        return isinstance(self.value, str) and not self.quoted and resolve(self.value) is None


def load_yaml(data: bytes, name: str) -> YamlNode:
    """Parse the one document of the file called ``name``; raises UsageError naming the line."""

    def refuse(place: Place, problem: str, hint: str | None) -> None:
        raise yaml_error(name, place.line, problem, hint)

    root = read_yaml(data, refuse)
    if root is None:
        raise UsageError(f"{name} is empty", reference=name)
    return root


def read_yaml(data: bytes, report: Report) -> YamlNode | None:
    """Parse the one document of a file, telling ``report`` of every problem and reading on.

    Returns None where there is nothing to read. What follows an error of syntax is not read.
    """
    if len(data) > SIZE_LIMIT:
        report(Place(1, 1), f"larger than {SIZE_LIMIT // 1024} KiB", None)
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        report(_place_of(data, error.start), "not UTF-8 text", "Save the file as UTF-8.")
        return None
    if found := Reader.NON_PRINTABLE.search(text):
        what = f"not YAML: the character U+{ord(found.group()):04X} is not allowed"
        report(_place_of(text.encode(), len(text[: found.start()].encode())), what, None)
        return None
    try:
        return _Composer(text, report).document()
    except _StopReadingError:
        return None
    except RecursionError:
        report(Place(1, 1), "not YAML: nested too deeply", None)
        return None


def yaml_error(name: str, line: int, problem: str, hint: str | None = None) -> UsageError:
    """Return the error for a problem in a line (from 1) of a file."""
    return UsageError(f"{name}, line {line}: {clean_line(problem, 200)}", reference=name, hint=hint)


def _place_of(data: bytes, offset: int) -> Place:
    before = data[:offset]
    start = before.rfind(b"\n") + 1
    return Place(before.count(b"\n") + 1, len(before[start:].decode(errors="replace")) + 1)


def _mark(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


class _Composer:
    def __init__(self, text: str, report: Report) -> None:
        self._text = text
        self._events = self._until_broken()
        self._report = report
        self._nodes = 0

    def _until_broken(self) -> Iterator[Any]:
        """Yield the events; after an error of syntax None, which ends every open collection."""
        try:
            yield from yaml.parse(self._text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = _mark(mark) if mark else Place(1, 1)
            problem = str(error.problem or error.context)
            hint = next((hint for words, hint in _HINTS if words in problem), None)
            line = self._text.split("\n")[place.line - 1 : place.line]
            if line and line[0][place.column - 1 : place.column] == "\t":
                hint = "Indent with spaces, not with a tab."
            self._report(place, problem, hint)
        except yaml.YAMLError as error:
            self._report(Place(1, 1), f"not YAML: {error}", None)
        while True:
            yield None

    def document(self) -> YamlNode | None:
        """Compose the only document of the stream; None where there is none."""
        root = None
        while (event := next(self._events)) is not None:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self._tell(event, "a second document; only one is read")
                    break
                root = self._node(next(self._events), 0)
        return root

    def _tell(self, event: Any, problem: str, hint: str | None = None) -> None:
        self._report(_mark(event.start_mark), problem, hint)

    def _node(self, event: Any, depth: int) -> YamlNode:
        if event is None:
            return YamlNode(Place(1, 1), "", partial=True)
        self._nodes += 1
        if self._nodes > NODE_LIMIT:
            self._tell(event, f"over {NODE_LIMIT} values")
            raise _StopReadingError
        if depth > DEPTH_LIMIT:
            self._tell(event, f"nested deeper than {DEPTH_LIMIT}")
            raise _StopReadingError
        place = _mark(event.start_mark)
        is_alias = isinstance(event, yaml.AliasEvent)
        if is_alias or event.anchor:
            hint = "kit reads them, rolldeck does not: write the value out."
            self._tell(event, "anchors and aliases are not allowed", hint)
        if is_alias:
            return YamlNode(place, "", partial=True)
        if event.tag:
            self._tell(event, "tags are not allowed", "Write the value without its tag.")
        if isinstance(event, yaml.ScalarEvent):
            return YamlNode(place, event.value, not event.implicit[0], partial=bool(event.tag))
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(place, depth)
        return self._pairs(place, depth)

    def _items(self, place: Place, depth: int) -> YamlNode:
        items: list[YamlNode] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            if event is None:
                items[-1:] = [replace(item, partial=True) for item in items[-1:]]
                return YamlNode(place, items, partial=True)
            items.append(self._node(event, depth + 1))
        return YamlNode(place, items)

    def _pairs(self, place: Place, depth: int) -> YamlNode:
        pairs: dict[str, YamlNode] = {}
        partial = False
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if event is None:
                for last in list(pairs)[-1:]:
                    pairs[last] = replace(pairs[last], partial=True)
                return YamlNode(place, pairs, partial=True)
            key = self._node(event, depth + 1)
            name = self._key(event, key, pairs)
            value = self._node(next(self._events), depth + 1)
            if name is None:
                partial = True
            else:
                pairs[name] = replace(value, key=key.place)
        return YamlNode(place, pairs, partial=partial)

    def _key(self, event: Any, key: YamlNode, pairs: dict[str, YamlNode]) -> str | None:
        """Return the name that a key gives its value; None where that value does not count."""
        if not isinstance(key.value, str) or key.partial:
            self._tell(event, "a key must be text")
        elif not key.quoted and key.value == "<<":
            hint = "kit reads them, rolldeck does not: write the values out."
            self._tell(event, "merge keys are not allowed", hint)
        elif not key.quoted and resolve(key.value) is not key.value:
            self._tell(event, f"the key {key.value} is not text", "Put it in quotes.")
        elif first := pairs.get(key.value):
            line = first.key.line if first.key else first.line
            hint = "Keep one of them; for two elements of a kind, make a list of them."
            self._tell(event, f"the key {key.value} stands already in line {line}", hint)
        else:
            return key.value
        return None

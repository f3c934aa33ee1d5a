"""Local YAML files, read strictly and with the meaning that kit gives them.

PyYAML parses; the values are Go yaml.v3's (``go_scalar``). Anchors, aliases, merge keys, tags and
duplicate keys are errors that name their line: kit accepts some of them, but a file that expands
when it is read cannot be bounded. The tree is built from events, so limits hold while parsing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

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


@dataclass(frozen=True, slots=True)
class YamlNode:
    """One value with its line (from 1): text, a list of nodes, or a mapping from text to nodes.

    ``quoted`` text is text whatever it looks like; plain text means what ``resolve`` says.
    """

    line: int
    value: str | list[YamlNode] | dict[str, YamlNode]
    quoted: bool = False

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
    if len(data) > SIZE_LIMIT:
        raise UsageError(f"{name} is larger than {SIZE_LIMIT // 1024} KiB", reference=name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise yaml_error(name, line, "not UTF-8 text") from None
    try:
        return _Composer(name, yaml.parse(text, Loader=_LOADER)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise yaml_error(name, line, str(error.problem or error.context)) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise UsageError(
            f"{name} is not YAML: {clean_line(str(error), 200)}", reference=name
        ) from None


def yaml_error(name: str, line: int, problem: str, hint: str | None = None) -> UsageError:
    """Return the error for a problem in a line (from 1) of a file."""
    return UsageError(f"{name}, line {line}: {clean_line(problem, 200)}", reference=name, hint=hint)


class _Composer:
    def __init__(self, name: str, events: Iterator[Any]) -> None:
        self._name = name
        self._events = events
        self._nodes = 0

    def document(self) -> YamlNode:
        """Compose the only document of the stream."""
        root = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self._error(event, "a second document; only one is read")
                root = self._node(next(self._events), 0)
        if root is None:
            raise UsageError(f"{self._name} is empty", reference=self._name)
        return root

    def _error(self, event: Any, problem: str, hint: str | None = None) -> UsageError:
        return yaml_error(self._name, event.start_mark.line + 1, problem, hint)

    def _node(self, event: Any, depth: int) -> YamlNode:
        self._nodes += 1
        if self._nodes > NODE_LIMIT:
            raise self._error(event, f"over {NODE_LIMIT} values")
        if depth > DEPTH_LIMIT:
            raise self._error(event, f"nested deeper than {DEPTH_LIMIT}")
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            hint = "kit reads them, rolldeck does not: write the value out."
            raise self._error(event, "anchors and aliases are not allowed", hint)
        if event.tag:
            raise self._error(event, "tags are not allowed", "Write the value without its tag.")
        line = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent):
            return YamlNode(line, event.value, quoted=not event.implicit[0])
        if isinstance(event, yaml.SequenceStartEvent):
            return YamlNode(line, self._items(depth))
        return YamlNode(line, self._pairs(depth))

    def _items(self, depth: int) -> list[YamlNode]:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return items

    def _pairs(self, depth: int) -> dict[str, YamlNode]:
        pairs: dict[str, YamlNode] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key.value, str):
                raise self._error(event, "a key must be text")
            if not key.quoted and key.value == "<<":
                hint = "kit reads them, rolldeck does not: write the values out."
                raise self._error(event, "merge keys are not allowed", hint)
            if not key.quoted and resolve(key.value) is not key.value:
                raise self._error(event, f"the key {key.value} is not text", "Put it in quotes.")
            if key.value in pairs:
                first = pairs[key.value].line
                raise self._error(event, f"the key {key.value} stands already in line {first}")
            pairs[key.value] = self._node(next(self._events), depth + 1)
        return pairs

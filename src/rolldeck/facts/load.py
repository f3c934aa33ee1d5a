"""Files of other tools as plain values: JSON, TOML and YAML, within limits that hold while reading.

Unlike a local Kitfile, YAML of others may use anchors and merge keys; what they expand to counts
against the limit as it is composed, so that a bomb stops there. Tags never make objects.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from rolldeck.text import clean_line

SIZE_LIMIT = 32 * 1024 * 1024
"""Largest file read, in bytes."""
NODE_LIMIT = 200_000
"""Most scalars and collections in a YAML file, after expansion."""
DEPTH_LIMIT = 64
"""Deepest nesting of collections in a YAML file."""
SECONDS = 2.0
"""Longest time that composing a YAML file may take."""

_EVENTS_PER_LOOK = 2048
"""After how many events of the YAML parser the clock is looked at."""


class UnreadableFile(ValueError):
    """A file of a version that is not what its name says; the message is one line."""


def load_json(data: bytes) -> Any:
    """Parse a JSON file of a version; NaN and Infinity are let through. Raises UnreadableFile."""
    _check_size(data)
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"not valid JSON: {clean_line(str(error), 120)}") from None


def load_toml(data: bytes) -> dict[str, Any]:
    """Parse a TOML file of a version. Raises UnreadableFile."""
    import tomllib

    _check_size(data)
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"not valid TOML: {clean_line(str(error), 120)}") from None


def load_yaml(data: bytes, *, as_text: bool = False) -> Any:
    """Parse the first document of a YAML file of a version. Raises UnreadableFile.

    Scalars mean what they mean in a Kitfile (``on`` is text). With ``as_text`` they stay as they
    are written, so that a version ``3.10`` is no number; only null is still None.
    """
    import yaml

    _check_size(data)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        events = yaml.parse(data.decode("utf-8-sig"), Loader=loader)
        return _Composer(events, as_text).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}: " if mark else ""
        problem = clean_line(str(error.problem or error.context), 120)
        raise UnreadableFile(f"not valid YAML: {place}{problem}") from None
    except UnreadableFile:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UnreadableFile(f"not valid YAML: {clean_line(str(error), 120)}") from None


def _check_size(data: bytes) -> None:
    if len(data) > SIZE_LIMIT:
        raise UnreadableFile(f"larger than {SIZE_LIMIT} bytes, not read")


class _Composer:
    """Builds values from the events of PyYAML's parser."""

    def __init__(self, events: Iterator[Any], as_text: bool) -> None:
        from rolldeck.kit.go_scalar import resolve

        self._events = events
        self._resolve = resolve
        self._as_text = as_text
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0
        self._seen = 0
        self._until = time.monotonic() + SECONDS

    def document(self) -> Any:
        """Compose the first document of the stream; None where there is none."""
        from yaml import DocumentStartEvent

        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                return self._node(self._next(), 0)
        return None

    def _next(self) -> Any:
        self._seen += 1
        if self._seen % _EVENTS_PER_LOOK == 0 and time.monotonic() > self._until:
            raise UnreadableFile(f"not read: takes longer than {SECONDS:g} seconds")
        return next(self._events)

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > NODE_LIMIT:
            raise UnreadableFile(f"not read: holds more than {NODE_LIMIT} values")

    def _node(self, event: Any, depth: int) -> Any:
        import yaml

        if isinstance(event, yaml.AliasEvent):
            if (known := self._anchors.get(event.anchor or "")) is None:
                raise UnreadableFile("not valid YAML: an alias without its anchor")
            value, size = known
            self._count(size)
            return value
        self._count(1)
        if depth > DEPTH_LIMIT:
            raise UnreadableFile(f"not read: nested deeper than {DEPTH_LIMIT}")
        before = self._nodes
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = []
            while not isinstance(item := self._next(), yaml.SequenceEndEvent):
                value.append(self._node(item, depth + 1))
        else:
            value = self._mapping(depth)
        if event.anchor:
            self._anchors[event.anchor] = value, self._nodes - before + 1
        return value

    def _scalar(self, event: Any) -> Any:
        if not event.implicit[0]:
            return event.value
        found = self._resolve(event.value)
        if found is None:
            return None
        return event.value if self._as_text else str(found) if isinstance(found, str) else found

    def _mapping(self, depth: int) -> dict[str, Any]:
        import yaml

        pairs: dict[str, Any] = {}
        merged: list[Any] = []
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise UnreadableFile(
                    f"not read: line {event.start_mark.line + 1}: a key is no text"
                )
            self._count(1)
            value = self._node(self._next(), depth + 1)
            if event.value == "<<" and event.implicit[0]:
                merged += value if isinstance(value, list) else [value]
            else:
                pairs[event.value] = value
        for mapping in merged:
            if isinstance(mapping, dict):
                self._count(len(mapping))
                pairs = {**mapping, **pairs}
        return pairs

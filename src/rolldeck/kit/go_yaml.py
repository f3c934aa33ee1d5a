"""YAML as Go's go.yaml.in/yaml/v3 (v3.0.4) writes it with an indent of 2, byte for byte.

kit before v1.10 used yaml.v3 v3.0.1, which differs for text that starts with a line break.

Only what a Kitfile needs: block mappings and sequences, one level of flow sequences, scalars. The
output column and whether a line is still fresh are tracked as yaml.v3's emitter does, because its
treatment of line breaks inside scalars follows from them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cmp_to_key
from typing import Any

from rolldeck.kit.go_number import yaml_float
from rolldeck.kit.go_scalar import resolve

_SIMPLE_KEY_LIMIT = 128
"""Longest key, in bytes, that is written without a question mark."""

_BREAKS = "\r\n\x85\u2028\u2029"
# Named by what is in them: re takes 10 ms for sets that are named by what is not.
_UNPRINTABLE = "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff\U00010000-\U0010ffff]"
_ESCAPED = (
    '[\x00-\x1f"\\\\\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff\U00010000-\U0010ffff]'
)
_BLOCK_INDICATOR = re.compile(
    f"---|\\.\\.\\.|[#,\\[\\]{{}}&*!|>'\"%@`]|[-?:](?=[ \t]|\\Z)"
    f"|.*?(?::(?=[ \t]|\\Z)|(?<=[ \t\0{_BREAKS}])#)",
    re.DOTALL,
)
_FLOW_INDICATOR = re.compile("[?:]|.+?[,?\\[\\]{}:]", re.DOTALL)
_OLD_BOOLEAN = re.compile("y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_NAMED_ESCAPES = {
    "\0": "0",
    "\a": "a",
    "\b": "b",
    "\t": "t",
    "\n": "n",
    "\v": "v",
    "\f": "f",
    "\r": "r",
    "\x1b": "e",
    '"': '"',
    "\\": "\\",
    "\x85": "N",
    "\xa0": "_",
    "\u2028": "L",
    "\u2029": "P",
}


class FlowList(list[str]):
    """A list of texts that is written on one line, in brackets."""


def go_yaml(document: Mapping[str, Any]) -> str:
    """Return a mapping as a YAML document.

    Values are None, bool, float, str, mapping, list or FlowList; keys are written in the order
    given. An int is written as Go writes the float64 that JSON numbers become.
    """
    writer = _Writer()
    writer.collection(document, 0)
    writer.line(0)
    return "".join(writer.pieces)


class _Writer:
    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._column = 0
        self._fresh = True

    def line(self, indent: int) -> None:
        """Go to ``indent`` on a line that holds nothing but indicators."""
        if not self._fresh or self._column > indent:
            self._break("\n")
        self._put(" " * (indent - self._column))

    def _put(self, text: str) -> None:
        self.pieces.append(text)
        self._column += len(text)

    def _break(self, char: str) -> None:
        self.pieces.append(char)
        self._column = 0
        self._fresh = True

    def collection(self, value: Mapping[str, Any] | Sequence[Any], indent: int) -> None:
        """Write a collection that is not empty, each item on a line at ``indent``."""
        if isinstance(value, Mapping):
            for key, item in value.items():
                self.line(indent)
                self._key(key, indent)
                self._node(item, indent)
        else:
            for item in value:
                self.line(indent)
                self._put("-")
                self._node(item, indent)

    def _key(self, key: str, indent: int) -> None:
        simple = len(key.encode()) <= _SIMPLE_KEY_LIMIT and not any(c in _BREAKS for c in key)
        if simple:
            self._scalar(key, indent)
            self._put(":")
            self._fresh = False
        else:
            self._put("? ")
            self._scalar(key, indent + 2)
            self.line(indent)
            self._put(":")

    def _node(self, value: Any, indent: int) -> None:
        if isinstance(value, FlowList):
            self._put(" [")
            for position, item in enumerate(value):
                self._put(", " if position else "")
                self._scalar(item, indent + 4, flow=True)
            self._put("]")
            self._fresh = False
        elif isinstance(value, Mapping | list):
            if value:
                self.collection(value, indent + 2)
            else:
                self._put(" {}" if isinstance(value, Mapping) else " []")
                self._fresh = False
        else:
            self._put(" ")
            self._scalar(value, indent + 2)

    def _scalar(self, value: Any, indent: int, *, flow: bool = False) -> None:
        if isinstance(value, str):
            self._text(value, indent, _style(value, flow=flow))
        elif value is None or isinstance(value, bool):
            self._put({None: "null", True: "true", False: "false"}[value])
            self._fresh = False
        else:
            self._put(yaml_float(float(value)))
            self._fresh = False

    def _text(self, text: str, indent: int, style: str) -> None:
        if style == "literal":
            self._put("|" + _literal_hints(text))
            self._break("\n")
            self._lines(text, indent, starts=True)
            return
        if style == "single":
            self._put("'")
            self._lines(text.replace("'", "''"), indent, starts=False)
            self._put("'")
        else:
            self._put(text if style == "plain" else f'"{_escape(text)}"')
        self._fresh = False

    def _lines(self, text: str, indent: int, *, starts: bool) -> None:
        """Write text whose breaks stand as they are, each line after a break indented."""
        for char in text:
            if char in _BREAKS:
                self._break(char)
                starts = True
            else:
                if starts:
                    self.line(indent)
                self._put(char)
                self._fresh = starts = False


def _style(text: str, *, flow: bool) -> str:
    """Choose the scalar style as yaml.v3 does: the first wish that the content allows."""
    first, last = text[:1], text[-1:]
    ordinary = text.isascii() and text.isprintable()
    special = not ordinary and re.search(_UNPRINTABLE, text) is not None
    breaks = any(char in _BREAKS for char in text)
    space_break = breaks and re.search(f" [{_BREAKS}]", text) is not None
    break_space = breaks and re.search(f"[{_BREAKS}] ", text) is not None
    if "\n" in text:
        literal = not (flow or last == " " or space_break or special)
        return "literal" if literal else "double"
    if resolve(text) is not text or _OLD_BOOLEAN.fullmatch(text) or _BASE_60.fullmatch(text):
        return "double"
    awkward = special or "\t" in text or space_break or break_space
    edges = " " + _BREAKS
    marked = _BLOCK_INDICATOR.match(text) or (flow and _FLOW_INDICATOR.match(text))
    if not (awkward or breaks or first in edges or last in edges or marked):
        return "plain"
    return "double" if awkward else "single"


def _literal_hints(text: str) -> str:
    indent = "2" if text[0] == " " or text[0] in _BREAKS else ""
    if text[-1] not in _BREAKS:
        return indent + "-"
    return indent + ("+" if len(text) == 1 or text[-2] in _BREAKS else "")


def _escape(text: str) -> str:
    if text.startswith("\ufeff"):
        # yaml.v3 looks for a byte order mark at the start of the text for every character.
        return "".join(_escape_char(char) for char in text)
    return re.sub(_ESCAPED, lambda match: _escape_char(match.group()), text)


def _escape_char(char: str) -> str:
    if named := _NAMED_ESCAPES.get(char):
        return "\\" + named
    point = ord(char)
    if point <= 0xFF:
        return f"\\x{point:02X}"
    return f"\\u{point:04X}" if point <= 0xFFFF else f"\\U{point:08X}"


def sorted_keys(keys: Sequence[str]) -> list[str]:
    """Sort the keys of a map as yaml.v3 does: digits by their value, letters after the rest."""
    return sorted(keys, key=cmp_to_key(_compare_keys))


def _compare_keys(left: str, right: str) -> int:
    if left == right:
        return 0
    return -1 if _less(left, right) else 1


def _less(left: str, right: str) -> bool:
    digits = False
    for place, (a, b) in enumerate(zip(left, right, strict=False)):
        if a == b:
            digits = a.isdecimal()
            continue
        if a.isalpha() and b.isalpha():
            return a < b
        if a.isalpha() or b.isalpha():
            return a.isalpha() if digits else b.isalpha()
        start = _number_start(left, place) if "0" in (a, b) else 0
        value_a, end_a = _digit_run(left, place, start)
        value_b, end_b = _digit_run(right, place, start)
        if value_a != value_b:
            return value_a < value_b
        return end_a < end_b if end_a != end_b else a < b
    return len(left) < len(right)


def _number_start(text: str, place: int) -> int:
    """Return 1 where a digit other than 0 stands before ``place`` in the same number."""
    for char in reversed(text[:place]):
        if not char.isdecimal():
            break
        if char != "0":
            return 1
    return 0


def _digit_run(text: str, place: int, value: int) -> tuple[int, int]:
    while place < len(text) and text[place].isdecimal():
        value = value * 10 + ord(text[place]) - ord("0")
        place += 1
    return (value + 2**63) % 2**64 - 2**63, place

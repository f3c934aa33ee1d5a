"""Files of code and docs beside each other, with how many lines differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rolldeck.compare.model import Row
from rolldeck.compare.text_diff import line_counts
from rolldeck.facts.document import unique
from rolldeck.text import clean_line
from rolldeck.units import human_size


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file that was not read: ``size`` in bytes, None where it is not known, and its layer."""

    size: int | None
    layer: str


Content = bytes | str | ListedFile
"""A file's bytes; where these are not at hand its digest as ``algorithm:hex``, or its size."""

NOT_READ = "not read"

_TEXT_LIMIT = 4 * 1024 * 1024
"""Largest file whose lines are counted, in bytes."""
_SNIFFED = 8192


def file_rows(a: Mapping[str, Content], b: Mapping[str, Content]) -> list[Row]:
    """Return a row per file of either side, keyed by path; values are sha256 digests.

    The note counts lines (``+3 -1``) for text and gives sizes for anything else.
    """
    paths = sorted({*a, *b})
    rows = []
    for key, path in zip(unique(clean_line(path, 500) for path in paths), paths, strict=True):
        one, other = a.get(path), b.get(path)
        if one is not None and other is not None:
            rows.append(_row(key, one, other))
        elif one is not None:
            rows.append(Row(key, "removed", digest(one), None, note=_lines_of(one, "-")))
        elif other is not None:
            rows.append(Row(key, "added", None, digest(other), note=_lines_of(other, "+")))
    return rows


def digest(content: Content) -> str:
    """Return the digest of a file as ``sha256:hex``, or the one that stands for it."""
    if isinstance(content, str):
        return clean_line(content, 150)
    if isinstance(content, ListedFile):
        return NOT_READ if content.size is None else human_size(content.size)
    import hashlib

    return "sha256:" + hashlib.sha256(content).hexdigest()


def _row(key: str, one: Content, other: Content) -> Row:
    if isinstance(one, ListedFile) or isinstance(other, ListedFile):
        return _unread_row(key, one, other)
    before, after = digest(one), digest(other)
    if one == other or before == after:
        return Row(key, "equal", before, after)
    return Row(key, "changed", before, after, note=_difference(one, other))


def _unread_row(key: str, one: Content, other: Content) -> Row:
    """Return what sizes and layers tell of a file that was not read on a side."""
    shown = _size_of(one), _size_of(other)
    if isinstance(one, ListedFile) and one == other:
        return Row(key, "equal", *shown, note="same layer")
    if "" not in shown and shown[0] != shown[1]:
        return Row(key, "changed", *shown, note=NOT_READ)
    same = "same size, " if shown[0] else ""
    return Row(key, "changed", *shown, verdict="unknown", note=f"{same}{NOT_READ}")


def _size_of(content: Content) -> str:
    size = content.size if isinstance(content, ListedFile) else len(content)
    return "" if size is None or isinstance(content, str) else f"{size} bytes"


def _difference(one: Content, other: Content) -> str:
    if not (isinstance(one, bytes) and isinstance(other, bytes)):
        return ""
    before, after = _text(one), _text(other)
    if before is None or after is None:
        return f"binary, {human_size(len(one))} → {human_size(len(other))}"
    added, removed = line_counts(before, after)
    return f"+{added} -{removed}" if added or removed else "only the end of the last line differs"


def _lines_of(content: Content, sign: str) -> str:
    if isinstance(content, ListedFile):
        return NOT_READ
    if isinstance(content, str):
        return ""
    text = _text(content)
    if text is None:
        return f"binary, {human_size(len(content))}"
    return f"{sign}{text.count(chr(10)) + (not text.endswith(chr(10)) and text != '')}"


def _text(data: bytes) -> str | None:
    """Return a file as text, None where it is binary or too large to compare by line."""
    if len(data) > _TEXT_LIMIT or b"\0" in data[:_SNIFFED]:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None

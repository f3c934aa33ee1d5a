"""Layers beside each other: what each side stores, and whether other bytes are other content."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from rolldeck.compare.model import Row
from rolldeck.facts.data_layers import Members
from rolldeck.facts.declared import DIGEST, content_identity, layer_name
from rolldeck.facts.document import unique
from rolldeck.kit.model import Kit, Layer
from rolldeck.text import clean_line
from rolldeck.units import human_size

OTHER_PACKING = "same content, other packing"
_UNKNOWN: Members = {}


def layer_rows(a: Kit, b: Kit, members: Members = _UNKNOWN) -> list[Row]:
    """Return a row per layer, keyed by kind and path; values are the digests of the stored blobs.

    Layers with the same content count as equal, also where they are packed in another way. A
    layer that only moved to another path stands under its new path. The note of one that another
    kit lends says which. ``members`` are the sha256 of the files of layers that were read, by
    their digests: the same files are the same content, whatever packed them.
    """
    left, right = keyed_layers(a), keyed_layers(b)
    moved = _moved(a, b, left, right)
    rows = []
    for key in dict.fromkeys((*left, *right)):
        if key in moved.values():
            continue
        one = left.get(key)
        other = right.get(moved.get(key, key))
        if one is None and other is not None:
            note = human_size(other.size) + _lent(other)
            rows.append(Row(key, "added", None, other.digest, note=note))
        elif one is not None and other is None:
            note = human_size(one.size) + _lent(one)
            rows.append(Row(key, "removed", one.digest, None, note=note))
        elif one is not None and other is not None and key in moved:
            note = f"same content, was {key}" + _lent(one, other)
            rows.append(Row(moved[key], "changed", one.digest, other.digest, note=note))
        elif one is not None and other is not None:
            rows.append(_row(key, a, one, b, other, members))
    return rows


def keyed_layers(kit: Kit) -> dict[str, Layer]:
    """Return a version's layers by kind and path (or name, or digest), which is unique."""
    names = unique(f"{layer.kind} {_place(layer)}" for layer in kit.layers)
    return dict(zip(names, kit.layers, strict=True))


def same_content(
    a: Kit, one: Layer, b: Kit, other: Layer, members: Members = _UNKNOWN
) -> bool | None:
    """Whether two layers hold the same content; None where digests cannot tell."""
    if one.digest == other.digest:
        return True
    if one.digest in members and other.digest in members:
        return members[one.digest] == members[other.digest]
    scheme, identity = content_identity(a, one)
    other_scheme, other_identity = content_identity(b, other)
    if scheme != other_scheme or scheme == DIGEST:
        return None
    return identity == other_identity


def _place(layer: Layer) -> str:
    path = clean_line(posixpath.normpath(layer.path), 500) if layer.path else ""
    return path or layer_name(layer)


def _lent(*layers: Layer) -> str:
    """Return what a note adds where another kit lends a layer: which, on either side."""
    origins = [layer.origin for layer in layers]
    if not any(origins):
        return ""
    return ", from " + " → ".join(origin or "itself" for origin in dict.fromkeys(origins))


def _row(key: str, a: Kit, one: Layer, b: Kit, other: Layer, members: Members) -> Row:
    lent = _lent(one, other)
    if one.digest == other.digest:
        return Row(key, "equal", one.digest, other.digest, note=human_size(one.size) + lent)
    sizes = human_size(one.size)
    if one.size != other.size:
        sizes = f"{sizes} → {human_size(other.size)}"
    same = same_content(a, one, b, other, members)
    if same:
        return Row(key, "equal", one.digest, other.digest, note=OTHER_PACKING + lent)
    if same is None:
        note = f"{sizes}, other bytes, content unknown{lent}"
        return Row(key, "changed", one.digest, other.digest, verdict="unknown", note=note)
    return Row(key, "changed", one.digest, other.digest, note=sizes + lent)


def _moved(a: Kit, b: Kit, left: Mapping[str, Layer], right: Mapping[str, Layer]) -> dict[str, str]:
    """Return new keys by old ones for layers that are on one side each, alike and of one kind."""
    gone = [key for key in left if key not in right]
    new = [key for key in right if key not in left]
    found: dict[str, str] = {}
    by_content = {(right[key].kind, *content_identity(b, right[key])): key for key in new}
    for key in gone:
        target = by_content.pop((left[key].kind, *content_identity(a, left[key])), None)
        if target is not None:
            found[key] = target
    return found

"""What packing a directory would make: each element's members, and what is left out; reads nothing.

One layer per element of the Kitfile, in kit's order. A model that is another kit, and data sets
that lie elsewhere, have none.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rolldeck.errors import RefusedError, UsageError
from rolldeck.kit.chain import parse_model_reference
from rolldeck.kit.kitignore import KitIgnore
from rolldeck.kit.layer_listing import LayerEntry, LayerListing, layer_entries
from rolldeck.kit.member_path import member_parts
from rolldeck.kit.model import ElementKind
from rolldeck.kit.read import elements
from rolldeck.kit.tar_writer import archive_size


@dataclass(frozen=True, slots=True)
class PlannedLayer:
    """The layer of one element: its path as it is typed, and its members."""

    kind: ElementKind
    path: str
    entries: tuple[LayerEntry, ...]

    @property
    def clean_path(self) -> str:
        """The path without ``./`` and slashes at its end; ``.`` for the whole directory."""
        return "/".join(member_parts(self.path, empty=True)) or "."

    @property
    def content_size(self) -> int:
        """Bytes of the files."""
        return sum(entry.size for entry in self.entries)

    @property
    def archive_size(self) -> int:
        """Bytes of the uncompressed layer."""
        return archive_size(self.entries)


@dataclass(frozen=True, slots=True)
class PackPlan:
    """What is packed out of ``context``: for each element its layer, None where it has none.

    ``left_out`` names what lies in an element but in no layer, with the reason. ``listed_at`` is
    when listing began, in nanoseconds since 1970.
    """

    context: Path
    kitfile: Mapping[str, Any]
    elements: tuple[PlannedLayer | None, ...]
    left_out: tuple[tuple[str, str], ...]
    listed_at: int

    @property
    def layers(self) -> tuple[PlannedLayer, ...]:
        """The layers, in kit's order."""
        return tuple(item for item in self.elements if item is not None)


def plan_layers(
    context: Path,
    kitfile: Mapping[str, Any],
    ignore: KitIgnore | None = None,
    *,
    lent: Mapping[str, str] | None = None,
    exact_kit: bool = False,
) -> PackPlan:
    """List the layers of all elements.

    ``lent`` are paths that a kit which the model comes from fills, with the reason why they are in
    no layer. Raises UsageError for paths that a Kitfile may not name, NotFoundError for a path that
    does not exist, StorageError for what cannot be listed.
    """
    listed_at = time.time_ns()
    plan = list(_elements(kitfile))
    _check_paths([path for _, path in plan if path is not None])
    elsewhere: dict[str, str | None] = {
        path: why for path, why in (lent or {}).items() if _is_inside(path)
    }
    for kind, element in elements(kitfile):
        if kind == "dataset" and element.get("remotePath") and _is_inside(element.get("path")):
            elsewhere[element["path"]] = "the data set lies elsewhere"
    listings = [_list(context, path, plan, ignore, elsewhere, exact_kit) for _, path in plan]
    layers = tuple(
        PlannedLayer(kind, path, listing.entries) if listing and path else None
        for (kind, path), listing in zip(plan, listings, strict=True)
    )
    left_out = dict(pair for listing in listings if listing for pair in listing.left_out)
    packed = {entry.path for layer in layers if layer for entry in layer.entries}
    rows = tuple((path, why) for path, why in left_out.items() if path not in packed)
    return PackPlan(context, kitfile, layers, rows, listed_at)


def _list(
    context: Path,
    path: str | None,
    plan: Sequence[tuple[ElementKind, str | None]],
    ignore: KitIgnore | None,
    elsewhere: Mapping[str, str | None],
    exact_kit: bool,
) -> LayerListing | None:
    if path is None:
        return None
    others = {**elsewhere, **{other: None for _, other in plan if other and other != path}}
    return layer_entries(context, path, ignore, others, exact_kit=exact_kit)


def _elements(kitfile: Mapping[str, Any]) -> Iterator[tuple[ElementKind, str | None]]:
    """Yield each element's kind and path; None where it has no layer of its own."""
    for kind, element in elements(kitfile):
        path = element.get("path") or ""
        if kind == "mcpb":
            raise UsageError("mcpServers cannot be packed", hint="Use kit for MCP bundles.")
        is_model = kind == "model"
        has_none = is_model and (not path or parse_model_reference(path) is not None)
        yield kind, None if element.get("remotePath") or has_none else path or "."


def _is_inside(path: str | None) -> bool:
    try:
        return bool(path and member_parts(path))
    except RefusedError:
        return False


def _check_paths(paths: Sequence[str]) -> None:
    seen: dict[tuple[str, ...], str] = {}
    for path in paths:
        try:
            parts = member_parts(path, empty=True)
        except RefusedError as error:
            raise UsageError(
                f"The Kitfile names a path that cannot be packed: {path}",
                reference=path,
                hint=f"{error.message}. Paths are relative to the Kitfile's directory.",
            ) from None
        if parts in seen:
            raise UsageError(
                f"Two elements of the Kitfile have the same path: {seen[parts]} and {path}",
                reference=path,
                hint="Give every element a path of its own.",
            )
        seen[parts] = path

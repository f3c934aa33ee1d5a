"""Where the files of a layer belong in a tree: the only way from an archive's name to a path."""

from __future__ import annotations

from functools import lru_cache

from rolldeck.kit.member_path import member_parts, refused
from rolldeck.kit.model import Layer
from rolldeck.kit.tar_reader import Entry, Steps, TarLimits, tar_steps

_KITFILE_NAMES = ("kitfile", ".kitfile")


def layer_steps(layer: Layer, capacity: int) -> Steps:
    """Parse a layer's payload of at most ``capacity`` bytes; a raw one is a single file."""
    if layer.form == "raw":
        return _one_file(layer)
    return tar_steps(TarLimits(capacity=capacity))


def _one_file(layer: Layer) -> Steps:
    if layer.path is None:
        raise refused(layer.digest, "the layer is a single file without a name")
    yield Entry(member_parts(layer.path), False, layer.mode, layer.size)


@lru_cache(maxsize=64)
def _components(path: str | None) -> tuple[str, ...]:
    """Return the components of what a layer says of itself, asked for again for each member."""
    return member_parts(path, empty=True) if path else ()


def place(layer: Layer, parts: tuple[str, ...], *, is_dir: bool) -> tuple[str, ...]:
    """Return where a member of the layer, whose clean name has these parts, belongs in the tree.

    Raises RefusedError unless that is where the layer's Kitfile element says, or leads there.
    """
    if layer.form == "tar":
        parts = _components(layer.base) + parts
        element = _components(layer.path)
        under = parts[: len(element)] == element
        leads_there = is_dir and element[: len(parts)] == parts
        if not (under or leads_there):
            raise refused("/".join(parts), f"its layer belongs to {'/'.join(element)!r}")
    if parts[0].casefold() in _KITFILE_NAMES:
        raise refused("/".join(parts), "a layer may not bring a Kitfile")
    return parts

"""ModelKits and ModelPacks: reading, looking into, unpacking and packing them.

Packing and reading a local Kitfile are imported from their own files (``pack``, ``kitfile``),
since they load YAML, which nothing else needs. A switch between releases
needs only trees; the rest is imported when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rolldeck.kit.model import ElementKind, Kit, KitKind, Layer
from rolldeck.kit.tree import Stamp, Tree, TreeEntry, stamp_tree, verify_tree

if TYPE_CHECKING:
    from rolldeck.kit.peek import read_layer_files
    from rolldeck.kit.read import read_kit
    from rolldeck.kit.unpack import Unpacking
    from rolldeck.kit.unpack import unpack as unpack_kit

_LATER = {
    "read_kit": ("read", "read_kit"),
    "read_layer_files": ("peek", "read_layer_files"),
    "Unpacking": ("unpack", "Unpacking"),
    "unpack_kit": ("unpack", "unpack"),
}
"""Module and name there of what is imported when it is asked for."""


def __getattr__(name: str) -> Any:
    if name in _LATER:
        module, there = _LATER[name]
        return getattr(import_module(f"rolldeck.kit.{module}"), there)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "ElementKind",
    "Kit",
    "KitKind",
    "Layer",
    "Stamp",
    "Tree",
    "TreeEntry",
    "Unpacking",
    "read_kit",
    "read_layer_files",
    "stamp_tree",
    "unpack_kit",
    "verify_tree",
]

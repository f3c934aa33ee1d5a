"""ModelKits and ModelPacks: reading, looking into, unpacking and packing them.

Packing and reading a local Kitfile are imported from their own files (``pack``, ``kitfile``),
since they load YAML, which nothing else needs.
"""

from rolldeck.kit.chain import CHAIN_LIMIT, Link, parse_model_reference, with_chain
from rolldeck.kit.layer_access import (
    LOOK_LIMIT,
    LayerSource,
    StoppedError,
    by_ranges_or_streamed,
)
from rolldeck.kit.layer_file import OpenFile, copy_file, open_file
from rolldeck.kit.listing import LayerFile, LayerListing, list_layer
from rolldeck.kit.model import ElementKind, Kit, KitKind, Layer
from rolldeck.kit.peek import read_file_digests, read_layer_files
from rolldeck.kit.read import kind_of, read_kit
from rolldeck.kit.tree import Stamp, Tree, TreeEntry, stamp_tree, verify_tree
from rolldeck.kit.unpack import unpack as unpack_kit

__all__ = [
    "CHAIN_LIMIT",
    "LOOK_LIMIT",
    "ElementKind",
    "Kit",
    "KitKind",
    "Layer",
    "LayerFile",
    "LayerListing",
    "LayerSource",
    "Link",
    "OpenFile",
    "Stamp",
    "StoppedError",
    "Tree",
    "TreeEntry",
    "by_ranges_or_streamed",
    "copy_file",
    "kind_of",
    "list_layer",
    "open_file",
    "parse_model_reference",
    "read_file_digests",
    "read_kit",
    "read_layer_files",
    "stamp_tree",
    "unpack_kit",
    "verify_tree",
    "with_chain",
]

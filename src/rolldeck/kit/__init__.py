"""ModelKits and ModelPacks: reading, looking into, unpacking and packing them.

Packing and reading a local Kitfile are imported from their own files (``pack``, ``kitfile``),
since they load YAML, which nothing else needs. A switch between releases
needs only trees; the rest is imported when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rolldeck.kit.tree import Stamp, Tree, TreeEntry, stamp_tree, verify_tree

if TYPE_CHECKING:
    from rolldeck.kit.chain import CHAIN_LIMIT, Link, parse_model_reference, with_chain
    from rolldeck.kit.destination import Destination, Found, Standing
    from rolldeck.kit.filter import Filter, lending_filters, parse_filter
    from rolldeck.kit.layer_access import (
        LOOK_LIMIT,
        LayerSource,
        StoppedError,
        by_ranges_or_streamed,
    )
    from rolldeck.kit.layer_file import OpenFile, copy_file, each_file, open_file
    from rolldeck.kit.listing import LayerFile, LayerListing, list_layer
    from rolldeck.kit.merge import MergeRules
    from rolldeck.kit.merge_survey import LayerSurvey, survey_layer
    from rolldeck.kit.model import ElementKind, Kit, KitKind, Layer
    from rolldeck.kit.peek import read_file_digests, read_layer_files
    from rolldeck.kit.read import kind_of, read_kit
    from rolldeck.kit.staging_place import is_occupied
    from rolldeck.kit.unpack import Unpacking
    from rolldeck.kit.unpack import unpack as unpack_kit

_LATER = {
    "CHAIN_LIMIT": ("chain", "CHAIN_LIMIT"),
    "Link": ("chain", "Link"),
    "parse_model_reference": ("chain", "parse_model_reference"),
    "with_chain": ("chain", "with_chain"),
    "Filter": ("filter", "Filter"),
    "lending_filters": ("filter", "lending_filters"),
    "parse_filter": ("filter", "parse_filter"),
    "LOOK_LIMIT": ("layer_access", "LOOK_LIMIT"),
    "LayerSource": ("layer_access", "LayerSource"),
    "StoppedError": ("layer_access", "StoppedError"),
    "by_ranges_or_streamed": ("layer_access", "by_ranges_or_streamed"),
    "OpenFile": ("layer_file", "OpenFile"),
    "copy_file": ("layer_file", "copy_file"),
    "each_file": ("layer_file", "each_file"),
    "open_file": ("layer_file", "open_file"),
    "LayerFile": ("listing", "LayerFile"),
    "LayerListing": ("listing", "LayerListing"),
    "list_layer": ("listing", "list_layer"),
    "MergeRules": ("merge", "MergeRules"),
    "ElementKind": ("model", "ElementKind"),
    "Kit": ("model", "Kit"),
    "KitKind": ("model", "KitKind"),
    "Layer": ("model", "Layer"),
    "LayerSurvey": ("merge_survey", "LayerSurvey"),
    "survey_layer": ("merge_survey", "survey_layer"),
    "Found": ("destination", "Found"),
    "Destination": ("destination", "Destination"),
    "Standing": ("destination", "Standing"),
    "is_occupied": ("staging_place", "is_occupied"),
    "read_file_digests": ("peek", "read_file_digests"),
    "read_layer_files": ("peek", "read_layer_files"),
    "kind_of": ("read", "kind_of"),
    "read_kit": ("read", "read_kit"),
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
    "CHAIN_LIMIT",
    "LOOK_LIMIT",
    "Destination",
    "ElementKind",
    "Filter",
    "Found",
    "Kit",
    "KitKind",
    "Layer",
    "LayerFile",
    "LayerListing",
    "LayerSource",
    "LayerSurvey",
    "Link",
    "MergeRules",
    "OpenFile",
    "Stamp",
    "Standing",
    "StoppedError",
    "Tree",
    "TreeEntry",
    "Unpacking",
    "by_ranges_or_streamed",
    "copy_file",
    "each_file",
    "is_occupied",
    "kind_of",
    "lending_filters",
    "list_layer",
    "open_file",
    "parse_filter",
    "parse_model_reference",
    "read_file_digests",
    "read_kit",
    "read_layer_files",
    "stamp_tree",
    "survey_layer",
    "unpack_kit",
    "verify_tree",
    "with_chain",
]

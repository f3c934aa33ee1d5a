"""Data that lies in a version's own layers: what identifies it, and how large a table it is.

Identities are given from the strictest to the most lenient: the stored layer, its content before
compression, the files in it. Other packing changes the first, another kit the second, and nothing
but other bytes the last.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Iterator, Mapping

from rolldeck.facts.declared import DIGEST, content_identity, layer_name
from rolldeck.facts.document import unique
from rolldeck.facts.model import DataSet, Facts
from rolldeck.facts.table_shape import is_table, table_shape
from rolldeck.kit.model import Kit, Layer
from rolldeck.text import clean_line

Members = Mapping[str, Mapping[str, str]]
"""The sha256 of every file by path, of layers by the digest of the stored layer."""

SOURCE = "layers"
FILE = "file"
"""Scheme of the digest of a single file, as ``content_identity`` gives it, too."""
FILES = "files"
"""Scheme of a digest over paths and digests of several files."""
_MOST_FILES = 50
"""Most files of one data set that are told one by one."""


def read_data_layers(kit: Kit, files: Mapping[str, bytes], members: Members) -> Facts:
    """Return the data sets in layers, and the files of those that hold several."""
    layers = [layer for layer in kit.layers if layer.kind == "dataset"]
    names = unique(layer_name(layer) for layer in layers)
    data: list[DataSet] = []
    for label, layer in zip(names, layers, strict=True):
        inside = members.get(layer.digest, {})
        tables = [path for path in _paths(layer, files) if is_table(path)]
        rows, columns = _shape(tables[0], files) if len(tables) == 1 else (None, None)
        data += (
            DataSet(label, "layer", scheme, identity, SOURCE, rows=rows, columns=columns)
            for scheme, identity in _identities(kit, layer, inside)
        )
        if 1 < len(inside) <= _MOST_FILES:
            data += _single_files(layer, inside, files)
    return Facts(data=tuple(data))


def _identities(kit: Kit, layer: Layer, inside: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    scheme, identity = content_identity(kit, layer)
    if scheme != DIGEST and identity != layer.digest:
        yield DIGEST, layer.digest
    yield scheme, identity
    if len(inside) == 1 and scheme != FILE:
        yield FILE, f"sha256:{next(iter(inside.values()))}"
    elif len(inside) > 1:
        yield FILES, f"sha256:{_listed(inside)}"


def _listed(inside: Mapping[str, str]) -> str:
    """Return the digest of a list of files, in which the order of packing has no part."""
    text = json.dumps(sorted(inside.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _single_files(
    layer: Layer, inside: Mapping[str, str], files: Mapping[str, bytes]
) -> Iterator[DataSet]:
    folder = posixpath.normpath(layer.path) if layer.path else ""
    for path, digest in sorted(inside.items()):
        whole = posixpath.join(folder, path)
        rows, columns = _shape(whole, files) if is_table(whole) else (None, None)
        label = clean_line(whole, 500)
        size = len(files[whole]) if whole in files else None
        yield DataSet(label, FILE, FILE, f"sha256:{digest}", SOURCE, size, rows, columns)


def _paths(layer: Layer, files: Mapping[str, bytes]) -> list[str]:
    """Return the files that lie in a layer; none where its element is the whole kit."""
    folder = posixpath.normpath(layer.path) if layer.path else "."
    if folder == ".":
        return []
    return [path for path in files if path == folder or path.startswith(f"{folder}/")]


def _shape(path: str, files: Mapping[str, bytes]) -> tuple[int | None, int | None]:
    return table_shape(path, files[path]) if path in files else (None, None)

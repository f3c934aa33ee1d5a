"""Versions out of the golden layouts: kit, facts and small files, read without any registry."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from rolldeck.compare import Version
from rolldeck.facts import Facts, collect
from rolldeck.kit.model import Kit, Layer
from rolldeck.kit.peek import read_file_digests
from rolldeck.kit.read import read_kit
from rolldeck.oci import parse_manifest

GOLDEN = Path(__file__).parent / "golden"
_TEXT_KINDS = ("code", "docs", "prompt")


def _blob(repository: str, digest: str) -> bytes:
    return (GOLDEN / "layouts" / repository / "blobs" / digest.replace(":", "/")).read_bytes()


@cache
def load_kit(name: str) -> Kit:
    """Read a kit by ``repository:tag``."""
    repository, _, tag = name.partition(":")
    index = json.loads((GOLDEN / "layouts" / repository / "index.json").read_bytes())
    entry = next(
        item
        for item in index["manifests"]
        if item.get("annotations", {}).get("org.opencontainers.image.ref.name") == tag
    )
    manifest = parse_manifest(
        _blob(repository, entry["digest"]), entry["mediaType"], reference=name
    )
    config = _blob(repository, manifest.config.digest) if manifest.config else None
    return read_kit(manifest, config)


def load_files(name: str) -> dict[str, bytes]:
    """Return the files of the code and docs layers by path."""
    files: dict[str, bytes] = {}
    for layer in load_kit(name).layers:
        if layer.kind in _TEXT_KINDS:
            files.update(layer_files(name, layer))
    return files


def layer_files(name: str, layer: Layer) -> dict[str, bytes]:
    """Return the files of one layer by path."""
    data = _blob(name.partition(":")[0], layer.digest)
    if layer.compression == "gzip":
        data = gzip.decompress(data)
    if layer.form == "raw":
        return {layer.path or layer.digest: data}
    files = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is not None:
                files[member.name] = stream.read()
    return files


def load_all_files(name: str) -> dict[str, bytes]:
    """Return the files of all layers by path."""
    files: dict[str, bytes] = {}
    for layer in load_kit(name).layers:
        if layer.form != "unknown":
            files.update(layer_files(name, layer))
    return files


def load_members(name: str) -> dict[str, dict[str, str]]:
    """Return the sha256 of every file of each layer, by the layer's digest."""
    repository = name.partition(":")[0]
    return {
        layer.digest: read_file_digests(layer, _blob(repository, layer.digest))
        for layer in load_kit(name).layers
        if layer.form != "unknown"
    }


def load_facts(name: str) -> Facts:
    """Collect a version's facts with its small files at hand."""
    return collect(load_kit(name), load_all_files(name), load_members(name))


def load_version(name: str) -> Version:
    """Return a version as it is compared, of which no digest of a file is known."""
    kit, facts = load_kit(name), collect(load_kit(name), load_all_files(name))
    return Version(name, name.partition(":")[2], kit, facts, load_files(name))


def load_whole_version(name: str) -> Version:
    """Return a version as it is compared, with the digests of all its files."""
    members = load_members(name)
    return replace(load_version(name), facts=load_facts(name), members=members)


def facts_pair(a: str, b: str) -> dict[str, Any]:
    """Return what the golden facts say of a pair of versions."""
    pairs = json.loads((GOLDEN / "facts.json").read_bytes())["pairs"]
    found: dict[str, Any] = next(pair for pair in pairs if (pair["a"], pair["b"]) == (a, b))
    return found

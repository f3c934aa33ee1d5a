"""Files of DVC: ``*.dvc`` and ``dvc.lock`` with the digests of data, ``dvc.yaml`` with the stages.

DVC knows data by md5: of a file, or with ``.dir`` of a directory's list of files. Equal means the
same data as far as accidents go, not adversaries. Files of DVC 2 name no hash: their md5 is that
of text with line ends normalised, which compares with no other.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rolldeck.facts.document import (
    entries,
    items,
    mapping,
    name,
    number,
    objects,
    text,
    without_credentials,
)
from rolldeck.facts.load import load_yaml
from rolldeck.facts.model import DataSet, Facts, LineageFact, Parameter
from rolldeck.facts.parameters import flatten
from rolldeck.facts.tolerant import tolerant
from rolldeck.text import clean_line

ROLE = "dvc"
MD5 = "dvc-md5"
LEGACY_MD5 = "dvc-md5-dos2unix"
"""Scheme of an md5 over text with normalised line ends: DVC 2 and before."""

_HASHES = ("md5", "etag", "checksum")
_VALUE_LIMIT = 500
_CODE = re.compile(
    r".*\.(py|ipynb|r|rmd|jl|sh|bash|sql|c|cc|cpp|h|rs|go|java|scala|js|ts|toml|ini|cfg|ya?ml|lock)"
    r"|(.*/)?(src|code|scripts|lib|makefile|dockerfile|requirements[\w.-]*\.txt)",
    re.IGNORECASE,
)
"""Dependencies that are no data: source code and settings, by name."""


@tolerant
def read_tracked(path: str, data: bytes) -> Facts:
    """Read a ``*.dvc`` file: data that DVC keeps, and where it was imported from."""
    source = clean_line(path)
    document = mapping(load_yaml(data))
    folder = posixpath.join(posixpath.dirname(path), name(document.get("wdir")) or "")
    lineage = tuple(
        LineageFact(f"dvc import {label}", origin, source)
        for label, origin in _imports(document, folder)
    )
    return Facts(data=tuple(_data(document.get("outs"), folder, source)), lineage=lineage)


def _imports(document: Mapping[str, Any], folder: str) -> Iterator[tuple[str, str]]:
    """Yield what ``dvc import`` and ``dvc import-url`` brought, and the revision it is of."""
    outs = objects(document.get("outs"))
    label = _label(outs[0].get("path"), folder) if outs else None
    for dependency in objects(document.get("deps"))[:1]:
        repository = mapping(dependency.get("repo"))
        address = name(repository.get("url")) or name(dependency.get("path"))
        if label and address:
            revision = text(repository.get("rev_lock")) or text(dependency.get("etag"))
            origin = without_credentials(address)
            yield label, f"{origin} at {revision}" if revision else origin


@tolerant
def read_lock(path: str, data: bytes) -> Facts:
    """Read ``dvc.lock``: what each stage read, with which parameters."""
    source, folder = clean_line(path), posixpath.dirname(path)
    document = mapping(load_yaml(data))
    stages = document.get("stages") if "stages" in document else document
    found = [(label, mapping(stage)) for key, stage in entries(stages) if (label := name(key))]
    made = {
        label
        for _, stage in found
        for out in objects(stage.get("outs"))
        if (label := _label(out.get("path"), folder))
    }
    data_sets: dict[tuple[str, str], DataSet] = {}
    lineage: dict[str, str] = {}
    for stage_name, stage in found:
        if command := _command(stage.get("cmd")):
            lineage.setdefault(f"dvc stage {stage_name}", command)
        for item in _data(stage.get("deps"), folder, source):
            if item.name in made or _CODE.fullmatch(item.name):
                lineage.setdefault(f"dvc file {item.name}", f"{item.scheme}:{item.identity}")
            else:
                data_sets.setdefault((item.name, item.scheme), item)
        for item in _data(stage.get("outs"), folder, source):
            lineage[f"dvc file {item.name}"] = f"{item.scheme}:{item.identity}"
    return Facts(
        parameters=tuple(_parameters([stage for _, stage in found], source)),
        data=tuple(data_sets.values()),
        lineage=tuple(LineageFact(label, value, source) for label, value in lineage.items()),
    )


def _data(entries_: Any, folder: str, source: str) -> Iterator[DataSet]:
    for item in objects(entries_):
        label = _label(item.get("path"), folder)
        scheme = name(item.get("hash"))
        if scheme not in _HASHES:
            scheme = next((key for key in _HASHES if name(item.get(key))), None)
        identity = name(item.get(scheme)) if scheme else None
        if label is None or scheme is None or identity is None:
            continue
        if scheme == "md5":
            scheme = MD5 if name(item.get("hash")) else LEGACY_MD5
        size = number(item.get("size"))
        yield DataSet(
            label, ROLE, scheme, identity, source, None if size is None or size < 0 else int(size)
        )


def _label(path: Any, folder: str) -> str | None:
    """Return how data is called: its path from the top, or its address without credentials."""
    found = name(path)
    if found is None:
        return None
    if "://" in found:
        return without_credentials(found)
    return clean_line(posixpath.normpath(posixpath.join(folder, found)), _VALUE_LIMIT)


def _command(value: Any) -> str | None:
    """Return a stage's command, several of them joined as a shell would."""
    lines = [found for item in items(value) if (found := text(item))]
    told = " && ".join(lines) if lines else text(value)
    return clean_line(told, _VALUE_LIMIT) if told else None


def _parameters(stages: list[Mapping[str, Any]], source: str) -> Iterator[Parameter]:
    """Yield the parameters that stages read, by dotted path.

    Where files disagree on a path, each is told behind its file's name.
    """
    found: dict[str, dict[str, Parameter]] = {}
    for stage in stages:
        for file, values in entries(stage.get("params")):
            for path, value in flatten(mapping(values)).leaves:
                by_file = found.setdefault(path, {})
                by_file.setdefault(clean_line(file, 250), Parameter(path, value, source))
    for path, by_file in found.items():
        if len({repr(item.value) for item in by_file.values()}) == 1:
            yield next(iter(by_file.values()))
            continue
        for file, item in by_file.items():
            yield Parameter(f"{file}:{path}", item.value, source)


@tolerant
def read_pipeline(path: str, data: bytes) -> Facts:
    """Read ``dvc.yaml``: the commands of the stages."""
    source = clean_line(path)
    stages = mapping(load_yaml(data)).get("stages")
    lineage = []
    for key, stage in entries(stages):
        fields = mapping(stage)
        command = _command(fields.get("cmd")) or _command(mapping(fields.get("do")).get("cmd"))
        if command and (label := name(key)):
            lineage.append(LineageFact(f"dvc stage {label}", command, source))
    return Facts(lineage=tuple(lineage))


def declared_files(path: str, data: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the paths of the metrics and of the parameter files that a ``dvc.yaml`` names.

    Raises UnreadableFile.
    """
    folder, document = posixpath.dirname(path), mapping(load_yaml(data))
    stages = [mapping(stage) for _, stage in entries(document.get("stages"))]
    metrics = [document.get("metrics"), *(stage.get("metrics") for stage in stages)]
    return _paths(metrics, folder), _paths([document.get("params")], folder)


def _paths(lists: list[Any], folder: str) -> tuple[str, ...]:
    found = []
    for entry in (entry for listed in lists for entry in items(listed)):
        # An entry with options is an object whose one key is the path.
        path = next(iter(entry), None) if isinstance(entry, dict) else entry
        if isinstance(path, str):
            found.append(posixpath.normpath(posixpath.join(folder, path)))
    return tuple(dict.fromkeys(found))

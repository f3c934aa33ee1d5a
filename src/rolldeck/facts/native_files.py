"""Facts in the files that training tools leave beside a model, for versions without a run record.

Read here: ``metrics.json`` (also of dvclive), requirements files, the Python version in
``MLmodel`` and ``python_env.yaml``, and a ``modelrun/run.json`` that no Kitfile names.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rolldeck.facts.document import mapping, text
from rolldeck.facts.model import EnvironmentFact, Facts
from rolldeck.facts.parameters import read_numbers
from rolldeck.facts.requirements import (
    Requirements,
    is_requirements_file,
    package_facts,
    read_requirements,
)
from rolldeck.text import clean_line

_JSON_LIMIT = 32 * 1024 * 1024
"""Largest JSON file read, in bytes."""
_MLMODEL_LIMIT = 1024 * 1024
_PYTHON_VERSION = re.compile(
    rb"^[ \t]*(?:python_version|python):[ \t]*['\"]?([0-9][\w.+-]*)", re.MULTILINE
)
_NOT_METRICS = ("step", "epoch", "timestamp")


class UnreadableFile(ValueError):
    """A file of a version that is not what its name says; the message is one line."""


def load_json(data: bytes) -> Any:
    """Parse a JSON file of a version; NaN and Infinity are let through. Raises UnreadableFile."""
    if len(data) > _JSON_LIMIT:
        raise UnreadableFile(f"larger than {_JSON_LIMIT} bytes, not read")
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"not valid JSON: {clean_line(str(error), 120)}") from None


def read_native_files(files: Mapping[str, bytes]) -> Iterator[Facts]:
    """Yield the facts of each known file, files nearer to the root first."""
    for path in sorted(files, key=lambda path: (path.count("/"), path)):
        base = posixpath.basename(path)
        if base == "metrics.json":
            yield _metrics(path, files[path])
        elif is_requirements_file(path):
            yield _requirements(path, files[path])
        elif base in ("MLmodel", "python_env.yaml"):
            yield _python_version(path, files[path])


def _metrics(path: str, data: bytes) -> Facts:
    source = clean_line(path)
    try:
        document = load_json(data)
    except UnreadableFile as error:
        return Facts(missing=(f"{source}: {error}",))
    if not mapping(document):
        return Facts(missing=(f"{source}: holds no JSON object of metrics",))
    return Facts(metrics=read_numbers(document, source, skip=_NOT_METRICS))


def _requirements(path: str, data: bytes) -> Facts:
    source = clean_line(path)
    found = read_requirements(data)
    return Facts(environment=package_facts(found, source), missing=tuple(_remarks(source, found)))


def _remarks(source: str, found: Requirements) -> Iterator[str]:
    loose = len(found.packages) - found.pinned
    if loose:
        yield f"packages: {source} leaves {loose} of {len(found.packages)} without one version"
    if found.unread:
        yield f"packages: {source}: {len(found.unread)} lines name no package"


def _python_version(path: str, data: bytes) -> Facts:
    match = _PYTHON_VERSION.search(data[:_MLMODEL_LIMIT])
    version = text(match[1].decode("ascii", errors="replace")) if match else None
    if version is None:
        return Facts()
    return Facts(environment=(EnvironmentFact("python", "version", version, clean_line(path)),))

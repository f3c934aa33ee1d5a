"""Which file of a version is read by what: one table, the strongest source first.

A reader is a pure function from a path and its bytes to ``Facts``; it never raises, opens no other
file, and names the path as the source of every fact. A new format is a file with such a function
and one line here.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from rolldeck.facts import (
    dvc,
    dvclive,
    eval_results,
    kubeflow,
    metrics_file,
    mlmodel,
    model_card,
    parameters_file,
    tokenizer,
    transformers_files,
)
from rolldeck.facts.document import text
from rolldeck.facts.model import EnvironmentFact, Facts
from rolldeck.facts.requirements import Requirements, package_facts, read_requirements
from rolldeck.facts.tolerant import Reader
from rolldeck.text import clean_line

_PYTHON = re.compile(rb"^[ \t]*python:[ \t]*['\"]?([0-9][\w.+-]*)", re.MULTILINE)


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
    match = _PYTHON.search(data[: 1024 * 1024])
    version = text(match[1].decode("ascii", errors="replace")) if match else None
    if version is None:
        return Facts()
    return Facts(environment=(EnvironmentFact("python", "version", version, clean_line(path)),))


READERS: tuple[tuple[str, Reader], ...] = (
    ("metrics.json metrics.y*ml *[_-]metrics.json metrics[_-]*.json *_results.json",
     metrics_file.read),
    ("*.tsv", dvclive.read),
    (".eval_results/*.y*ml", eval_results.read),
    ("params.json params.y*ml params.toml", parameters_file.read),
    ("dvc.lock", dvc.read_lock),
    ("*.dvc", dvc.read_tracked),
    ("dvc.yaml", dvc.read_pipeline),
    ("requirements.txt requirements[._-]*.txt requirements/*.txt", _requirements),
    ("python_env.yaml", _python_version),
    ("mlmodel", mlmodel.read),
    ("registered_model_meta", mlmodel.read_registration),
    ("readme.md model_card.md modelcard.md", model_card.read),
    ("config.json generation_config.json adapter_config.json", transformers_files.read),
    ("tokenizer.json", tokenizer.read),
    ("tokenizer_config.json", tokenizer.read_config),
    ("chat_template.jinja", tokenizer.read_template),
    ("*.yaml *.yml", kubeflow.read),
)  # fmt: skip
"""All readers. A file is read by the first whose pattern it matches; a pattern with a slash also
names the directory that the file lies in."""


SETTINGS_READERS = (parameters_file.read, dvc.read_lock, transformers_files.read)
"""Readers of files that hold parameters and no code."""


def read_files(files: Mapping[str, bytes]) -> Iterator[Facts]:
    """Yield the facts of each known file: by reader, then nearer to the root first."""
    known = [(place, path) for path in files if (place := _place(path)) is not None]
    for place, path in sorted(known, key=lambda item: (item[0], item[1].count("/"), item[1])):
        yield READERS[place][1](path, files[path])


def is_known(path: str) -> bool:
    """Whether a file is read by its name, for more than a look at what it may be."""
    place = _place(path)
    return place is not None and READERS[place][1] is not kubeflow.read


def holds_settings(path: str) -> bool:
    """Whether a file by this path is read for the parameters that it holds."""
    place = _place(path)
    return place is not None and READERS[place][1] in SETTINGS_READERS


def _place(path: str) -> int | None:
    """Return the place in ``READERS`` of the one that reads a file."""
    folder, base = posixpath.split(path.lower())
    beside = posixpath.join(posixpath.basename(folder), base)
    for place, (patterns, _) in enumerate(READERS):
        for pattern in patterns.split():
            if fnmatchcase(beside if "/" in pattern else base, pattern):
                return place
    return None

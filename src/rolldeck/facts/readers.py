"""Which file of a version is read by what: one table, the strongest source first.

A reader is a pure function from a path and its bytes to ``Facts``; it never raises, opens no other
file, and names the path as the source of every fact. A new format is a file with such a function
and one line here.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from rolldeck.facts import (
    conda_environment,
    conda_list,
    conda_lock,
    dockerfile,
    dvc,
    dvclive,
    eval_results,
    kubeflow,
    metrics_file,
    mlmodel,
    model_card,
    parameters_file,
    pip_inspect,
    pipfile_lock,
    pixi_lock,
    poetry_lock,
    pylock,
    python_env,
    requirements,
    sbom,
    tokenizer,
    transformers_files,
    uv_lock,
)
from rolldeck.facts.model import Facts
from rolldeck.facts.tolerant import Reader

PACKAGE_READERS: tuple[tuple[str, Reader], ...] = (
    ("pylock.toml pylock.*.toml", pylock.read),
    ("uv.lock", uv_lock.read),
    ("poetry.lock pdm.lock", poetry_lock.read),
    ("pipfile.lock", pipfile_lock.read),
    ("pixi.lock", pixi_lock.read),
    ("conda-lock.y*ml *.conda-lock.y*ml", conda_lock.read),
    ("pip-inspect*.json pip_inspect*.json", pip_inspect.read),
    ("conda-*.lock conda-*.txt *explicit*.txt spec-file.txt spec-list.txt", conda_list.read),
    ("*freeze*.txt *frozen*.txt requirements*.lock", requirements.read),
    ("*.cdx.json *.spdx.json bom.json bom-*.json sbom.json sbom-*.json", sbom.read),
    ("requirements.txt requirements[._-]*.txt requirements/*.txt", requirements.read),
    ("environment.y*ml environment[._-]*.y*ml conda.y*ml conda[._-]env*.y*ml",
     conda_environment.read),
    ("python_env.yaml", python_env.read),
)  # fmt: skip
"""Patterns of file names in lower case, and who reads such a file: lists of packages."""

READERS: tuple[tuple[str, Reader], ...] = (
    ("metrics.json metrics.y*ml *[_-]metrics.json metrics[_-]*.json *_results.json",
     metrics_file.read),
    ("*.tsv", dvclive.read),
    (".eval_results/*.y*ml", eval_results.read),
    ("params.json params.y*ml params.toml", parameters_file.read),
    ("dvc.lock", dvc.read_lock),
    ("*.dvc", dvc.read_tracked),
    ("dvc.yaml", dvc.read_pipeline),
    *PACKAGE_READERS,
    ("dockerfile dockerfile.* *.dockerfile containerfile", dockerfile.read),
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


def lists_packages(path: str) -> bool:
    """Whether a file by this path is read for the packages that it lists."""
    place = _place(path)
    return place is not None and READERS[place] in PACKAGE_READERS


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

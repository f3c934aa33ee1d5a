"""Metrics and parameter files that go by any name, because a ``dvc.yaml`` names them."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping

from rolldeck.facts import metrics_file, parameters_file
from rolldeck.facts.dvc import declared_files
from rolldeck.facts.load import UnreadableFile
from rolldeck.facts.model import Facts
from rolldeck.facts.tolerant import Reader

_ENDINGS = (".json", ".yaml", ".yml", ".toml")


def read_declared(files: Mapping[str, bytes], known: Callable[[str], bool]) -> Iterator[Facts]:
    """Yield the facts of the files that ``dvc.yaml`` names; ``known`` tells of those that are
    read by their own name anyway."""
    by_path = {posixpath.normpath(path): path for path in files}
    taken: set[str] = set()
    for path in sorted(files, key=lambda path: (path.count("/"), path)):
        if posixpath.basename(path).lower() != "dvc.yaml":
            continue
        try:
            metrics, parameters = declared_files(path, files[path])
        except UnreadableFile:
            # The reader of dvc.yaml itself says so.
            continue
        readers: tuple[tuple[tuple[str, ...], Reader], ...] = (
            (metrics, metrics_file.read),
            (parameters, parameters_file.read),
        )
        for named, reader in readers:
            for wanted in named:
                found = by_path.get(wanted)
                if found is None or found in taken or known(found):
                    continue
                if found.lower().endswith(_ENDINGS):
                    taken.add(found)
                    yield reader(found, files[found])

"""Elements for code, data, documents and prompts.

A directory that holds one kind of file is one element; in a mixed one the commonest kind takes
the directory and the others their own elements inside it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from rolldeck.kit.file_kinds import FileKind
from rolldeck.kit.model import ElementKind
from rolldeck.kit.proposal import ProposedElement
from rolldeck.kit.scan import FoundFile

_MOST = 12
"""Most single files of one kind in one directory; more become one element with the directory."""

_MOST_INSIDE = 24
"""Most elements inside one directory; where it would be more, its commonest kind takes it all."""

_SKILL = "skill.md"
"""A directory with this file is one skill, as in kit."""

_KINDS: dict[FileKind, ElementKind] = {
    "data": "dataset",
    "docs": "docs",
    "prompt": "prompt",
    "code": "code",
    "unknown": "code",
}
_NOUNS: dict[ElementKind, str] = {
    "code": "code",
    "dataset": "data",
    "docs": "documents",
    "prompt": "prompts",
}
_NOUN: dict[ElementKind, str] = {
    "code": "code",
    "dataset": "data",
    "docs": "a document",
    "prompt": "a prompt",
}


def rest_elements(files: Sequence[FoundFile]) -> Iterator[ProposedElement]:
    """Yield elements for all files that are neither weights nor parts of a model."""
    yield from _mixed("", files, None)


def _group(
    directory: str, files: Sequence[FoundFile], inside: ElementKind | None
) -> Iterator[ProposedElement]:
    """Yield elements for the files below a directory; those of the kind ``inside`` are packed."""
    kinds = Counter(_KINDS[file.kind] for file in files)
    if len(kinds) > 1:
        found = list(_mixed(directory, files, inside))
        if len(found) <= _MOST_INSIDE:
            yield from found
            return
    kind = max(kinds, key=lambda kind: (kinds[kind], kind))
    if kind != inside:
        yield _directory(directory, kind, files)


def _mixed(
    directory: str, files: Sequence[FoundFile], inside: ElementKind | None
) -> Iterator[ProposedElement]:
    if any(file.directory == directory and file.name.casefold() == _SKILL for file in files):
        yield _directory(directory or ".", "prompt", files)
        return
    start = len(directory) + 1 if directory else 0
    direct: list[FoundFile] = []
    below: dict[str, list[FoundFile]] = {}
    for file in files:
        name, slash, _ = file.path[start:].partition("/")
        if slash:
            below.setdefault(file.path[:start] + name, []).append(file)
        else:
            direct.append(file)
    by_kind: dict[ElementKind, list[FoundFile]] = {}
    for file in direct:
        by_kind.setdefault(_KINDS[file.kind], []).append(file)
    whole = _whole(directory, by_kind, below)
    swallowed: list[FoundFile] = []
    for kind, found in by_kind.items():
        is_small = directory != "" and kind == "docs"
        if kind == (whole or inside) or (whole and (len(found) > _MOST or is_small)):
            swallowed += found
        else:
            for file in found:
                yield _file(file, kind)
    nested = [
        item for path, found in below.items() for item in _group(path, found, whole or inside)
    ]
    if whole is not None and whole != inside:
        own = {item.path for item in nested}
        packed = swallowed + [
            file
            for found in below.values()
            for file in found
            if not any(file.path == path or file.path.startswith(f"{path}/") for path in own)
        ]
        yield _directory(directory or ".", whole, packed)
    yield from nested


def _whole(
    directory: str,
    by_kind: dict[ElementKind, list[FoundFile]],
    below: dict[str, list[FoundFile]],
) -> ElementKind | None:
    """Return the kind that takes a mixed directory as a whole, None where each file is named."""
    if not by_kind:
        return None
    counts = {kind: len(found) for kind, found in by_kind.items()}
    code = sum({_KINDS[file.kind] for file in found} == {"code"} for found in below.values())
    if not directory and counts.get("code", 0) + code > _MOST:
        counts["code"] = counts.get("code", 0) + code
    elif directory and "code" in counts and max(counts.values()) <= _MOST:
        return "code"
    most = max(counts, key=lambda kind: (counts[kind], kind))
    return most if counts[most] > _MOST else None


def _directory(path: str, kind: ElementKind, files: Sequence[FoundFile]) -> ProposedElement:
    ends = Counter(_end(file.name) for file in files)
    shown = ", ".join(
        end for end, _ in sorted(ends.items(), key=lambda item: (-item[1], item[0]))[:3]
    )
    count = f"{len(files)} files" if len(files) > 1 else "1 file"
    others = sum(_KINDS[file.kind] != kind for file in files)
    why = f"{_NOUNS[kind]}: {count} ({shown})"
    if others:
        why += f", {others} of them of other kinds"
    return ProposedElement(kind, path, why, len(files), sum(file.size for file in files))


def _end(name: str) -> str:
    stem, dot, end = name.rpartition(".")
    return f".{end.lower()}" if dot and stem else name


_WHY: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"readme.*"), "what the kit is, for people"),
    (re.compile(r"(licen[cs]e|copying|notice).*"), "the licence"),
    (re.compile(r".*(card|citation).*"), "what is known of the model"),
    (re.compile(r".*(metrics|results|trainer_state).*\.(json|ya?ml)"), "metrics of a training"),
    (
        re.compile(
            r"(requirements|constraints|environment|conda|python_env).*|.*\.lock|pipfile.*"
            r"|pyproject\.toml|setup\..*"
        ),
        "the packages it needs",
    ),
    (re.compile(r"(docker|container)file.*|.*compose.*"), "how its container is built"),
    (re.compile(r"dvc\..*|.*pipeline.*|params\..*|mlproject"), "how it is trained"),
    (re.compile(r".*\.ipynb"), "a notebook"),
    (re.compile(r".*\.dvc"), "which data, as DVC has it"),
)
_DESCRIPTIONS = {"readme": "Readme file", "license": "License file", "licence": "License file"}
"""As kit describes them."""


def _file(file: FoundFile, kind: ElementKind) -> ProposedElement:
    name = file.name.casefold()
    why = next((why for pattern, why in _WHY if pattern.fullmatch(name)), None)
    if file.kind == "unknown":
        why = "of no known kind; packed as code, as kit does"
    described = (text for start, text in _DESCRIPTIONS.items() if name.startswith(start))
    description = next(described, None) if kind == "docs" else None
    why = why or f"{_NOUN[kind]} by its name"
    return ProposedElement(kind, file.path, why, 1, file.size, description=description)

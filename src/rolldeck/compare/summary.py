"""The one sentence on a comparison: what got worse, what may be why, and what is the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rolldeck.cells import percent
from rolldeck.compare.model import Row, Section, SectionName
from rolldeck.compare.tensors import tensor_changes
from rolldeck.facts.readers import holds_settings, lists_packages
from rolldeck.text import clean_line

IDENTICAL = "Identical: same digest"
SAME_CONTENT = "Same content, other packing or annotations"
_WEIGHTS = ("model", "modelpart")
_ARCHITECTURE = ("architecture", "model type", "GGUF architecture")
"""Keys of signature rows that are no inputs and outputs."""
_ARCHITECTURE_PARAMETER = re.compile(r"(.*\.)?(architectures(\[\d+\])?|model_type)")
"""Parameters that say the same."""
_GROUP = re.compile(r"(package list|python|os|hardware|image|seed|variable) ")
"""How the keys of environment rows begin that are no packages."""


def suspects(sections: Mapping[SectionName, Section], code_paths: Iterable[str]) -> tuple[str, ...]:
    """Return what moved and may be why metrics did, the likeliest first.

    What reaches every prediction stands before what reaches some: weights, then what they were
    made from and are called with, then settings, packages and code. ``code_paths`` are the paths
    of code elements: only files in them are suspects.
    """
    return tuple(_moved(sections, tuple(code_paths)))


def summarise(
    sections: Mapping[SectionName, Section],
    code_paths: Iterable[str],
    unlike: Sequence[str] = (),
) -> str:
    """Return one sentence: metrics first, then the suspects, what may have moved, what stayed.

    ``unlike`` is why metrics are not like for like, which is said before any number.
    """
    moved = list(suspects(sections, code_paths))
    unknown = _unknown(sections)
    unmoved = _same(sections)
    parts = [f"not like for like: {', '.join(unlike)}"] if unlike else []
    parts.append(_metrics(_rows(sections, "metrics")))
    if not moved and not unknown and not _content_differs(sections):
        return SAME_CONTENT
    if not moved and not unknown:
        moved = _other(sections)
    if moved:
        parts.append(f"{', '.join(moved)} moved")
    if unknown:
        parts.append(f"{', '.join(unknown)} unknown")
    if unmoved:
        parts.append(f"{', '.join(unmoved)} same")
    return " · ".join(parts)


def _rows(sections: Mapping[SectionName, Section], name: SectionName) -> Sequence[Row]:
    return sections[name].rows if name in sections else ()


def _metrics(rows: Sequence[Row]) -> str:
    """Return how many metrics are worse, better, or changed in a way that has no verdict."""
    if not rows:
        return "no metrics"
    differing = [row for row in rows if row.status != "equal"]
    if not differing:
        return "metrics same"
    one_sided = sum(row.status != "changed" for row in differing)
    counts = [
        (sum(row.verdict == "worse" for row in differing), "worse"),
        (sum(row.verdict == "better" for row in differing), "better"),
        (sum(row.verdict == "unknown" for row in differing) - one_sided, "changed"),
        (sum(row.status == "added" for row in differing), "only in B"),
        (sum(row.status == "removed" for row in differing), "only in A"),
    ]
    told = [(count, word) for count, word in counts if count > 0]
    first, word = told[0]
    named = f" ({'worst: ' if first > 1 else ''}{_worst(differing)})" if word == "worse" else ""
    parts = [f"{_counted(first, 'metric')} {word}{named}"]
    return ", ".join(parts + [f"{count} {word}" for count, word in told[1:]])


def _worst(rows: Sequence[Row]) -> str:
    """Return the metric that got worse most, with by how much where that is a fraction."""
    row = next(row for row in rows if row.verdict == "worse")
    name = clean_line(row.key, 60)
    return name if row.relative is None else f"{name} {percent(row.relative)}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _moved(sections: Mapping[SectionName, Section], code_paths: Sequence[str]) -> list[str]:
    """Return what differs and may be why metrics moved."""
    layers = _differing(sections, "layers")
    parts = []
    changes = tensor_changes(_rows(sections, "tensors"))
    if changes or _weights(sections, unknown=False):
        parts.append(f"weights (tensors {', '.join(changes)})" if changes else "weights")
    architecture = _architecture(_differing(sections, "signature"))
    parts += architecture
    if any(row.verdict != "unknown" for row in _differing(sections, "data")):
        parts.append("data")
    parts += _signature(_differing(sections, "signature"))
    parameters = [
        row
        for row in _differing(sections, "parameters")
        if not (architecture and _ARCHITECTURE_PARAMETER.fullmatch(row.key))
    ]
    if parameters:
        names = [_step(row) for row in parameters]
        parts += _named(names, "parameter")
    packages = [row for row in _package_rows(sections) if row.verdict != "unknown"]
    parts += _packages(packages)
    parts += [
        _step(row, "python")
        for row in _differing(sections, "environment")
        if row.key == "python version" and row.status == "changed"
    ]
    parts += _code(sections, layers, code_paths, bool(packages), bool(parameters))
    return parts


def _package_rows(sections: Mapping[SectionName, Section]) -> list[Row]:
    return [row for row in _differing(sections, "environment") if not _GROUP.match(row.key)]


def _packages(rows: Sequence[Row]) -> list[str]:
    """Return up to two packages by name; of more, those of another version apart from the rest.

    A step of the first number of a version stands before one of the second.
    """
    rows = sorted(rows, key=_first_difference)
    if len(rows) <= 2:
        return [_step(row) for row in rows]
    parts = _named([_step(row) for row in rows if row.status == "changed"], "package")
    for status in ("added", "removed"):
        count = sum(row.status == status for row in rows)
        if count:
            parts.append(f"{_counted(count, 'package')} {status}")
    return parts


def _first_difference(row: Row) -> int:
    """Return which number of a version moved, from 0; a package on one side comes last."""
    if row.status != "changed":
        return 100
    numbers = [re.split(r"[.+-]", str(cell))[:90] for cell in (row.a, row.b)]
    same = zip(*numbers, strict=False)
    return next((place for place, (one, other) in enumerate(same) if one != other), 90)


def _code(
    sections: Mapping[SectionName, Section],
    layers: Sequence[Row],
    code_paths: Sequence[str],
    has_packages: bool,
    has_parameters: bool,
) -> list[str]:
    """Return the code files that differ, or the code layers where no files were read.

    A file that lists packages is no code where these are told already, and a file of settings none
    where its parameters are.
    """
    if _rows(sections, "code"):
        paths = [row.key for row in _differing(sections, "code") if _is_in(row.key, code_paths)]
    else:
        paths = [row.key.partition(" ")[2] for row in layers if row.key.startswith("code ")]
    if has_packages:
        paths = [path for path in paths if not lists_packages(path)]
    if has_parameters:
        paths = [path for path in paths if not holds_settings(path)]
    return _named([clean_line(path, 60) for path in paths], "code file")


def _is_in(path: str, folders: Sequence[str]) -> bool:
    return any(
        folder in ("", ".") or path == folder or path.startswith(f"{folder}/") for folder in folders
    )


def _named(names: list[str], noun: str) -> list[str]:
    """Return up to two names, else how many there are."""
    return names if len(names) <= 2 else [_counted(len(names), noun)]


def _step(row: Row, name: str | None = None) -> str:
    name = name or clean_line(row.key, 60)
    if row.status == "added":
        return f"{name} added"
    if row.status == "removed":
        return f"{name} removed"
    return f"{name} {_short(row.a)} → {_short(row.b)}"


def _short(value: object) -> str:
    return clean_line(str(value), 30)


def _differing(sections: Mapping[SectionName, Section], name: SectionName) -> list[Row]:
    return [row for row in _rows(sections, name) if row.status != "equal"]


def _same(sections: Mapping[SectionName, Section]) -> list[str]:
    """Return which of data and signature are known on both sides and equal."""
    names: tuple[SectionName, ...] = ("data", "signature")
    return [name for name in names if _known(sections, name) and not _differing(sections, name)]


def _known(sections: Mapping[SectionName, Section], name: SectionName) -> bool:
    """Whether a section tells enough to call it the same; an architecture is no signature."""
    return any(row.key not in _ARCHITECTURE for row in _rows(sections, name))


def _unknown(sections: Mapping[SectionName, Section]) -> list[str]:
    """Return what may or may not have moved: digests differ, and cannot tell of the content."""
    parts = []
    known = _weights(sections, unknown=False) or tensor_changes(_rows(sections, "tensors"))
    if _weights(sections, unknown=True) and not known:
        parts.append("weights")
    packages = _package_rows(sections)
    if packages and all(row.verdict == "unknown" for row in packages):
        parts.append("packages")
    names: tuple[SectionName, ...] = ("data", "signature")
    for name in names:
        differing = _differing(sections, name)
        if differing and all(row.verdict == "unknown" for row in differing):
            parts.append(name)
    return parts


def _weights(sections: Mapping[SectionName, Section], *, unknown: bool) -> bool:
    """Whether model layers differ, for certain or as far as digests can tell."""
    return any(
        row.key.partition(" ")[0] in _WEIGHTS and (row.verdict == "unknown") == unknown
        for row in _differing(sections, "layers")
    )


def _other(sections: Mapping[SectionName, Section]) -> list[str]:
    """Return what differs where nothing does that could be why metrics moved."""
    layers = _differing(sections, "layers")
    kinds = dict.fromkeys(row.key.partition(" ")[0] for row in layers)
    if layers:
        return ["docs"] if list(kinds) == ["docs"] else [_counted(len(layers), "layer")]
    fields = _differing(sections, "kitfile")
    return [_counted(len(fields), "Kitfile field")] if fields else []


def _signature(rows: Sequence[Row]) -> list[str]:
    """Return how the signature moved, what breaks callers first."""
    counts: Counter[tuple[str, str]] = Counter(
        (row.key.partition(" ")[0], row.status) for row in rows
    )
    words = {"removed": "removed", "changed": "retyped", "added": "added"}
    told = [
        f"{_counted(counts[role, status], role)} {word}"
        for status, word in words.items()
        for role in ("input", "output", "param")
        if counts[role, status]
    ]
    if any(row.key.startswith("tokenizer ") for row in rows):
        told.append("tokenizer")
    return [f"signature ({', '.join(told)})"] if told else []


def _architecture(rows: Sequence[Row]) -> list[str]:
    """Return how the architecture moved, by the first that names it."""
    known = {row.key: row for row in rows if row.verdict != "unknown"}
    found = [known[key] for key in _ARCHITECTURE if key in known]
    return [_step(found[0], "architecture")] if found else []


def _content_differs(sections: Mapping[SectionName, Section]) -> bool:
    names: tuple[SectionName, ...] = ("layers", "kitfile", "metrics")
    return any(_differing(sections, name) for name in names)

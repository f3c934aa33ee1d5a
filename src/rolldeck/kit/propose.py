"""Proposing a Kitfile for a directory, as ``kit init`` does and with more care.

Weights and their parts are elements of their own, as in kit. Of the rest a directory that holds
one kind of file is one element; in a mixed one the commonest kind takes the directory and the
others their own elements inside it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rolldeck.kit.file_kinds import FileKind
from rolldeck.kit.license_text import license_of_text, spdx
from rolldeck.kit.model import ElementKind
from rolldeck.kit.model_card import ModelCard, read_card
from rolldeck.kit.proposal import Proposal, ProposedElement
from rolldeck.kit.propose_model import model_directories, model_elements, model_fields
from rolldeck.kit.scan import FoundFile, scan
from rolldeck.kit.weights_head import read_head
from rolldeck.progress import Progress
from rolldeck.text import clean_line

_MOST = 12
"""Most single files of one kind in one directory; more become one element with the directory."""

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
_ORDER: tuple[ElementKind, ...] = ("model", "modelpart", "code", "dataset", "docs", "prompt")


def propose(root: Path, progress: Progress) -> Proposal:
    """Return the Kitfile that a directory suggests; reads at most the first 4 KiB of a few files.

    Raises StorageError for what cannot be read, CancelledError when cancelled. The proposal has
    no elements where nothing is there to pack.
    """
    found = scan(root, progress)
    model_dirs = model_directories(found.files)
    weights = [file for file in found.files if file.kind in ("weights", "part")]
    rest = [
        file
        for file in found.files
        if file.kind not in ("weights", "part") and not _is_within(file.path, model_dirs)
    ]
    card, card_path = _card(root, found.files)
    license_name, license_why = _license(root, found.files, card, card_path)
    elements = [
        *model_elements(
            weights, [file for file in found.files if _is_within(file.path, model_dirs)], model_dirs
        ),
        *_group("", rest, None),
    ]
    elements.sort(key=lambda item: _ORDER.index(item.kind))
    name = clean_line(card.name or root.resolve().name or "kit", 100)
    package = {"name": name}
    if card.description:
        package["description"] = card.description
    if license_name:
        package["license"] = license_name
    notes = [
        f"{path} is a pointer of Git LFS, not the file: git lfs pull" for path in found.pointers
    ]
    if license_why:
        notes.append(license_why)
    model = model_fields(weights, elements, card, root)
    if model and license_name:
        model["license"] = license_name
    return Proposal(
        package,
        model,
        tuple(elements),
        tuple(sorted(found.left_out, key=lambda item: item.path)),
        tuple(notes),
    )


def _is_within(path: str, directories: Iterable[str]) -> bool:
    return any(path.startswith(f"{directory}/") for directory in directories)


def _card(root: Path, files: Sequence[FoundFile]) -> tuple[ModelCard, str]:
    """Return what the README nearest to the root says."""
    cards = [
        file.path
        for file in files
        if file.name.casefold()
        in ("readme.md", "readme", "model_card.md", "modelcard.md", "skill.md")
    ]
    for path in sorted(cards, key=lambda path: (path.count("/"), path))[:1]:
        return read_card(read_head(root / path)), path
    return ModelCard(), ""


def _license(
    root: Path, files: Sequence[FoundFile], card: ModelCard, card_path: str
) -> tuple[str | None, str]:
    """Return the licence and a note of where it stands."""
    texts = [
        file.path
        for file in files
        if "/" not in file.path
        and file.name.casefold().startswith(("license", "licence", "copying"))
    ]
    by_text = next(
        (name for path in texts if (name := license_of_text(read_head(root / path)))), None
    )
    if card.license:
        name = spdx(card.license)
        note = f"the licence {name} is that of {card_path}"
        if by_text and by_text.casefold() != name.casefold():
            note += f"; {texts[0]} looks like {by_text}: which one holds?"
        return name, note
    if by_text:
        return by_text, f"the licence {by_text} is told from the text of {texts[0]}"
    if texts:
        return None, f"the licence in {texts[0]} is not known here: write its name yourself"
    return None, "no licence was found: write one"


def _group(
    directory: str, files: Sequence[FoundFile], inside: ElementKind | None
) -> Iterator[ProposedElement]:
    """Yield elements for the files below a directory; those of the kind ``inside`` are packed."""
    if not files:
        return
    if any(file.directory == directory and file.name.casefold() == _SKILL for file in files):
        yield _directory(directory or ".", "prompt", files)
        return
    kinds = Counter(_KINDS[file.kind] for file in files)
    if directory and len(kinds) == 1:
        (kind,) = kinds
        if kind != inside:
            yield _directory(directory, kind, files)
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
    why = why or f"{_NOUNS[kind]} by its name"
    return ProposedElement(kind, file.path, why, 1, file.size, description=description)

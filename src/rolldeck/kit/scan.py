"""Looking through a directory for what a kit may hold: each file with its kind, and the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rolldeck.errors import RefusedError
from rolldeck.kit.check import read_kitignore
from rolldeck.kit.context_tree import ContextEntry, read_context
from rolldeck.kit.file_kinds import FORMATS, FileKind, kind_of_name, suffix
from rolldeck.kit.kitfile import KITFILE_NAMES
from rolldeck.kit.kitignore import KITIGNORE, KitIgnore, parse_kitignore
from rolldeck.kit.member_path import member_parts
from rolldeck.kit.proposal import LeftOut
from rolldeck.kit.unwanted import MARKS, unwanted
from rolldeck.kit.weights_head import LFS_POINTER, format_of_head, read_head
from rolldeck.progress import Progress

_HEADS = 256
"""Most files whose first bytes are read; beyond that names decide."""

_MOST_WEIGHTS = 12
"""Most arrays or pickles in one directory that are taken for weights; more are data."""

_LARGE = 1024 * 1024
_CHECKPOINT = re.compile(r"(?:checkpoint|ckpt|step|epoch)s?[-_=]?([0-9]+)?", re.IGNORECASE)

_HOMES: dict[str, FileKind] = {
    **dict.fromkeys(("data", "dataset", "datasets", "corpus", "raw_data"), "data"),
    **dict.fromkeys(("docs", "doc", "documentation", "modelrun", "dvclive"), "docs"),
    **dict.fromkeys(("prompts",), "prompt"),
    **dict.fromkeys(
        ("src", "pkg", "lib", "build", "code", "scripts", "notebooks", "pipelines", "tests"),
        "code",
    ),
}
"""What directories of these names hold."""

_YIELDING: frozenset[FileKind] = frozenset({"settings", "unknown"})
_YIELDING_TO: dict[FileKind, frozenset[FileKind]] = {
    "data": frozenset({"docs", "part"}),
    "docs": frozenset({"code", "data", "part"}),
    "prompt": frozenset({"docs", "part"}),
    "code": frozenset({"docs", "part", "prompt"}),
}
"""Which kinds by name give way to what the directory holds."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """One file to pack: its path, size in bytes, kind; for weights their format."""

    path: str
    size: int
    kind: FileKind
    format: str | None = None
    is_sure: bool = False

    @property
    def directory(self) -> str:
        """The directory it lies in; empty for the context."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The last component of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Scanned:
    """What lies in a directory: files by kind, what is left out, and pointers of Git LFS."""

    files: tuple[FoundFile, ...]
    left_out: tuple[LeftOut, ...]
    pointers: tuple[str, ...]


def scan(root: Path, progress: Progress) -> Scanned:
    """Look through a directory; reads at most the first 4 KiB of a few files.

    Raises StorageError for what cannot be read.
    """
    ignore, _ = parse_kitignore(read_kitignore(root))
    takes_back = any(pattern.takes_back for pattern in ignore.patterns)

    reasons: dict[str, LeftOut | None] = {}

    def enter(entry: ContextEntry) -> bool:
        reason = _not_packed(entry, ignore)
        marks = (found for name, found in MARKS.items() if (root / entry.path / name).exists())
        if reason is None and (mark := next(marks, None)):
            reason = LeftOut(f"{entry.path}/", mark.why, pattern=_escaped(entry.path))
        reasons[entry.path] = reason
        if takes_back and ignore.hides(entry.path):
            return unwanted(entry.name, is_dir=True) is None
        return reason is None

    tree = read_context(root, progress, enter)
    left_out: list[LeftOut] = []
    files: list[FoundFile] = []
    for entry in tree.entries:
        reason = reasons[entry.path] if entry.kind == "dir" else _not_packed(entry, ignore)
        if reason is not None:
            left_out.append(reason)
        elif entry.kind == "file" and entry.path not in (*KITFILE_NAMES, KITIGNORE):
            files.append(FoundFile(entry.path, entry.size, _kind(entry)))
    files, left_out = _without_checkpoints(files, left_out)
    looked_at = list(_look_into(root, files))
    pointers = tuple(file.path for file in looked_at if file.format == LFS_POINTER)
    return Scanned(tuple(_settle(looked_at)), tuple(left_out), pointers)


def _not_packed(entry: ContextEntry, ignore: KitIgnore) -> LeftOut | None:
    is_dir = entry.kind == "dir"
    shown = f"{entry.path}/" if is_dir else entry.path
    pattern = ignore.hidden_by(entry.path)
    if pattern is not None:
        return LeftOut(shown, f"{KITIGNORE}, line {pattern.line}: {pattern.text}")
    if entry.kind == "link":
        return LeftOut(shown, "a symbolic link; links are not packed")
    if entry.kind == "special":
        return LeftOut(shown, "a special file; these are not packed")
    try:
        member_parts(entry.path)
    except RefusedError as error:
        return LeftOut(shown, error.message.rpartition(": ")[2])
    found = unwanted(entry.name, is_dir=is_dir)
    if found is None:
        return None
    return LeftOut(shown, found.why, found.is_secret, f"**/{_escaped(entry.name)}")


def _escaped(path: str) -> str:
    """Return the pattern that means this path and no other."""
    return re.sub(r"([*?\[\]\\])", r"\\\1", path)


def _kind(entry: ContextEntry) -> FileKind:
    """Return the kind by name; the nearest directory with a telling name decides what yields."""
    kind = kind_of_name(entry.name)
    folders = entry.path.casefold().split("/")[:-1]
    home = next((_HOMES[name] for name in reversed(folders) if name in _HOMES), None)
    if home is None or kind == home:
        return kind
    if kind == "ambiguous":
        return home if home == "data" else kind
    yields = _YIELDING | _YIELDING_TO[home]
    is_fixture = home == "code" and kind == "data" and entry.size < _LARGE
    return home if kind in yields or is_fixture else kind


def _without_checkpoints(
    files: list[FoundFile], left_out: list[LeftOut]
) -> tuple[list[FoundFile], list[LeftOut]]:
    """Leave out the states of a training where the finished weights lie beside them.

    Where there are only such states the newest, by its number, is kept.
    """
    inside: dict[str, list[FoundFile]] = {}
    rest = []
    for file in files:
        parts = file.path.split("/")[:-1]
        depth = next((n for n, part in enumerate(parts) if _CHECKPOINT.fullmatch(part)), None)
        if depth is None:
            rest.append(file)
            continue
        numbered = [n for n, part in enumerate(parts) if re.search(r"[-_=][0-9]+$", part)]
        inside.setdefault("/".join(parts[: max([depth, *numbered]) + 1]), []).append(file)
    if not inside:
        return files, left_out
    why = "the state of a training; the finished weights are packed"
    if not any(file.kind in ("weights", "ambiguous") for file in rest):
        newest = max(inside, key=lambda path: (_number(path), path))
        rest += inside.pop(newest)
        why = f"an older state of the training than {newest}"
    out = [LeftOut(f"{path}/", why, pattern=_escaped(path)) for path in inside]
    order = {file.path: number for number, file in enumerate(files)}
    return sorted(rest, key=lambda file: order[file.path]), [*left_out, *out]


def _number(path: str) -> int:
    found = re.findall(r"[0-9]+", path.rpartition("/")[2])
    return int(found[-1]) if found else -1


def _look_into(root: Path, files: list[FoundFile]) -> Iterator[FoundFile]:
    """Yield the files, weights with the format that their first bytes show."""
    heads = 0
    for file in files:
        named = FORMATS.get(suffix(file.name))
        is_large = file.kind == "unknown" and file.size >= _LARGE
        if heads >= _HEADS or not (file.kind in ("weights", "ambiguous") or is_large):
            yield replace(file, format=named if file.kind in ("weights", "ambiguous") else None)
            continue
        heads += 1
        shown = format_of_head(read_head(root / file.path), file.size)
        if file.kind == "unknown":
            is_weights = shown not in (None, "NumPy", LFS_POINTER)
            yield replace(file, kind="weights", format=shown, is_sure=True) if is_weights else file
        elif shown == LFS_POINTER:
            yield replace(file, kind="weights", format=shown)
        else:
            # A container that many formats use says less than the name.
            is_container = shown in ("pickle", "HDF5", "NumPy")
            is_telling = shown is not None and (not is_container or named in (None, shown))
            yield replace(file, format=shown if is_telling else named, is_sure=is_telling)


def _settle(files: list[FoundFile]) -> Iterator[FoundFile]:
    """Decide what yields by what lies beside it."""
    weights_in = {file.directory for file in files if file.kind == "weights"}
    others = {(file.directory, file.kind) for file in files}
    ambiguous = Counter(file.directory for file in files if file.kind == "ambiguous")
    has_weights = any(file.kind == "weights" for file in files)
    has_model = has_weights or any(file.kind == "ambiguous" for file in files)
    for file in files:
        beside_weights = file.directory in weights_in or (file.directory, "ambiguous") in others
        beside_code = (file.directory, "code") in others
        if file.kind == "ambiguous":
            is_array = file.format == "NumPy" and has_weights
            is_one_of_many = ambiguous[file.directory] > _MOST_WEIGHTS
            yield replace(file, kind="data" if is_array or is_one_of_many else "weights")
        elif file.kind == "part" and not beside_weights and (beside_code or not has_model):
            yield replace(file, kind=_beside(file.directory, others))
        elif file.kind == "settings":
            is_code = beside_code and (not beside_weights or suffix(file.name) in ("yaml", "yml"))
            is_part = beside_weights and not is_code
            yield replace(file, kind="part" if is_part else _beside(file.directory, others))
        else:
            yield file


def _beside(directory: str, others: set[tuple[str, FileKind]]) -> FileKind:
    """Return what a file is that says nothing itself: what lies beside it, else data as in kit."""
    kinds: tuple[FileKind, ...] = ("code", "data", "prompt", "docs")
    return next((kind for kind in kinds if (directory, kind) in others), "data")

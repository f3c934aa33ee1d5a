"""Checks of a Kitfile against the directory: what is missing, empty, hidden or dropped."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rolldeck.errors import RefusedError
from rolldeck.kit.check_paths import LocalElement
from rolldeck.kit.context_tree import ContextEntry, ContextTree
from rolldeck.kit.file_kinds import kind_of_name
from rolldeck.kit.finding import Findings, closest, some
from rolldeck.kit.kitfile import KITFILE_NAMES
from rolldeck.kit.kitignore import KITIGNORE, KitIgnore
from rolldeck.kit.member_path import member_parts
from rolldeck.kit.strict_yaml import Place
from rolldeck.kit.unwanted import MARKS, SYSTEM, SYSTEM_NAMES, Unwanted, unwanted
from rolldeck.kit.weights_head import LFS_POINTER, format_of_head, read_head

LEFT_OUT = "left out of "
"""How a finding begins that is about what packing leaves out."""

_NEVER = (*KITFILE_NAMES, KITIGNORE)
_POINTER_SIZES = range(100, 1025)
"""Sizes in bytes that a pointer of Git LFS has; files of other sizes are not read."""


def check_files(
    elements: Sequence[LocalElement],
    context: Path,
    tree: ContextTree,
    ignore: KitIgnore,
    findings: Findings,
) -> None:
    """Check every element's files, and tell what lies in none."""
    covered: set[str] = set()
    paths = {element.path for element in elements}
    for element in elements:
        if not _exists(element, context, tree, ignore, findings):
            continue
        _element(element, paths, tree, ignore, findings)
        covered.update(entry.path for entry in tree.within(element.path))
        _lfs(element, context, tree, findings)
    if findings.ok:
        # An element whose path is wrong leaves its files over: that is told already.
        _uncovered(covered, tree, ignore, findings)


def _exists(
    element: LocalElement,
    context: Path,
    tree: ContextTree,
    ignore: KitIgnore,
    findings: Findings,
) -> bool:
    """Whether anything can lie in an element; tells why not."""
    path = element.path
    found = tree.find(path)
    if not path:
        return True
    if path in _NEVER:
        text = f"{path} belongs to no layer: a Kitfile is kept as the kit's config"
        findings.warning(element.place, text, "Remove this element.")
        return False
    if found is not None and found.kind in ("file", "dir"):
        pattern = ignore.hidden_by(path)
        if pattern is None:
            return True
        text = f"{path} is hidden by {pattern.text} in line {pattern.line} of {KITIGNORE}"
        findings.warning(element.place, text, f"Add !{path} to {KITIGNORE}, or remove the element.")
        return found.kind == "dir" and any(item.takes_back for item in ignore.patterns)
    for length in range(1, len(element.parts) + 1):
        above = tree.find("/".join(element.parts[:length]))
        if above is not None and above.kind == "link":
            text = f"{above.path} is a symbolic link, and links are not packed"
            hint = "Put what it points to in its place."
            has_end = os.path.exists(context / above.path)
            findings.error(element.place, text, hint if has_end else "It points nowhere.")
            return False
    if found is not None:
        findings.error(element.place, f"{path} is a special file, and these are not packed")
        return False
    findings.error(element.place, f"{path} does not exist", _nearest(element.parts, tree))
    return False


def _nearest(parts: tuple[str, ...], tree: ContextTree) -> str | None:
    """Say which path that exists was probably meant."""
    if any(char in "*?[" for part in parts for char in part):
        return "Patterns are not expanded: name the directory, or each file."
    depth = 0
    while depth < len(parts) and tree.find("/".join(parts[: depth + 1])):
        depth += 1
    start = "/".join(parts[:depth])
    names = [entry.name for entry in tree.within(start) if _is_in(entry, start)]
    meant = closest(parts[depth], names) if depth < len(parts) else None
    if meant is not None:
        path = "/".join((*parts[:depth], meant, *parts[depth + 1 :]))
        if tree.find(path) is None:
            path = "/".join((*parts[:depth], meant))
        return f'Did you mean "{path}"?'
    same = [entry.path for entry in tree.entries if entry.name == parts[-1]]
    return f'Did you mean "{same[0]}"?' if len(same) == 1 else None


def _is_in(entry: ContextEntry, directory: str) -> bool:
    return entry.path != directory and entry.path.rpartition("/")[0] == directory


def _element(
    element: LocalElement,
    paths: set[str],
    tree: ContextTree,
    ignore: KitIgnore,
    findings: Findings,
) -> None:
    """Tell what of an element is packed and what is not; ``paths`` are those of all elements."""
    files = 0
    left_out: dict[str, list[str]] = {}
    not_by_kit: list[str] = []
    bad: dict[str, list[str]] = {}
    skipped = ""
    foreign = _prefixes(element.path, paths, tree)
    for entry in tree.within(element.path):
        if skipped and entry.path.startswith(skipped):
            continue
        if entry.path != element.path and entry.path in paths:
            skipped = f"{entry.path}/"
            continue
        if entry.path in _NEVER or ignore.hides(entry.path):
            continue
        if entry.kind in ("link", "special"):
            what = "symbolic links are" if entry.kind == "link" else "special files are"
            left_out.setdefault(f"{what} not packed", []).append(entry.path)
            continue
        if reason := _unusable(entry.path):
            left_out.setdefault(reason, []).append(entry.path)
            skipped = f"{entry.path}/"
            continue
        is_inside = entry.path != element.path
        if is_inside and entry.name.lower() in SYSTEM_NAMES:
            left_out.setdefault(SYSTEM.why, []).append(entry.path)
            skipped = f"{entry.path}/"
            continue
        files += entry.kind == "file"
        if ".." in entry.path or entry.path.startswith(foreign):
            not_by_kit.append(entry.path)
        found = _unwanted(entry, tree)
        if found and (found.is_secret or (is_inside and (found.is_heavy or found.is_litter))):
            bad.setdefault(found.why, []).append(entry.path)
            if entry.kind == "dir":
                skipped = f"{entry.path}/"
                files += 1
    _tell(element, files, left_out, not_by_kit, bad, findings)


def _prefixes(element: str, paths: set[str], tree: ContextTree) -> tuple[str, ...]:
    """Return what kit takes for the start of another element's files, by letters alone."""
    found = tree.find(element)
    if element and (found is None or found.kind != "dir"):
        return ()
    return tuple(path for path in paths if path and not element.startswith(path))


def _tell(
    element: LocalElement,
    files: int,
    left_out: dict[str, list[str]],
    not_by_kit: list[str],
    bad: dict[str, list[str]],
    findings: Findings,
) -> None:
    title = element.path or "the whole directory"
    if not files:
        findings.warning(element.place, f"{title} holds nothing to pack")
    for reason, paths in left_out.items():
        findings.warning(element.place, f"{LEFT_OUT}{title}: {some(paths)}: {reason}")
    for why, paths in bad.items():
        names = dict.fromkeys(path.rpartition("/")[2] for path in paths)
        hint = f"Add to {KITIGNORE}: {some([f'**/{name}' for name in names])}"
        findings.warning(element.place, f"{title} packs {some(paths)}: {why}", hint)
    if not_by_kit:
        hint = "rolldeck packs them; with --exact-kit it leaves them out as well."
        findings.warning(element.place, f"kit would drop {some(not_by_kit)} of {title}", hint)


def _unwanted(entry: ContextEntry, tree: ContextTree) -> Unwanted | None:
    for name, reason in MARKS.items():
        if tree.find(f"{entry.path}/{name}"):
            return reason
    return unwanted(entry.name, is_dir=entry.kind == "dir")


def _unusable(path: str) -> str | None:
    try:
        member_parts(path)
    except RefusedError as error:
        return error.message.rpartition(": ")[2]
    return None


def _lfs(element: LocalElement, context: Path, tree: ContextTree, findings: Findings) -> None:
    pointers = [
        entry.path
        for entry in tree.within(element.path)
        if entry.kind == "file"
        and entry.size in _POINTER_SIZES
        and (entry.path == element.path or kind_of_name(entry.name) == "weights")
        and format_of_head(read_head(context / entry.path), entry.size) == LFS_POINTER
    ]
    if pointers:
        text = f"{some(pointers)}: a pointer of Git LFS, not the content"
        findings.warning(element.place, text, "Fetch it: git lfs pull")


def _uncovered(covered: set[str], tree: ContextTree, ignore: KitIgnore, findings: Findings) -> None:
    """Tell what lies in no element; directories stand for what lies in them."""
    ancestors = {path[:end] for path in covered for end, char in enumerate(path) if char == "/"}
    outside: list[str] = []
    skipped = ""
    for entry in tree.entries:
        if skipped and entry.path.startswith(skipped):
            continue
        is_dir = entry.kind == "dir"
        is_left_out = ignore.hides(entry.path) or _unwanted(entry, tree) is not None
        if entry.path in covered or entry.path in ancestors:
            continue
        if entry.path in (*_NEVER, findings.file):
            continue
        if is_dir:
            skipped = f"{entry.path}/"
        if not is_left_out:
            outside.append(f"{entry.path}/" if is_dir else entry.path)
    if outside:
        findings.info(Place(1, 1), f"in no element, so not packed: {some(outside)}")

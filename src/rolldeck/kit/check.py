"""Checking a Kitfile: every mistake in it, with its place and what was probably meant.

The same checks stand in front of packing. An error is what rolldeck does not pack; a warning is
what is packed otherwise than was probably meant, or what kit would refuse or drop.
"""

from __future__ import annotations

from pathlib import Path

from rolldeck.errors import NotFoundError
from rolldeck.fsops import storage
from rolldeck.kit.check_fields import check_fields
from rolldeck.kit.check_files import check_files
from rolldeck.kit.check_paths import check_paths
from rolldeck.kit.context_tree import read_context
from rolldeck.kit.finding import Finding, Findings
from rolldeck.kit.kitfile import KITFILE_NAMES
from rolldeck.kit.kitfile_elements import elements_of
from rolldeck.kit.kitignore import KITIGNORE, KitIgnore, parse_kitignore
from rolldeck.kit.strict_yaml import Place, read_yaml
from rolldeck.progress import Progress


def check_kitfile(
    data: bytes, context: Path, progress: Progress, name: str = "Kitfile"
) -> tuple[Finding, ...]:
    """Return everything that is wrong or remarkable in a Kitfile, by line and column.

    ``context`` is the directory that its paths are relative to; ``name`` is what the findings call
    the file. Raises StorageError where the directory cannot be read, CancelledError when the
    progress is cancelled.
    """
    findings = Findings(name)
    root = read_yaml(data, findings.error)
    if root is None:
        if not findings.in_order():
            hint = "rolldeck init proposes one from what lies here."
            findings.error(Place(1, 1), "the file is empty", hint)
        return findings.in_order()
    check_fields(root, findings)
    local = check_paths(list(elements_of(root)), context, findings)
    ignore = _read_ignore(context, findings)
    check_files(local, context, read_context(context, progress), ignore, findings)
    return findings.in_order()


def find_kitfile(directory: Path) -> Path:
    """Return the Kitfile that kit would take in a directory; raises NotFoundError."""
    for name in KITFILE_NAMES:
        if (directory / name).is_file():
            return directory / name
    raise NotFoundError(
        f"No Kitfile in {directory}",
        reference=str(directory),
        hint=f"rolldeck init {directory} proposes one.",
    )


def read_kitignore(context: Path) -> bytes:
    """Return the content of the directory's .kitignore; empty where there is none."""
    with storage(context / KITIGNORE):
        try:
            return (context / KITIGNORE).read_bytes()
        except FileNotFoundError:
            return b""


def _read_ignore(context: Path, findings: Findings) -> KitIgnore:
    ignore, bad = parse_kitignore(read_kitignore(context))
    for error in bad:
        hint = "kit refuses it; see the patterns of .dockerignore"
        findings.add(KITIGNORE, Place(error.line, 1), "error", f"bad pattern: {error}", hint)
    return ignore

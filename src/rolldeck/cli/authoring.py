"""The verbs around writing a Kitfile: init, check."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from rolldeck.actions import Checked, Initialized, Workspace, check_kit, initialize
from rolldeck.cli.columns import print_columns
from rolldeck.cli.documents import print_document
from rolldeck.cli.publish_documents import checked_document, initialized_document
from rolldeck.cli.terminal import console, message
from rolldeck.errors import UsageError
from rolldeck.kit.finding import Finding
from rolldeck.kit.proposal import LeftOut
from rolldeck.progress import Progress
from rolldeck.text import clean_line
from rolldeck.units import human_size

_COLOURS = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}
_TITLES = {"modelpart": "part", "dataset": "data set"}


async def run_check(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Tell every mistake in a Kitfile; exit code 2 where there is one."""
    checked = await check_kit(arguments.where, progress, arguments.file)
    if arguments.json:
        print_document(checked_document(checked))
    else:
        print_findings(checked.path, checked.data, checked.findings)
        _print_count(checked)
    return 0 if checked.ok else UsageError.code


async def run_init(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Propose a Kitfile, and write it unless it is only to be shown."""
    write = not (arguments.stdout or arguments.dry_run)
    found = await initialize(
        workspace, arguments.directory, progress, write=write, force=arguments.force
    )
    if arguments.json:
        print_document(initialized_document(found))
    elif arguments.stdout:
        sys.stdout.write(found.text)
        for item in found.proposal.left_out:
            if item.is_secret:
                message(f"left out: {item.path}: {item.why}")
    else:
        _print_proposal(found)
    return 0


def _left_out(items: Iterable[LeftOut]) -> Iterator[tuple[str, str, str]]:
    """Yield rows; many of one name and reason are one, but every secret is named."""
    alike: dict[tuple[str, str], list[LeftOut]] = {}
    for item in items:
        name = item.path if item.is_secret else item.path.rstrip("/").rpartition("/")[2]
        alike.setdefault((name, item.why), []).append(item)
    for found in alike.values():
        more = f" and {len(found) - 1} more of that name" if len(found) > 1 else ""
        mark = "! " if found[0].is_secret else ""
        yield mark, clean_line(found[0].path) + more, clean_line(found[0].why)


def print_findings(path: Path, data: bytes, findings: Iterable[Finding]) -> None:
    """Print findings as a compiler does; on a terminal with the line that they are about."""
    from rich.cells import cell_len
    from rich.text import Text

    out = console()
    lines = data.decode("utf-8-sig", errors="replace").split("\n")
    for finding in findings:
        place = clean_line(str(path.with_name(finding.file)))
        shown = Text(f"{place}:{finding.line}:{finding.column}: ")
        shown.append(f"{finding.severity}: ", _COLOURS[finding.severity])
        shown.append(finding.message)
        if finding.hint:
            shown.append(f"; {_continued(finding.hint)}")
        out.print(shown, soft_wrap=True)
        if sys.stdout.isatty() and finding.file == path.name and finding.line <= len(lines):
            source = lines[finding.line - 1].replace("\t", " ").rstrip("\r")
            before = cell_len(clean_line(source[: finding.column - 1]))
            out.print(Text(f"    {clean_line(source)}", "dim"), no_wrap=True, overflow="crop")
            out.print(Text(f"    {' ' * before}^", _COLOURS[finding.severity]), overflow="crop")


def _continued(hint: str) -> str:
    """Return a hint as the end of a sentence."""
    is_word = hint[:1].isupper() and not hint[1:2].isupper()
    return (hint[0].lower() + hint[1:] if is_word else hint).removesuffix(".")


def _print_count(checked: Checked) -> None:
    told = []
    for severity, noun in (("error", "mistake"), ("warning", "warning")):
        count = sum(finding.severity == severity for finding in checked.findings)
        if count:
            told.append(f"{count} {noun}{'s' if count != 1 else ''}")
    print(f"{clean_line(str(checked.path))}: {', '.join(told) or 'no mistakes'}")


def _print_proposal(found: Initialized) -> None:
    proposal = found.proposal
    rows = [
        (
            _TITLES.get(item.kind, item.kind),
            clean_line(item.path),
            human_size(item.size),
            clean_line(item.why),
        )
        for item in proposal.elements
    ]
    columns = [("element", "left"), ("path", "left"), ("size", "right"), ("why", "left")]
    print_columns(columns, rows)
    if proposal.left_out:
        print()
        columns = [("", "left"), ("left out", "left"), ("why", "left")]
        print_columns(columns, _left_out(proposal.left_out))
    print()
    for note in proposal.notes:
        print(f"note: {clean_line(note)}")
    print_findings(
        found.path,
        found.text.encode(),
        (item for item in found.findings if item.severity != "info"),
    )
    size = human_size(proposal.size)
    what = f"{len(proposal.elements)} elements, {size}"
    if not found.written:
        print(f"{clean_line(str(found.path))} would be written: {what}")
        return
    print(f"{clean_line(str(found.path))} written: {what}")
    if found.ignore and found.ignore_is_new:
        print(f"{clean_line(str(found.path.with_name('.kitignore')))} written")
    elif found.ignore:
        patterns = [line for line in found.ignore.split("\n") if line and not line.startswith("#")]
        message(f"The .kitignore there was not changed; add to it: {'  '.join(patterns)}")

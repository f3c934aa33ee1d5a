"""The verb doctor: what is looked at, what it means, what to do."""

from __future__ import annotations

import argparse
from collections import Counter
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from rolldeck.actions import Diagnosis, Finding, Workspace, diagnose
from rolldeck.cli.documents import print_document
from rolldeck.cli.terminal import console
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.text import clean_line

_MARKS = {
    "ok": ("✓", "green"),
    "warn": ("!", "yellow"),
    "fail": ("×", "red"),
    "unknown": ("?", "cyan"),
}
_CHECK = 14
"""Width of the names of checks, in cells."""


async def run_doctor(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Print all findings; the exit code is that of the first failure."""
    place = Reference.parse(arguments.place) if arguments.place else None
    diagnosis = await diagnose(
        workspace, place, write=arguments.write, settings_file=arguments.settings
    )
    if arguments.json:
        print_document(diagnosis_document(diagnosis))
    else:
        _print(diagnosis)
    return diagnosis.code


def diagnosis_document(diagnosis: Diagnosis) -> dict[str, object]:
    """Return what ``doctor --json`` prints."""
    return {
        "ok": diagnosis.code == 0,
        "registry": diagnosis.registry,
        "findings": [
            {
                "area": item.area,
                "check": item.check,
                "severity": item.severity,
                "detail": item.detail,
                "meaning": item.meaning or None,
                "hint": item.hint or None,
            }
            for item in diagnosis.findings
        ],
    }


def _print(diagnosis: Diagnosis) -> None:
    out = console()
    areas = dict.fromkeys(item.area for item in diagnosis.findings)
    for area in areas:
        of_registry = area == "registry" and diagnosis.registry
        title = f"{area} {diagnosis.registry}" if of_registry else area
        out.print(Text(clean_line(title), style="bold"))
        for item in diagnosis.findings:
            if item.area == area:
                _print_finding(item, out)
    counts = Counter(item.severity for item in diagnosis.findings)
    out.print(
        f"{counts['ok']} as they should be, {counts['warn']} to know of, {counts['fail']} that"
        f" fail, {counts['unknown']} not known"
    )


def _print_finding(item: Finding, out: Console) -> None:
    mark, style = _MARKS[item.severity]
    first = f"  {mark} {item.check:{_CHECK}}"
    room = max(out.width - len(first), 20)
    quiet = "dim" if item.severity == "ok" else ""
    lines = [
        (line, look)
        for text, look in ((item.detail, ""), (item.meaning, quiet), (item.hint, "bold"))
        for line in wrap(clean_line(text), room, break_on_hyphens=False)
    ]
    for number, (text, look) in enumerate(lines):
        start = Text(first if number == 0 else " " * len(first))
        if number == 0:
            start.stylize(style, 2, 3)
        out.print(start.append(text, look), soft_wrap=True)

"""The verb diff: two versions side by side, as text, JSON, Markdown, TSV or HTML."""

from __future__ import annotations

import argparse
import difflib
import sys

from rich.text import Text

from rolldeck.actions import DiffResult, Workspace, chosen_policy, with_file
from rolldeck.actions import diff as compare_versions
from rolldeck.cli.comparison_text import print_report
from rolldeck.cli.documents import print_document
from rolldeck.cli.terminal import console, message
from rolldeck.compare import (
    NOT_READ,
    READING_ORDER,
    Format,
    Policy,
    Report,
    SectionName,
    Version,
    curves,
    failed,
    side_by_side,
)
from rolldeck.errors import NotFoundError, UsageError
from rolldeck.oci import Reference, is_tag
from rolldeck.progress import Progress
from rolldeck.text import clean_line, decode

_TEXT_LIMIT = 1024 * 1024


async def run_diff(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Compare two versions.

    Exit code 1 with --exit-code where they differ, with --fail-on regression where a metric got
    worse or a guardrail failed, and with --policy where a guardrail failed.
    """
    only = _sections(arguments.only)
    if arguments.json and arguments.form:
        raise UsageError("--json and another format exclude each other")
    if arguments.file and arguments.form:
        raise UsageError("The text difference of one file is printed as text or with --json")
    a = Reference.parse(arguments.a)
    b = _second(a, arguments.b)
    policy = await chosen_policy(workspace, arguments.policy)
    result = await compare_versions(workspace, a, b, arguments.tolerance, policy)
    if arguments.file:
        side_a = await with_file(workspace, result.a, arguments.file, progress)
        side_b = await with_file(workspace, result.b, arguments.file, progress)
        differs = _print_file(side_a, side_b, arguments.file, arguments.json)
        return 1 if arguments.exit_code and differs else 0
    report = Report(
        result.comparison,
        show_all=bool(arguments.all),
        only=only,
        curves=curves(result.a, result.b) if arguments.form == "html" else {},
    )
    _show(report, "json" if arguments.json else arguments.form)
    not_read = any(NOT_READ in row.note for row in result.comparison.section("code").rows)
    if not_read and not arguments.json and not arguments.form:
        message(f"To read a file that was not read: rolldeck diff {a} {b} --file PATH")
    return _exit_code(arguments, report, result, policy)


def _exit_code(
    arguments: argparse.Namespace, report: Report, result: DiffResult, policy: Policy | None
) -> int:
    """Return 1 where a gate is closed; a policy alone decides what a regression is."""
    if arguments.exit_code and report.differs:
        return 1
    if policy and (arguments.policy or arguments.fail_on):
        return 1 if failed(result.comparison.guardrails) else 0
    return 1 if arguments.fail_on and result.comparison.regressions else 0


def _show(report: Report, form: Format | None) -> None:
    """Print the report; on stderr what failed, where it does not stand in the text."""
    if form is None:
        print_report(report)
        return
    from rolldeck.compare.export import export, report_json

    if form == "json":
        print_document(report_json(report))
    else:
        sys.stdout.write(export(report, form))
    for result in failed(report.guardrails):
        message(f"guardrail failed: {result.detail}")


def _sections(text: str | None) -> tuple[SectionName, ...]:
    """Read ``metrics,environment``; raises UsageError that names the nearest section."""
    names = [part.strip() for part in (text or "").split(",") if part.strip()]
    known = dict(zip(READING_ORDER, READING_ORDER, strict=True))
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"Did you mean {close[0]}?" if close else f"Sections: {', '.join(known)}."
            raise UsageError(f"No such section: {clean_line(name, 40)}", hint=hint)
    if text is not None and not names:
        raise UsageError("--only names no section", hint=f"Sections: {', '.join(known)}.")
    return tuple(section for section in READING_ORDER if section in names)


def _second(a: Reference, text: str) -> Reference:
    """Read B, where a bare tag means the repository of A."""
    if is_tag(text) and (a.tag or a.digest):
        return a.tagged(text)
    return Reference.parse(text)


def _print_file(a: Version, b: Version, path: str, as_json: bool) -> bool:
    """Print what differs in one file of both versions; returns whether anything does."""
    if path not in a.files and path not in b.files:
        known = ", ".join(sorted({*a.files, *b.files})[:8])
        raise NotFoundError(
            f"Neither version has a text file {clean_line(path)}",
            reference=path,
            hint=f"Files: {clean_line(known)}" if known else None,
        )
    differs = a.files.get(path) != b.files.get(path)
    texts = [decode(side.files.get(path, b""), _TEXT_LIMIT) for side in (a, b)]
    lines = [line for line in side_by_side(texts[0], texts[1]) if line.tag != "equal"]
    if as_json:
        print_document(
            {
                "path": path,
                "a": {"reference": a.reference, "present": path in a.files},
                "b": {"reference": b.reference, "present": path in b.files},
                "identical": not differs,
                "lines": [
                    {"tag": line.tag, "a_number": line.left_number, "a": line.left}
                    | {"b_number": line.right_number, "b": line.right}
                    for line in lines
                ],
            }
        )
        return differs
    out = console()
    out.print(Text(f"--- {a.label} {path}\n+++ {b.label} {path}", style="bold"))
    for line in lines:
        if line.left is not None:
            out.print(Text(f"{line.left_number:>6} - {line.left}", style="red"), soft_wrap=True)
        if line.right is not None:
            out.print(Text(f"{line.right_number:>6} + {line.right}", style="green"), soft_wrap=True)
    if not lines:
        out.print("Only line endings differ" if differs else "The file is the same in both")
    return differs

"""The verbs that move a local target: pin, rollback, undo. Each shows its plan first."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from rich.text import Text

from rolldeck.actions import Workspace, apply, plan_pin, plan_rollback, plan_undo
from rolldeck.cli.documents import print_document
from rolldeck.cli.move_documents import moved_document, plan_document
from rolldeck.cli.terminal import confirm, console, message, progress_line
from rolldeck.errors import CancelledError
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.release import Check, Plan
from rolldeck.text import clean_line
from rolldeck.units import human_size, short_digest

_MARKS = {True: ("✓", "green"), False: ("×", "red"), None: ("?", "yellow")}


async def run_pin(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Make a version current in a local target."""
    reference = Reference.parse(arguments.reference)
    plan = await plan_pin(workspace, reference, arguments.target)
    return await _carry_out(workspace, plan, arguments, progress)


async def run_rollback(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Put the version before back."""
    plan = await plan_rollback(workspace, arguments.target, arguments.to)
    return await _carry_out(workspace, plan, arguments, progress)


async def run_undo(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Take back the last move."""
    plan = await plan_undo(workspace, arguments.target)
    return await _carry_out(workspace, plan, arguments, progress)


async def _carry_out(
    workspace: Workspace, plan: Plan, arguments: argparse.Namespace, progress: Progress
) -> int:
    if not arguments.json:
        print_plan(plan)
    if arguments.dry_run:
        if arguments.json:
            print_document(plan_document(plan))
        else:
            message("Dry run: nothing was changed.")
        return 0
    moves_live = plan.from_digest is not None and plan.from_digest != plan.to_digest
    question = f"{plan.verb} {plan.target} to {plan.to_label}?"
    if (
        moves_live
        and plan.ok
        and not confirm(question, "This moves what is live", yes=arguments.yes)
    ):
        raise CancelledError("Nothing was changed")
    with progress_line(progress, f"{plan.verb} {plan.to_label}", quiet=arguments.json):
        moved = await apply(workspace, plan, progress, arguments.reason)
    if arguments.json:
        print_document(moved_document(moved, plan))
        return 0
    out = console()
    if moved.previous == moved.digest:
        out.print(f"{plan.to_label} was current already; nothing moved")
        return 0
    out.print(f"{moved.target}/current is now {plan.to_label} (generation g{moved.generation})")
    out.print(f"Take it back: rolldeck undo {moved.target}", style="dim")
    return 0


def print_checks(checks: Iterable[Check]) -> None:
    """Print what was checked."""
    for check in checks:
        mark, style = _MARKS[check.ok]
        text = f" {check.check}: {clean_line(check.detail)}"
        console().print(Text.assemble("  ", (mark, style), text), soft_wrap=True)


def print_plan(plan: Plan) -> None:
    """Print what will change and what was checked."""
    out = console()
    start = (
        f"{plan.from_label} ({short_digest(plan.from_digest)})" if plan.from_digest else "nothing"
    )
    goal = f"{plan.to_label} ({short_digest(plan.to_digest)})" if plan.to_digest else "nothing"
    out.print(Text(f"{plan.verb} {plan.target}", style="bold"))
    out.print(Text(f"  current: {clean_line(start)} → {clean_line(goal)}"))
    print_checks(plan.checks)
    if plan.summary:
        out.print(Text(f"  {plan.summary}"), soft_wrap=True)
    out.print(Text(f"  {human_size(plan.bytes_to_move)} to move", style="dim"))

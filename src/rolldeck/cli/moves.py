"""The verbs that move a local target: pin, rollback, undo. Each shows its plan first."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rolldeck.actions import (
    Moved,
    Workspace,
    apply,
    is_target,
    plan_pin,
    plan_rollback,
    plan_undo,
)
from rolldeck.cli.documents import print_document
from rolldeck.cli.move_documents import moved_document, plan_document
from rolldeck.cli.terminal import confirm, console, message, progress_line, wrapped
from rolldeck.errors import BusyError, CancelledError, UsageError
from rolldeck.oci import Digest, Reference
from rolldeck.progress import Progress
from rolldeck.release import Check, Plan
from rolldeck.text import clean_line
from rolldeck.units import human_size, short_digest

if TYPE_CHECKING:
    from rolldeck.actions.outbox import Published
    from rolldeck.release.channel.outbox import Unpublished

_MARKS = {True: ("✓", "green"), False: ("×", "red"), None: ("?", "yellow")}


async def run_pin(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Make a version current in a local target, or what a channel is at, and follow it."""
    if arguments.follow:
        from rolldeck.cli.follow import run_pin_follow

        return await run_pin_follow(workspace, arguments, progress)
    reference = Reference.parse(arguments.reference)
    plan = await plan_pin(workspace, reference, arguments.target)
    return await carry_out(workspace, plan, arguments, progress)


async def run_rollback(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Put the version before back in a local target, or the last known good one in a channel."""
    if not names_target(arguments.target):
        from rolldeck.cli.channel_moves import run_channel_rollback

        if arguments.channel:
            raise UsageError(f"--channel is for directories, and {arguments.target} is a channel")
        return await run_channel_rollback(workspace, arguments, progress)
    _require_no_channel_options(arguments)
    target = Path(arguments.target)
    plan = await plan_rollback(workspace, target, arguments.to, summary=_shows_plan(arguments))
    if not arguments.channel:
        return await carry_out(workspace, plan, arguments, progress)
    # Imported here: a target alone needs nothing of channels, and should be quick.
    from rolldeck.actions.outbox import channel_of_target, with_channel

    plan = with_channel(plan, channel_of_target(target, arguments.channel))
    return await carry_out(workspace, plan, arguments, progress)


async def run_undo(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Take back the last move of a local target or a channel."""
    if not names_target(arguments.target):
        from rolldeck.cli.channel_moves import run_channel_undo

        return await run_channel_undo(workspace, arguments, progress)
    _require_no_channel_options(arguments)
    plan = await plan_undo(workspace, Path(arguments.target), summary=_shows_plan(arguments))
    return await carry_out(workspace, plan, arguments, progress)


def names_target(word: str) -> bool:
    """Whether an argument names a local target; else it is a channel: a reference with a tag."""
    if is_target(word):
        return True
    try:
        return Reference.parse(word).tag is None
    except UsageError:
        return True  # no reference, so a path in another form


_CHANNEL_OPTIONS = ("rehearse", "hold_for", "no_hold", "no_mark", "force")


def _require_no_channel_options(arguments: argparse.Namespace) -> None:
    for name in _CHANNEL_OPTIONS:
        if getattr(arguments, name, None):
            raise UsageError(
                f"--{name.replace('_', '-')} is for channels, and {arguments.target} is a directory"
            )


def _shows_plan(arguments: argparse.Namespace) -> bool:
    """Whether anybody reads more of the plan than its checks."""
    return bool(arguments.dry_run or not arguments.json)


async def carry_out(
    workspace: Workspace, plan: Plan, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Show the plan of a local target, ask where something moves, and do it."""
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
    item = None
    with progress_line(progress, f"{plan.verb} {plan.to_label}", quiet=arguments.json):
        if plan.queues is None:
            moved = await apply(
                workspace, plan, progress, arguments.reason, just_planned=arguments.yes
            )
        else:
            from rolldeck.actions.outbox import apply_and_queue

            moved, item = await apply_and_queue(workspace, plan, progress, arguments.reason)
    if not arguments.json:
        # Before the channel: its registry may take its time, or not answer at all.
        _print_moved(moved, plan)
    published = await _publish(workspace, item, progress, arguments) if item else None
    if arguments.json:
        print_document(moved_document(moved, plan) | _channel_part(published))
    elif published is not None:
        from rolldeck.cli.outbox import told_result

        print_parts((told_result(published), ""))
    return 0


def _print_moved(moved: Moved, plan: Plan) -> None:
    if moved.previous == moved.digest:
        print_parts((f"{plan.to_label} was current already; nothing moved", ""))
        return
    now = f"{moved.target}/current is now {plan.to_label} (generation g{moved.generation})"
    print_parts((clean_line(now), ""))
    if moved.removed:
        print_parts((f"{len(moved.removed)} older releases removed", ""))
    print_parts((clean_line(f"Take it back: rolldeck undo {moved.target}"), "dim"))


async def _publish(
    workspace: Workspace, item: Unpublished, progress: Progress, arguments: argparse.Namespace
) -> Published:
    from rolldeck.actions.outbox import Published, publish

    with progress_line(progress, f"publish {item.to_label}", quiet=arguments.json):
        try:
            found = await publish(workspace, progress, wanted=lambda x: x.nonce == item.nonce)
        except BusyError as error:
            return Published(item, "unpublished", error.message)
    return found[0] if found else Published(item, "published")


def _channel_part(published: Published | None) -> dict[str, object]:
    if published is None:
        return {}
    from rolldeck.cli.outbox_documents import published_document

    return {"channel": published_document(published)}


def print_checks(checks: Iterable[Check]) -> None:
    """Print what was checked."""
    for check in checks:
        mark, style = _MARKS[check.ok]
        first, *rest = wrapped(f"{check.check}: {check.detail}", 4)
        print_parts(("  ", ""), (mark, style), (f" {first}", ""))
        for line in rest:
            print_parts((f"    {line}", ""))


def print_plan(plan: Plan) -> None:
    """Print what will change and what was checked."""
    start = named(plan.from_label, plan.from_digest) if plan.from_digest else "nothing"
    goal = named(plan.to_label, plan.to_digest) if plan.to_digest else "nothing"
    print_parts((f"{plan.verb} {plan.target}", "bold"))
    print_parts((f"  current: {start} → {goal}", ""))
    print_checks(plan.checks)
    if plan.summary:
        print_wrapped(f"  {plan.summary}")
    print_parts((f"  {human_size(plan.bytes_to_move)} to move", "dim"))


def named(label: str | None, digest: Digest) -> str:
    """Return a version as people call it with the beginning of its digest."""
    short = short_digest(digest)
    return short if label in (None, "", short) else f"{clean_line(label or '', 60)} ({short})"


def print_wrapped(text: str, style: str = "") -> None:
    """Print a text in lines of the terminal's width, all as far indented as it begins."""
    indent = " " * (len(text) - len(text.lstrip()))
    for line in wrapped(text.strip(), len(indent)):
        print_parts((f"{indent}{line}", style))


def print_parts(*parts: tuple[str, str]) -> None:
    """Print one line of texts with their styles, which only a terminal sees."""
    if not sys.stdout.isatty():
        # Without rich: loading it takes as long as a switch.
        print("".join(text for text, _ in parts))
        return
    from rich.text import Text

    console().print(Text.assemble(*parts), soft_wrap=True)

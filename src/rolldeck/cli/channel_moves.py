"""The verbs that move a channel: promote, rollback, undo, adopt, restore. Each shows its plan."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING

from rolldeck.actions import (
    Workspace,
    apply_channel,
    bring_along,
    plan_adopt,
    plan_channel_rollback,
    plan_channel_undo,
    plan_promote,
    plan_restore,
    rehearse_rollback,
)
from rolldeck.cli.channel_move_documents import (
    channel_moved_document,
    channel_plan_document,
    rehearsed_document,
)
from rolldeck.cli.channel_move_text import print_channel_plan, print_moved, print_rehearsed
from rolldeck.cli.documents import Document, print_document
from rolldeck.cli.terminal import confirm, confirm_typed, message, progress_line
from rolldeck.errors import CancelledError, UsageError
from rolldeck.oci import Reference, is_tag
from rolldeck.progress import Progress
from rolldeck.release.channel import ChannelPlan

if TYPE_CHECKING:
    from rolldeck.actions.follower import FollowEvent


async def run_promote(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Let a channel point at a version."""
    version, channel = _both(arguments.reference, arguments.channel)
    plan = await plan_promote(
        workspace, version, channel, reason=arguments.reason, force=arguments.force
    )
    return await _carry_out(workspace, plan, arguments, progress)


async def run_channel_rollback(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Go back to the last known good version, or rehearse that."""
    if arguments.no_hold and arguments.hold_for is not None:
        raise UsageError("--hold-for and --no-hold exclude each other")
    hours = 0.0 if arguments.no_hold else arguments.hold_for
    plan = await plan_channel_rollback(
        workspace,
        Reference.parse(arguments.target),
        arguments.to,
        hold_for=None if hours is None else timedelta(hours=hours),
        mark=not arguments.no_mark,
        reason=arguments.reason,
        force=arguments.force,
    )
    if arguments.rehearse:
        return await _rehearse(workspace, plan, arguments, progress)
    return await _carry_out(workspace, plan, arguments, progress)


async def run_channel_undo(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Take back the last move."""
    channel = Reference.parse(arguments.target)
    plan = await plan_channel_undo(
        workspace, channel, reason=arguments.reason, force=arguments.force
    )
    return await _carry_out(workspace, plan, arguments, progress)


async def run_adopt(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Record what a channel points at."""
    channel = Reference.parse(arguments.channel)
    plan = await plan_adopt(workspace, channel, reason=arguments.reason)
    return await _carry_out(workspace, plan, arguments, progress)


async def run_restore(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Put the recorded version of a channel back."""
    channel = Reference.parse(arguments.channel)
    plan = await plan_restore(workspace, channel, reason=arguments.reason, force=arguments.force)
    return await _carry_out(workspace, plan, arguments, progress)


def _both(version: str, channel: str) -> tuple[Reference, Reference]:
    """Read a version and a channel, of which one may be a tag alone in the other's repository."""
    if is_tag(channel):
        found = Reference.parse(version)
        return found, found.tagged(channel)
    goal = Reference.parse(channel)
    if goal.tag is None:
        raise UsageError(
            f"{channel} is no channel: it has no tag",
            reference=channel,
            hint=f"Write it with its tag: {goal.name}:production",
        )
    return goal.tagged(version) if is_tag(version) else Reference.parse(version), goal


async def _carry_out(
    workspace: Workspace, plan: ChannelPlan, arguments: argparse.Namespace, progress: Progress
) -> int:
    if not arguments.json:
        print_channel_plan(plan)
    if arguments.dry_run:
        if arguments.json:
            print_document(channel_plan_document(plan))
        else:
            message("Dry run: nothing was changed.")
        return 0
    if plan.ok and plan.records and not _agreed(plan, arguments):
        raise CancelledError("Nothing was changed")
    with progress_line(progress, f"{plan.verb} {plan.to_label}", quiet=arguments.json):
        moved = await apply_channel(workspace, plan, progress)
    along = bring_along(workspace, plan.channel, progress) if plan.followers else None
    if arguments.json:
        document = channel_moved_document(moved)
        print_document(document | {"followers": await _event_documents(along)})
        return 0
    # Before the local targets: what was done must be told whatever comes next.
    print_moved(moved)
    if along is not None:
        from rolldeck.cli.follow import print_event

        async for event in along:
            print_event(event)
    return 0


async def _event_documents(events: AsyncIterator[FollowEvent] | None) -> list[Document]:
    if events is None:
        return []
    # Imported here: few channels are followed by a target of the same host.
    from rolldeck.cli.follow import event_document

    return [event_document(event) async for event in events]


def _agreed(plan: ChannelPlan, arguments: argparse.Namespace) -> bool:
    """Ask: forward for the channel's name in full, back and for a record alone for one y."""
    question = f"{plan.verb} {plan.channel} to {plan.to_label}?"
    what = "This moves a channel" if plan.verb != "external" else "This writes a record"
    name = plan.channel.tag or ""
    forced = getattr(arguments, "force", False)
    if plan.verb == "promote" or forced:
        return confirm_typed(question, name, what, yes=arguments.yes)
    return confirm(question, what, yes=arguments.yes)


async def _rehearse(
    workspace: Workspace, plan: ChannelPlan, arguments: argparse.Namespace, progress: Progress
) -> int:
    if not arguments.json:
        print_channel_plan(plan)
    if arguments.dry_run:
        raise UsageError("--rehearse moves nothing, so --dry-run has nothing to add")
    with progress_line(progress, f"rehearse {plan.to_label}", quiet=arguments.json):
        rehearsed = await rehearse_rollback(workspace, plan, progress)
    if arguments.json:
        print_document(rehearsed_document(rehearsed))
    else:
        print_rehearsed(rehearsed)
    return 0

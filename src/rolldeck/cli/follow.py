"""The verbs that let a local target track a channel: follow, and pin with --follow."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from rolldeck.actions import Workspace
from rolldeck.actions.follow import INTERVAL, follow, preview_round
from rolldeck.actions.follow_plan import plan_follow
from rolldeck.actions.follower import FollowEvent
from rolldeck.actions.hooks import Hooks
from rolldeck.cli.documents import Document, print_document
from rolldeck.cli.moves import carry_out, print_parts
from rolldeck.cli.terminal import message
from rolldeck.errors import CancelledError, RolldeckError, UsageError
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.release import Plan
from rolldeck.text import clean_line
from rolldeck.units import human_size, rfc3339, short_digest

_REFUSED = 8


async def run_follow(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Bring a target to where its channel is, once or until it is ended."""
    interval = INTERVAL if arguments.interval is None else arguments.interval
    if not 1 <= interval <= 86400:
        raise UsageError("--interval must be 1 to 86400 seconds")
    if not 0 < arguments.hook_deadline <= 86400:
        raise UsageError("--hook-deadline must be more than 0 and at most 86400 seconds")
    refused = False
    shown: FollowEvent | None = None
    hooks = Hooks(
        _words("--reload", arguments.reload),
        _words("--check", arguments.check),
        arguments.hook_deadline,
    )
    target = Path(arguments.target)
    if arguments.dry_run:
        return await _preview(workspace, target, arguments, progress)
    rounds = follow(
        workspace, target, progress, hooks=hooks, once=arguments.once, interval=interval
    )
    async for event in rounds:
        refused = refused or event.kind in ("refused", "reverted", "unproven")
        if arguments.json:
            print_document(event_document(event))
            sys.stdout.flush()
        elif arguments.once or not _says_the_same(shown, event):
            print_event(event)
            sys.stdout.flush()
        shown = event
    return _REFUSED if refused and arguments.once else 0


async def _preview(
    workspace: Workspace, target: Path, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Show what a round would do."""
    found = await preview_round(workspace, target, progress)
    if isinstance(found, Plan):
        return await carry_out(workspace, found, arguments, progress)
    if arguments.json:
        print_document(event_document(found))
    else:
        print_event(found)
    return _REFUSED if found.kind == "refused" else 0


def _words(option: str, text: str | None) -> tuple[str, ...]:
    """Split a command as a shell would; raises UsageError where it cannot be."""
    try:
        words = tuple(shlex.split(text or ""))
    except ValueError as error:
        raise UsageError(f"{option} is no command: {error}") from None
    if text is not None and not words:
        raise UsageError(f"{option} is empty")
    return words


async def run_pin_follow(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Pin a target to where a channel is, and let it follow that channel from now on."""
    plan = await plan_follow(workspace, Reference.parse(arguments.reference), arguments.target)
    code = await carry_out(workspace, plan, arguments, progress)
    if arguments.dry_run:
        return code
    try:
        async for event in follow(workspace, arguments.target, progress, once=True):
            # The document of the move is the only one on stdout.
            if event.kind != "current" and not arguments.json:
                print_event(event)
    except CancelledError:
        raise
    except RolldeckError as error:
        # The move was made; a follower, if one runs or is started, does the rest.
        if not arguments.json:
            message(f"The last known good is not unpacked yet: {error.message}")
    return code


def _says_the_same(shown: FollowEvent | None, event: FollowEvent) -> bool:
    """Whether a person knows it already: rounds without news are not told again and again."""
    return (
        shown is not None
        and event.kind in ("current", "refused", "unreachable", "failed")
        and (shown.kind, shown.detail, shown.goal) == (event.kind, event.detail, event.goal)
    )


def print_event(event: FollowEvent) -> None:
    """Print what happened as one line."""
    name = event.label or (short_digest(event.goal) if event.goal else "")
    words = {
        "current": f"is at {name}",
        "switched": f"is now {name} (generation g{event.generation}, "
        f"{human_size(event.bytes)} moved)",
        "prepared": f"fetched {human_size(event.bytes)}",
        "unprepared": "is not ready for a rollback",
        "removed": f"removed {len(event.removed)} older releases",
        "reverted": "went back",
        "unproven": f"is at {name}, which does not work",
        "refused": "stays where it is",
        "unreachable": "stays where it is",
        "failed": "stays where it is",
        "waiting": "waits for its follower",
        "stopped": "is not followed any more",
    }[event.kind]
    said = f": {event.detail}" if event.detail else ""
    print_parts((clean_line(f"{rfc3339(event.time)} {event.target} {words}{said}", 500), ""))


def event_document(event: FollowEvent) -> Document:
    """Return one line of ``follow --json``."""
    return {
        "event": event.kind,
        "time": rfc3339(event.time),
        "target": str(event.target),
        "channel": event.channel or None,
        "digest": event.digest,
        "previous": event.previous,
        "goal": event.goal,
        "label": event.label,
        "held": event.held,
        "generation": event.generation,
        "bytes": event.bytes,
        "removed": list(event.removed),
        "detail": event.detail or None,
    }

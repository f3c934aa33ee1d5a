"""The verbs that mark: verdict on a version, hold of a channel and its release."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, cast

from rolldeck.actions import Workspace, plan_hold, plan_unhold, plan_verdict, write_mark
from rolldeck.cli.channel_move_documents import marking_document
from rolldeck.cli.channel_move_text import local_time
from rolldeck.cli.documents import print_document
from rolldeck.cli.terminal import confirm, message
from rolldeck.errors import CancelledError
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.release.channel import Hold, Opinion, Verdict
from rolldeck.text import clean_line
from rolldeck.units import short_digest

if TYPE_CHECKING:
    from rolldeck.actions import Marking


async def run_verdict(workspace: Workspace, arguments: argparse.Namespace, _: Progress) -> int:
    """Say of a version that it is good or bad, or note something."""
    word = arguments.opinion
    opinion = cast(Opinion, "withdrawn" if word == "withdraw" else word)
    reference = Reference.parse(arguments.reference)
    marking = await plan_verdict(workspace, reference, opinion, arguments.reason)
    return await _write(workspace, marking, arguments, asks=False)


async def run_hold(workspace: Workspace, arguments: argparse.Namespace, _: Progress) -> int:
    """Freeze a channel."""
    channel = Reference.parse(arguments.channel)
    marking = await plan_hold(workspace, channel, arguments.hours, arguments.reason)
    return await _write(workspace, marking, arguments, asks=True)


async def run_unhold(workspace: Workspace, arguments: argparse.Namespace, _: Progress) -> int:
    """Release the hold of a channel."""
    channel = Reference.parse(arguments.channel)
    marking = await plan_unhold(workspace, channel, arguments.reason)
    return await _write(workspace, marking, arguments, asks=True)


async def _write(
    workspace: Workspace, marking: Marking, arguments: argparse.Namespace, *, asks: bool
) -> int:
    said = _told(marking)
    if not arguments.json:
        if marking.before is not None:
            print(f"before: {_shown(marking.before)}")
        print(said)
    if arguments.dry_run:
        if arguments.json:
            print_document(marking_document(marking, applied=False))
        else:
            message("Dry run: nothing was changed.")
        return 0
    if asks and not confirm("Do it?", "This changes who may move a channel", yes=arguments.yes):
        raise CancelledError("Nothing was changed")
    await write_mark(workspace, marking)
    if arguments.json:
        print_document(marking_document(marking, applied=True))
    return 0


def _told(marking: Marking) -> str:
    name = clean_line(str(marking.reference).partition("@")[0])
    return f"{name}: {_shown(marking.mark)}"


def _shown(mark: Verdict | Hold) -> str:
    """Return a mark in a few words."""
    why = f": {mark.reason}" if mark.reason else ""
    version = short_digest(mark.version.digest)
    if isinstance(mark, Verdict):
        return clean_line(f"{version} {mark.opinion}, by {mark.actor}{why}")
    if mark.released:
        return clean_line(f"its hold is released by {mark.holder}{why}")
    until = f"until {local_time(mark.until)}" if mark.until else "until it is released"
    return clean_line(f"held at {version} {until} by {mark.holder}{why}")

"""Publishing rollbacks that were made while a registry was down, asked for or not."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from rich.text import Text

from rolldeck.actions import Workspace
from rolldeck.cli.documents import print_document
from rolldeck.cli.terminal import console, message, progress_line
from rolldeck.errors import (
    CancelledError,
    IntegrityError,
    RolldeckError,
    UnavailableError,
    UsageError,
)
from rolldeck.oci import Place, Reference
from rolldeck.progress import Progress
from rolldeck.text import clean_line

if TYPE_CHECKING:
    from rolldeck.actions.outbox import Published
    from rolldeck.release.channel.outbox import Unpublished


async def run_publish(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Publish what waits in the outbox, or show it, or forget what is void."""
    from rolldeck.actions.outbox import Published, forget_void, publish
    from rolldeck.cli.outbox_documents import outbox_document
    from rolldeck.release.channel import outbox

    channel = str(Reference.parse(arguments.channel)) if arguments.channel else None
    damaged = await asyncio.to_thread(outbox.damaged)
    before = await asyncio.to_thread(outbox.read_outbox, channel)
    void = tuple(item for item in before if item.void is not None)
    waiting = tuple(item for item in before if item.void is None)
    forgotten: tuple[Unpublished, ...] = ()
    if arguments.dry_run:
        found = tuple(Published(item, "unpublished") for item in waiting)
    else:
        with progress_line(progress, "publish", quiet=arguments.json):
            found = await publish(
                workspace, progress, wanted=lambda item: channel in (None, item.channel)
            )
        if arguments.forget:
            forgotten, void = await forget_void(channel), ()
    if arguments.json:
        print_document(
            outbox_document(found, void, forgotten, damaged, applied=not arguments.dry_run)
        )
    else:
        for item in (*found, *(Published(known, "void", known.void or "") for known in void)):
            console().print(Text(told_result(item)), soft_wrap=True)
        if not (found or void or forgotten):
            message("Nothing waits to be published.")
        if arguments.dry_run and found:
            message("Dry run: nothing was changed.")
    if damaged:
        raise IntegrityError(
            f"{damaged[0]} is damaged: which rollback it stands for is not known",
            reference=str(damaged[0]),
            hint="Remove it, and roll the channel back by its name where that is still wanted.",
        )
    late = any(item.state == "unpublished" for item in found) and not arguments.dry_run
    return UnavailableError.code if late else 0


async def publish_waiting(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> None:
    """Publish what waits for the repository that a verb is about; a failure is none of the verb's.

    A verb that only looks at what would be, or that may change nothing, publishes nothing.
    """
    if workspace.read_only or getattr(arguments, "dry_run", False):
        return
    words = [getattr(arguments, name, None) for name in ("reference", "place", "channel", "target")]
    wanted = {name for word in words if (name := _repository(word))}
    from rolldeck.actions.outbox import publish

    try:
        done = await publish(workspace, progress, wanted=lambda item: item.repository in wanted)
    except CancelledError:
        raise
    except RolldeckError:
        return
    for item in done:
        if item.state != "unpublished":
            message(told_result(item))


def _repository(word: object) -> str | None:
    """Return the registry's repository that an argument names; None where it names none."""
    try:
        found = Reference.parse(str(word)) if isinstance(word, str) else None
    except UsageError:
        return None
    return found.name if found is not None and found.place is Place.REGISTRY else None


def told_result(found: Published) -> str:
    """Say in one line what became of a rollback that was queued."""
    item = found.item
    what = f"{item.channel}: rollback to {item.to_label}"
    if found.state == "published":
        return clean_line(f"{what} published as g{found.generation}")
    if found.state == "void":
        return clean_line(f"{what} is void: {found.detail}")
    said = f" ({found.detail})" if found.detail else ""
    return clean_line(f"{what} is unpublished{said}")

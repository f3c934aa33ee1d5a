"""The verbs that remove a version or a tag: rm and untag. Each shows what else uses it first."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rolldeck.actions import Workspace, plan_rm, plan_untag, remove
from rolldeck.cli.documents import print_document
from rolldeck.cli.moves import print_checks
from rolldeck.cli.publish_documents import removal_document
from rolldeck.cli.terminal import confirm, console, message
from rolldeck.errors import CancelledError
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.text import clean_line
from rolldeck.units import short_digest

if TYPE_CHECKING:
    from rolldeck.actions import Removal


async def run_rm(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Remove a version with all of its tags."""
    reference = Reference.parse(arguments.reference)
    return await _carry_out(
        workspace, await plan_rm(workspace, reference, force=arguments.force), arguments
    )


async def run_untag(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Remove a tag."""
    reference = Reference.parse(arguments.reference)
    return await _carry_out(
        workspace, await plan_untag(workspace, reference, force=arguments.force), arguments
    )


async def _carry_out(workspace: Workspace, removal: Removal, arguments: argparse.Namespace) -> int:
    if not arguments.json:
        _print_plan(removal)
    if arguments.dry_run:
        if arguments.json:
            print_document(removal_document(removal, applied=False))
        else:
            message("Dry run: nothing was changed.")
        return 0
    if removal.ok and not confirm(_question(removal), "This removes", yes=arguments.yes):
        raise CancelledError("Nothing was changed")
    await remove(workspace, removal)
    if arguments.json:
        print_document(removal_document(removal, applied=True))
    else:
        console().print(f"Removed {_what(removal)}")
    return 0


def _what(removal: Removal) -> str:
    name = clean_line(removal.reference.name)
    if removal.verb == "untag":
        return f"the tag {name}:{removal.tags[0]}"
    tags = f" with {', '.join(removal.tags)}" if removal.tags else ""
    return f"{name}@{short_digest(removal.digest)}{tags}"


def _question(removal: Removal) -> str:
    return f"Remove {_what(removal)}?"


def _print_plan(removal: Removal) -> None:
    console().print(f"Remove {_what(removal)}", style="bold")
    print_checks(removal.checks)

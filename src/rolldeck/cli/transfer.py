"""The verb that fetches: pull."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rolldeck.actions import PullPlan, Workspace, plan_pull, pull, pull_unpacked
from rolldeck.cli.documents import print_document
from rolldeck.cli.move_documents import pull_plan_document, pulled_document
from rolldeck.cli.moved_tag import report_moved_tag
from rolldeck.cli.terminal import message, progress_line
from rolldeck.errors import UsageError
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.text import clean_line
from rolldeck.units import human_size

if TYPE_CHECKING:
    from rolldeck.kit import Filter


async def run_pull(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Copy versions into the library, or one straight into a directory."""
    directory = arguments.unpack
    if directory is not None and len(arguments.references) > 1:
        raise UsageError(
            "--unpack takes one reference",
            hint="Unpack each into a directory of its own.",
        )
    filters = _filters(arguments)
    if filters and directory is None:
        raise UsageError(
            "--filter says what to unpack, and pull takes whole versions",
            hint="Add --unpack DIR.",
        )
    if arguments.dry_run and directory is not None:
        raise UsageError(
            "--dry-run is for pull alone",
            hint="What would be fetched and written: rolldeck unpack --dry-run -d DIR REFERENCE",
        )
    for text in arguments.references:
        reference = Reference.parse(text)
        if arguments.dry_run:
            _print_plan(await plan_pull(workspace, reference), as_json=arguments.json)
            continue
        part = progress.part("total")
        with progress_line(part, f"pull {text}", quiet=arguments.json):
            if directory is None:
                pulled = await pull(workspace, reference, part)
            else:
                pulled = await pull_unpacked(workspace, reference, directory, part, filters)
        if arguments.json:
            print_document(pulled_document(pulled))
            continue
        await report_moved_tag(workspace, reference)
        moved = human_size(pulled.bytes_transferred)
        also = "".join(f"  with {copy}\n" for copy in pulled.chain)
        print(
            f"{pulled.reference}\n  {pulled.digest}\n{also}"
            f"  {human_size(pulled.bytes_total)}, of which {moved} fetched in "
            f"{pulled.seconds:.1f} s, verified"
        )
        if pulled.directory is not None:
            print(f"  unpacked in {clean_line(str(pulled.directory))}")
            # Imported here: a plain pull need not wait for what unpacks.
            from rolldeck.cli.kept import tell_kept

            tell_kept(pulled.kept, pulled.reference, filters)
    return 0


def _filters(arguments: argparse.Namespace) -> tuple[Filter, ...]:
    if not arguments.filters:
        return ()
    from rolldeck.cli.unpacking import filters_of

    return filters_of(arguments)


def _print_plan(plan: PullPlan, *, as_json: bool) -> None:
    if as_json:
        print_document(pull_plan_document(plan))
        return
    also = "".join(f"  with {copy}\n" for copy in plan.chain)
    print(
        f"{plan.reference}\n  {plan.digest}\n{also}"
        f"  {human_size(plan.bytes_total)}, of which {human_size(plan.bytes_to_fetch)} to fetch"
    )
    message("Dry run: nothing was changed.")

"""The verb that unpacks; into a directory in use it shows first what that would do."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rolldeck.actions import Unpacked, Workspace, unpack, unpack_planned
from rolldeck.cli.documents import print_document
from rolldeck.cli.kept import tell_kept
from rolldeck.cli.move_documents import unpack_plan_document, unpacked_document
from rolldeck.cli.moved_tag import report_moved_tag
from rolldeck.cli.terminal import confirm, message, progress_line
from rolldeck.errors import CancelledError, UsageError
from rolldeck.kit import Filter, MergeRules, is_occupied, parse_filter
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.text import clean_line
from rolldeck.units import human_size

if TYPE_CHECKING:
    from rolldeck.actions import UnpackPlan


async def run_unpack(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Unpack a version into a directory."""
    reference, filters = Reference.parse(arguments.reference), filters_of(arguments)
    title = f"unpack {arguments.reference}"
    if arguments.dry_run or is_occupied(arguments.directory):
        return await _run_planned(workspace, reference, filters, arguments, progress)
    with progress_line(progress, title, quiet=arguments.json):
        unpacked = await unpack(workspace, reference, arguments.directory, progress, filters)
    await _tell(workspace, reference, unpacked, filters, arguments)
    return 0


def filters_of(arguments: argparse.Namespace) -> tuple[Filter, ...]:
    """Return the filters; raises UsageError for what is none."""
    return tuple(parse_filter(text) for text in arguments.filters)


async def _run_planned(
    workspace: Workspace,
    reference: Reference,
    filters: tuple[Filter, ...],
    arguments: argparse.Namespace,
    progress: Progress,
) -> int:
    # Imported here: most directories are new.
    from rolldeck.actions import plan_unpack
    from rolldeck.actions.unpack_words import count_of, replaced

    rules = MergeRules(arguments.overwrite, arguments.ignore_existing, arguments.force)
    directory = arguments.directory
    part = progress.part("compare")
    with progress_line(part, f"compare {directory}", quiet=arguments.json):
        plan = await plan_unpack(workspace, reference, directory, part, filters)
    problem = _problem(plan, rules)
    if not arguments.json:
        _print_plan(plan)
    if arguments.dry_run:
        if arguments.json:
            print_document(unpack_plan_document(plan, problem))
        else:
            message(f"{problem.message}." if problem else "Dry run: nothing was changed.")
        return 0
    if problem is not None:
        raise problem
    changed = replaced(plan.found, rules)
    question = f"Replace {count_of(changed)}, in {directory}?"
    if changed and not confirm(question, "This replaces files", yes=arguments.yes):
        raise CancelledError("Nothing was changed")
    part = progress.part("total")
    with progress_line(part, f"unpack {arguments.reference}", quiet=arguments.json):
        unpacked = await unpack_planned(workspace, plan, rules, part)
    await _tell(workspace, reference, unpacked, filters, arguments)
    return 0


def _problem(plan: UnpackPlan, rules: MergeRules) -> UsageError | None:
    try:
        plan.require(rules)
    except UsageError as error:
        return error
    return None


def _print_plan(plan: UnpackPlan) -> None:
    from rolldeck.actions.unpack_words import standing_words

    print(f"unpack {plan.reference} into {clean_line(str(plan.directory))}")
    for _, text in standing_words(plan.found):
        print(f"  {text}")
    for path, reason in plan.unknown:
        print(f"  unknown     {path}: {reason}; told once it is fetched")


async def _tell(
    workspace: Workspace,
    reference: Reference,
    unpacked: Unpacked,
    filters: tuple[Filter, ...],
    arguments: argparse.Namespace,
) -> None:
    if arguments.json:
        print_document(unpacked_document(unpacked))
        return
    await report_moved_tag(workspace, reference)
    where = clean_line(str(unpacked.directory))
    print(
        f"{unpacked.reference}\n"
        f"  {unpacked.files} files, {human_size(unpacked.bytes)} in {where}, verified"
    )
    tell_kept(unpacked.kept, unpacked.reference, filters)
    for path, reason in unpacked.skipped:
        message(f"left out: {path}: {reason}")

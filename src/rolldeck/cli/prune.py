"""The verb that removes older releases of a local target: prune."""

from __future__ import annotations

import argparse
from pathlib import Path

from rolldeck.actions import Workspace
from rolldeck.actions.prune import Pruned, plan_prune, prune
from rolldeck.cli.documents import Document, print_document
from rolldeck.cli.terminal import confirm, message
from rolldeck.errors import CancelledError, UsageError
from rolldeck.progress import Progress
from rolldeck.release.retention import Kept, Retention, Surplus
from rolldeck.text import clean_line
from rolldeck.units import human_size, short_digest


async def run_prune(workspace: Workspace, arguments: argparse.Namespace, _: Progress) -> int:
    """Tell which releases of a target nobody needs; remove them with --apply."""
    if arguments.keep is not None and arguments.keep < 1:
        raise UsageError("--keep must be 1 or more")
    if arguments.apply:
        workspace.require_writable("prune")
    options = {"keep": arguments.keep, "blind": arguments.force}
    plan = await plan_prune(workspace, Path(arguments.target), **options)
    applied = arguments.apply and not arguments.dry_run
    if not arguments.json:
        _print(plan)
    if not applied:
        if arguments.json:
            print_document(_document(plan, plan.surplus, plan.kept, applied=False))
        elif plan.surplus:
            message("Nothing was removed: rolldeck prune TARGET --apply does it.")
        return 0
    question = f"Remove {len(plan.surplus)} releases, {human_size(plan.size)}?"
    if plan.surplus and not confirm(question, "This removes files", yes=arguments.yes):
        raise CancelledError("Nothing was removed")
    # Also where nothing can go: what a killed removal left is removed.
    done: Pruned = await prune(workspace, plan, **options)
    if arguments.json:
        print_document(_document(plan, done.removed, done.kept, applied=True))
    else:
        print(f"{len(done.removed)} releases removed, {human_size(done.size)} free")
    return 0


def _print(plan: Retention) -> None:
    for item in plan.kept:
        print(f"keep  {_name(item)}  {clean_line(', '.join(item.reasons))}")
    for gone in plan.surplus:
        print(f"drop  {_name(gone)}  {human_size(gone.size)}")
    number = len(plan.surplus)
    kept = f"{len(plan.kept)} release{'' if len(plan.kept) == 1 else 's'}"
    print(f"keeps {kept}, {number} can go, frees {human_size(plan.size)}")
    if plan.hidden and any("cannot be seen" in why for item in plan.kept for why in item.reasons):
        message("As root all processes can be looked into; --force removes them unseen.")


def _name(item: Kept | Surplus) -> str:
    return clean_line(f"{short_digest(item.digest)}  {item.label}")


def _document(
    plan: Retention, removed: tuple[Surplus, ...], kept: tuple[Kept, ...], *, applied: bool
) -> Document:
    return {
        "target": str(plan.target),
        "kept": [
            {"digest": item.digest, "label": item.label, "reasons": list(item.reasons)}
            for item in kept
        ],
        "removed": [
            {"digest": item.digest, "label": item.label, "size": item.size} for item in removed
        ],
        "size": sum(item.size for item in removed),
        "unseen_processes": len(plan.hidden),
        "applied": applied,
    }

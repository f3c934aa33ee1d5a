"""The verbs that look after what is kept here: verify, gc."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from dataclasses import replace

from rolldeck.actions import (
    Survey,
    Verified,
    Workspace,
    collect_garbage,
    remove_spares,
    survey_garbage,
    verify,
    verify_all,
)
from rolldeck.cli.documents import print_document
from rolldeck.cli.terminal import confirm, message, progress_line
from rolldeck.cli.upkeep_documents import garbage_document, verified_document
from rolldeck.errors import CancelledError, IntegrityError, UsageError
from rolldeck.progress import Progress
from rolldeck.text import clean_line
from rolldeck.units import human_size, short_digest

_REPAIR_TARGET = "Pin or roll back to such a version: it is then unpacked again from its source."
_REPAIR_LIBRARY = "Pull what is damaged again: rolldeck verify --repair {what}"
_NO_REPAIR = "Copy or pull the version again from where it came; a damaged blob is not used."

_WHY = {
    "tag": "named {what}",
    "target": "{what}",
    "operation": "{what}",
    "young": "no tag, came within the grace time",
    "referrer": "refers to {what}",
    "unreadable": "cannot be read as a manifest",
}


async def run_verify(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Check bytes against digests; exit code 6 where one does not match and is not repaired."""
    all_ok, anything = True, False
    async for what, verified in _checks(workspace, arguments, progress):
        anything = True
        all_ok = all_ok and verified.ok
        if arguments.json:
            print_document(verified_document(what, verified))
        else:
            _print_verified(verified, what)
            if not verified.ok:
                message(_hint(verified, arguments, what))
    if not anything and not arguments.json:
        print("Nothing is kept here yet")
    return 0 if all_ok else IntegrityError.code


async def _checks(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> AsyncIterator[tuple[str, Verified]]:
    repair = arguments.repair
    if not arguments.what:
        with progress_line(progress, "verify", quiet=arguments.json):
            found = [item async for item in verify_all(workspace, progress, repair=repair)]
        for item in found:
            yield item
    for what in arguments.what:
        part = progress.part("total")
        with progress_line(part, f"verify {what}", quiet=arguments.json):
            verified = await verify(workspace, what, part, repair=repair)
        yield what, verified


def _print_verified(verified: Verified, what: str) -> None:
    for problem in verified.problems:
        place = clean_line(problem.path or problem.digest or "")
        print(f"{'✓' if problem.repaired else '×'} {place}: {clean_line(problem.problem)}")
        if problem.references:
            print(f"    needed by {clean_line(', '.join(problem.references))}")
        if problem.quarantine:
            print(f"    put aside as {clean_line(str(problem.quarantine))}")
        if problem.repaired:
            print("    repaired" if problem.references else "    nothing needs it")
    left = sum(not problem.repaired for problem in verified.problems)
    verdict = f"{left} are not" if left else "all as they should be"
    print(f"{clean_line(what)}: {verified.checked} checked, {verdict}")


def _hint(verified: Verified, arguments: argparse.Namespace, what: str) -> str:
    if any(problem.path is not None for problem in verified.problems):
        return _REPAIR_TARGET
    if arguments.repair or not any(problem.references for problem in verified.problems):
        return _NO_REPAIR
    return _REPAIR_LIBRARY.format(what=what if arguments.what else "").rstrip()


async def run_gc(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Tell what nobody needs or is held twice; remove it with --apply."""
    if not arguments.grace >= 0:
        raise UsageError("--grace must be a number of hours, 0 or more")
    grace = arguments.grace * 3600
    if arguments.apply:
        workspace.require_writable("gc --apply")
    found = await survey_garbage(workspace, grace=grace)
    if arguments.spare:
        found = replace(found, garbage=(*found.garbage, *found.spare), spare=())
    applied = arguments.apply and not arguments.dry_run
    if not applied or not found.garbage:
        _show(found, arguments, applied=applied)
        return 0
    if not arguments.yes and not arguments.json:
        _print_survey(found)
    question = f"Remove {len(found.garbage)} files, {human_size(found.size)}?"
    if not confirm(question, "This removes files", yes=arguments.yes):
        raise CancelledError("Nothing was removed")
    shown = None if arguments.yes else {item.path for item in found.garbage}
    gone = await collect_garbage(workspace, shown=shown, grace=grace)
    gone = await _without_spares(workspace, found, gone, arguments, progress)
    if arguments.json:
        print_document(garbage_document(gone, applied=True))
    else:
        print(f"{len(gone.garbage)} files removed, {human_size(gone.size)} free")
    return 0


async def _without_spares(
    workspace: Workspace,
    found: Survey,
    gone: Survey,
    arguments: argparse.Namespace,
    progress: Progress,
) -> Survey:
    """Remove the blobs that are held twice, as far as that was asked for."""
    spares = [item for item in found.garbage if item.kind == "spare"]
    if not spares:
        return replace(gone, spare=found.spare)
    with progress_line(progress, "gc", quiet=arguments.json):
        went, stay = await remove_spares(workspace, spares, progress)
    for item in stay:
        message(f"{item.digest} {item.reason}")
    return replace(gone, garbage=(*gone.garbage, *went), spare=stay)


def _show(found: Survey, arguments: argparse.Namespace, *, applied: bool) -> None:
    if arguments.json:
        print_document(garbage_document(found, applied=applied))
        return
    _print_survey(found)
    if found.garbage and not applied:
        message("Nothing was removed: rolldeck gc --apply does it.")


def _print_survey(found: Survey) -> None:
    for kept in found.kept:
        reasons = "; ".join(_WHY[item.why].format(what=item.what) for item in kept.reasons)
        size = human_size(kept.size)
        print(f"keep  {short_digest(kept.digest)}  {size:>10}  {clean_line(reasons)}")
    for item in found.garbage:
        name = short_digest(item.digest) if item.digest else item.path.name
        text = f"{item.kind}: {item.reason}"
        print(f"drop  {clean_line(name)}  {human_size(item.size):>10}  {clean_line(text)}")
    for problem in found.problems:
        print(f"?  {clean_line(problem)}")
    if found.problems:
        print("No version and no blob goes before that is known.")
    if found.spare:
        size = human_size(sum(item.size for item in found.spare))
        places = ", ".join(dict.fromkeys(item.reason for item in found.spare))
        count = len(found.spare)
        blobs = f"{count} blob{'s' * (count != 1)}"
        print(f"held twice: {blobs}, {size}: {clean_line(places)}")
        message("What is held twice: rolldeck gc --apply --spare removes the library's copy.")
    print(f"{human_size(found.size)} can go" if found.garbage else "Nothing can go")

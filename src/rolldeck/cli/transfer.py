"""The verbs that fetch and check: pull, unpack, verify."""

from __future__ import annotations

import argparse

from rolldeck.actions import Workspace, is_target, pull, pull_unpacked, unpack, verify
from rolldeck.cli.documents import (
    print_document,
    pulled_document,
    unpacked_document,
    verified_document,
)
from rolldeck.cli.terminal import message, progress_line
from rolldeck.errors import IntegrityError, UsageError
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.text import clean_line
from rolldeck.units import human_size

_REPAIR_TARGET = "Pin or roll back to such a version: it is then unpacked again from its source."
_REPAIR_VERSION = "Pull the version again from where it came; a damaged blob is not used."


async def run_pull(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Copy versions into the library, or one straight into a directory."""
    directory = arguments.unpack
    if directory is not None and len(arguments.references) > 1:
        raise UsageError(
            "--unpack takes one reference",
            hint="Unpack each into a directory of its own.",
        )
    for text in arguments.references:
        reference = Reference.parse(text)
        with progress_line(progress, f"pull {text}"):
            if directory is None:
                pulled = await pull(workspace, reference, progress)
            else:
                pulled = await pull_unpacked(workspace, reference, directory, progress)
        if arguments.json:
            print_document(pulled_document(pulled))
            continue
        moved = human_size(pulled.bytes_transferred)
        print(
            f"{pulled.reference}\n  {pulled.digest}\n"
            f"  {human_size(pulled.bytes_total)}, of which {moved} fetched in "
            f"{pulled.seconds:.1f} s, verified"
        )
        if pulled.directory is not None:
            print(f"  unpacked in {clean_line(str(pulled.directory))}")
            _tell_kept(pulled.kept, pulled.reference)
    return 0


def _tell_kept(kept: bool, reference: Reference) -> None:
    if not kept:
        message(
            f"Large layers are in that directory only; rolldeck pull {reference} "
            "keeps a copy in the library."
        )


async def run_unpack(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Unpack a version into a directory."""
    reference = Reference.parse(arguments.reference)
    with progress_line(progress, f"unpack {arguments.reference}"):
        unpacked = await unpack(workspace, reference, arguments.directory, progress)
    if arguments.json:
        print_document(unpacked_document(unpacked))
        return 0
    where = clean_line(str(unpacked.directory))
    print(
        f"{unpacked.reference}\n"
        f"  {unpacked.files} files, {human_size(unpacked.bytes)} in {where}, verified"
    )
    _tell_kept(unpacked.kept, unpacked.reference)
    for path, reason in unpacked.skipped:
        message(f"left out: {path}: {reason}")
    return 0


async def run_verify(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Check bytes against digests; exit code 6 where one does not match."""
    all_ok = True
    for what in arguments.what:
        with progress_line(progress, f"verify {what}"):
            verified = await verify(workspace, what, progress)
        all_ok = all_ok and verified.ok
        if arguments.json:
            print_document(verified_document(verified))
            continue
        for problem in verified.problems:
            place = clean_line(problem.path or problem.digest or "")
            print(f"× {place}: {clean_line(problem.problem)}")
        if not verified.ok:
            message(_REPAIR_TARGET if is_target(what) else _REPAIR_VERSION)
        verdict = "all as they should be" if verified.ok else f"{len(verified.problems)} are not"
        print(f"{clean_line(what)}: {verified.checked} checked, {verdict}")
    return 0 if all_ok else IntegrityError.code

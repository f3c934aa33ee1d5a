"""The verbs that fetch: pull, unpack."""

from __future__ import annotations

import argparse

from rolldeck.actions import Workspace, pull, pull_unpacked, unpack
from rolldeck.cli.documents import print_document
from rolldeck.cli.move_documents import pulled_document, unpacked_document
from rolldeck.cli.moved_tag import report_moved_tag
from rolldeck.cli.terminal import message, progress_line
from rolldeck.errors import UsageError
from rolldeck.kit import Filter, parse_filter
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.text import clean_line
from rolldeck.units import human_size


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
    for text in arguments.references:
        reference = Reference.parse(text)
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
            _tell_kept(pulled.kept, pulled.reference, filters)
    return 0


def _filters(arguments: argparse.Namespace) -> tuple[Filter, ...]:
    return tuple(parse_filter(text) for text in arguments.filters)


def _tell_kept(kept: bool, reference: Reference, filters: tuple[Filter, ...]) -> None:
    if kept:
        return
    if filters:
        message(
            f"The rest was not fetched; rolldeck pull {reference} has all of it in the library."
        )
    else:
        message(
            f"Large layers are in that directory only; rolldeck pull {reference} "
            "keeps a copy in the library."
        )


async def run_unpack(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Unpack a version into a directory."""
    reference = Reference.parse(arguments.reference)
    filters = _filters(arguments)
    with progress_line(progress, f"unpack {arguments.reference}", quiet=arguments.json):
        unpacked = await unpack(workspace, reference, arguments.directory, progress, filters)
    if arguments.json:
        print_document(unpacked_document(unpacked))
        return 0
    await report_moved_tag(workspace, reference)
    where = clean_line(str(unpacked.directory))
    print(
        f"{unpacked.reference}\n"
        f"  {unpacked.files} files, {human_size(unpacked.bytes)} in {where}, verified"
    )
    _tell_kept(unpacked.kept, unpacked.reference, filters)
    for path, reason in unpacked.skipped:
        message(f"left out: {path}: {reason}")
    return 0

"""Init: propose a Kitfile from what lies in a directory, and write it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError, UsageError
from rolldeck.half_made import write_atomic
from rolldeck.kit.check import check_kitfile
from rolldeck.kit.finding import Finding
from rolldeck.kit.kitfile import KITFILE_NAMES
from rolldeck.kit.kitignore import KITIGNORE
from rolldeck.kit.proposal import Proposal
from rolldeck.kit.proposal_text import kitfile_text, kitignore_text
from rolldeck.kit.propose import propose
from rolldeck.progress import Progress


@dataclass(frozen=True, slots=True)
class Initialized:
    """A proposal and what became of it.

    ``ignore`` is what ``.kitignore`` must hide, None where that is nothing; ``ignore_is_new`` says
    whether there is none yet. ``findings`` are those of the written Kitfile.
    """

    path: Path
    proposal: Proposal
    text: str
    ignore: str | None
    ignore_is_new: bool
    written: bool
    findings: tuple[Finding, ...]


async def initialize(
    workspace: Workspace, directory: Path, progress: Progress, *, write: bool, force: bool = False
) -> Initialized:
    """Propose a Kitfile for a directory; with ``write`` it is written, with ``force`` over another.

    A ``.kitignore`` is written only where there is none. Raises NotFoundError where nothing can be
    packed, UsageError where a Kitfile is there already, StorageError for what cannot be read.
    """
    if write:
        workspace.require_writable("init")
    return await asyncio.to_thread(_initialize, directory, progress, write, force)


def _initialize(directory: Path, progress: Progress, write: bool, force: bool) -> Initialized:
    if not directory.is_dir():
        raise NotFoundError(f"{directory} is no directory", reference=str(directory))
    there = [directory / name for name in KITFILE_NAMES if (directory / name).is_file()]
    path = there[0] if there else directory / KITFILE_NAMES[0]
    if write and there and not force:
        raise UsageError(
            f"{path} is there already",
            reference=str(path),
            hint="--force replaces it, --stdout only prints the proposal.",
        )
    proposal = propose(directory, progress)
    if not proposal.elements:
        left = ", ".join(f"{item.path} ({item.why})" for item in proposal.left_out[:3])
        raise NotFoundError(
            f"Nothing to pack in {directory}",
            reference=str(directory),
            hint=f"Left out: {left}" if left else None,
        )
    text, ignore = kitfile_text(proposal), kitignore_text(proposal)
    is_new = not (directory / KITIGNORE).exists()
    progress.check()
    findings: tuple[Finding, ...] = ()
    if write:
        if ignore is not None and is_new:
            write_atomic(directory / KITIGNORE, ignore.encode())
        write_atomic(path, text.encode())
        findings = check_kitfile(text.encode(), directory, progress, path.name)
    return Initialized(path, proposal, text, ignore, is_new, write, findings)

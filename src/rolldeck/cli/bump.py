"""The verb bump: which version number the step from A to B deserves."""

from __future__ import annotations

import argparse

from rich.text import Text

from rolldeck.actions import Workspace, chosen_policy, propose_bump
from rolldeck.cli.documents import print_document
from rolldeck.cli.terminal import console
from rolldeck.compare import Bump
from rolldeck.oci import Reference, is_tag
from rolldeck.progress import Progress
from rolldeck.text import clean_line


async def run_bump(workspace: Workspace, arguments: argparse.Namespace, _: Progress) -> int:
    """Print the proposal with its reasons."""
    a = Reference.parse(arguments.a)
    alone = is_tag(arguments.b) and (a.tag or a.digest)
    b = a.tagged(arguments.b) if alone else Reference.parse(arguments.b)
    policy = await chosen_policy(workspace, arguments.policy)
    found = await propose_bump(workspace, a, b, policy=policy)
    if arguments.json:
        print_document(bump_document(found))
    else:
        _print(found)
    return 0


def bump_document(bump: Bump) -> dict[str, object]:
    """Return what ``bump --json`` prints."""
    return {
        "from": bump.current,
        "level": bump.level,
        "to": bump.proposed,
        "reasons": list(bump.reasons),
        "a": {"reference": bump.a.reference, "digest": bump.a.digest},
        "b": {"reference": bump.b.reference, "digest": bump.b.digest},
    }


def _print(bump: Bump) -> None:
    out = console()
    step = f": {bump.current} → {bump.proposed}" if bump.proposed else ""
    out.print(Text(clean_line(f"{bump.level}{step}"), style="bold"), soft_wrap=True)
    for reason in bump.reasons:
        out.print(Text(f"  · {clean_line(reason)}"), soft_wrap=True)

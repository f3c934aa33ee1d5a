"""The arguments of the verbs that look after local targets: follow, status, prune."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any


def add_upkeep_of_targets(
    verb: Callable[..., argparse.ArgumentParser],
    network: Callable[[], Any],
    asking: Callable[[], Any],
) -> None:
    """Add the verbs to the parser that ``verb`` adds to, with the options that they share."""
    follow = verb("follow", network())
    follow.add_argument("target", metavar="TARGET", help="pinned with --follow before")
    follow.add_argument("--once", action="store_true", help="do one round and end")
    follow.add_argument(
        "--dry-run", action="store_true", help="show what a round would do and change nothing"
    )
    follow.add_argument(
        "--interval", type=float, metavar="SECONDS", help="between two rounds, about (default 30)"
    )
    follow.add_argument(
        "--reload", metavar="COMMAND", help="run after a switch: make the server load it"
    )
    follow.add_argument(
        "--check",
        metavar="COMMAND",
        help="run after that: where it fails, the release before is put back",
    )
    follow.add_argument(
        "--hook-deadline",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="that either may take (default 60)",
    )
    status = verb("status", network())
    status.add_argument(
        "what",
        nargs="?",
        metavar="TARGET|CHANNEL",
        help="a directory, or a movable tag; without it: all known targets",
    )
    prune = verb("prune", asking())
    prune.add_argument("target", metavar="TARGET", help="a directory")
    prune.add_argument("--apply", action="store_true", help="remove them, not only report")
    prune.add_argument(
        "--keep",
        type=int,
        metavar="N",
        help="of the versions that were current last (default: as the settings say, 3)",
    )
    prune.add_argument(
        "--force",
        action="store_true",
        help="also where some processes of other users cannot be looked into",
    )

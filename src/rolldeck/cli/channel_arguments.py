"""The arguments of the verbs that move and mark channels; rollback and undo take targets, too."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from rolldeck.settings import MOST_HOURS

OPINIONS = ("good", "bad", "note", "withdraw")
"""What can be said of a version."""

_CHANNEL = "a movable tag: [HOST/]REPOSITORY:TAG"
_TARGET_OR_CHANNEL = "a directory, or a movable tag: [HOST/]REPOSITORY:TAG"

_Options = Callable[[], Any]


def add_channel_verbs(
    verb: Callable[..., argparse.ArgumentParser], network: _Options, moving: _Options
) -> None:
    """Add the verbs: ``verb`` makes one, with the options that ``network`` and ``moving`` make."""
    promote = verb("promote", network(), moving())
    _add_force(promote)
    promote.add_argument("reference", metavar="REFERENCE")
    promote.add_argument(
        "channel", metavar="CHANNEL", help="a movable tag; alone, in the repository of REFERENCE"
    )
    rollback = verb("rollback", network(), moving())
    _add_force(rollback)
    rollback.add_argument("target", metavar="TARGET|CHANNEL", help=_TARGET_OR_CHANNEL)
    rollback.add_argument(
        "--to",
        metavar="VERSION",
        help="a tag, digest or generation (g3); else the last known good, or the one before",
    )
    rollback.add_argument(
        "--channel",
        metavar="CHANNEL",
        help="of a directory: roll this channel back, too, as soon as its registry answers; a tag"
        " alone is one of the repository that the version came from",
    )
    only = rollback.add_argument_group("for channels")
    only.add_argument(
        "--hold-for", type=_hours, metavar="HOURS", help="hold it that long (default 24)"
    )
    only.add_argument("--no-hold", action="store_true", help="set no hold")
    only.add_argument(
        "--no-mark", action="store_true", help="do not mark the version that it leaves bad"
    )
    only.add_argument(
        "--rehearse",
        action="store_true",
        help="pull, verify and unpack the version, check it, and move nothing",
    )
    undo = verb("undo", network(), moving())
    _add_force(undo)
    undo.add_argument("target", metavar="TARGET|CHANNEL", help=_TARGET_OR_CHANNEL)
    adopt = verb("adopt", network(), moving())
    adopt.add_argument("channel", metavar="CHANNEL", help=_CHANNEL)
    restore = verb("restore", network(), moving())
    _add_force(restore)
    restore.add_argument("channel", metavar="CHANNEL", help=_CHANNEL)
    hold = verb("hold", network(), moving())
    hold.add_argument("channel", metavar="CHANNEL", help=_CHANNEL)
    hold.add_argument(
        "--for",
        dest="hours",
        type=_hours,
        metavar="HOURS",
        help="default 24, or what the settings say; 0: until it is released",
    )
    unhold = verb("unhold", network(), moving())
    unhold.add_argument("channel", metavar="CHANNEL", help=_CHANNEL)
    verdict = verb("verdict", network())
    verdict.add_argument("reference", metavar="REFERENCE")
    verdict.add_argument("opinion", choices=OPINIONS, help="withdraw takes a good or bad back")
    verdict.add_argument("--reason", metavar="TEXT", help="why; of a note its text")
    verdict.add_argument("--dry-run", action="store_true", help="show it and write nothing")


def _add_force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--force", action="store_true", help="a channel also over a bad verdict, a hold or drift"
    )


def _hours(text: str) -> float:
    """Return hours as typed; raises ValueError, which the parser tells as a mistake."""
    hours = float(text)
    if not 0 <= hours <= MOST_HOURS:
        raise argparse.ArgumentTypeError(f"should be 0 to {MOST_HOURS} hours, not {text}")
    return hours

"""The arguments of the verbs that look at channels, and of the one that publishes what waits."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

_CHANNEL = "[HOST/]REPOSITORY:CHANNEL, such as :production"


def add_channel_views(
    verb: Callable[..., argparse.ArgumentParser], network: Callable[[], Any]
) -> None:
    """Add the verbs: ``verb`` makes one, with the options that ``network`` makes."""
    triage = verb("triage", network())
    triage.add_argument(
        "place",
        metavar="WHAT",
        help="a channel, a repository, a local target, or a name for one: fraud",
    )
    triage.add_argument(
        "--since", metavar="TIME", help="when the trouble began: 02:41, '3h ago', 2026-11-20T02:00"
    )
    triage.add_argument("--plain", action="store_true", help="print it, also on a terminal")
    channels = verb("channels", network())
    channels.add_argument("place", metavar="REPOSITORY", help="[HOST/]REPOSITORY or oci:DIRECTORY")
    log = verb("log", network())
    log.add_argument("reference", metavar="CHANNEL", help=_CHANNEL)
    at = verb("at", network())
    at.add_argument("reference", metavar="CHANNEL", help=_CHANNEL)
    at.add_argument(
        "time", metavar="TIME", help="2026-11-20T02:00 (local; with Z: UTC), 02:41 or '3h ago'"
    )
    publish = verb("publish", network())
    publish.add_argument(
        "channel", nargs="?", metavar="CHANNEL", help="only what waits for this one"
    )
    publish.add_argument("--dry-run", action="store_true", help="show what waits, publish nothing")
    publish.add_argument("--forget", action="store_true", help="take out what is void, too")
    audit = verb("audit", network())
    audit.add_argument(
        "place",
        nargs="?",
        metavar="CHANNEL|REPOSITORY|TARGET",
        help="without it: all known targets, and what waits to be published",
    )
    audit.add_argument("--since", metavar="TIME", help="only what was recorded since then")
    audit.add_argument("--until", metavar="TIME", help="only what was recorded until then")
    form = audit.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print comma-separated values")
    form.add_argument("--md", action="store_true", help="print Markdown")

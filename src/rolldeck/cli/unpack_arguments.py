"""The arguments of the verbs that unpack."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_filter(verb: argparse.ArgumentParser) -> None:
    """Add what says which elements are wanted."""
    verb.add_argument(
        "-f",
        "--filter",
        dest="filters",
        action="append",
        default=[],
        metavar="FILTER",
        help="unpack only this: TYPE[,TYPE...][:NAME-OR-PATH[,...]], as with kit; types are "
        "kitfile, model, datasets, code, docs, prompts, mcpservers; may be repeated",
    )


def add_unpack(verb: argparse.ArgumentParser) -> None:
    """Add the arguments of ``unpack``."""
    verb.add_argument("reference", metavar="REFERENCE")
    verb.add_argument(
        "-d",
        "--directory",
        type=Path,
        required=True,
        metavar="DIR",
        help="new, empty, or in use: then what would change is shown first",
    )
    add_filter(verb)
    existing = verb.add_mutually_exclusive_group()
    existing.add_argument(
        "-o",
        "--overwrite",
        action="store_true",
        help="replace files that have other content; asks first",
    )
    existing.add_argument(
        "-i",
        "--ignore-existing",
        action="store_true",
        help="leave files that are there as they are",
    )
    verb.add_argument(
        "--force",
        action="store_true",
        help="replace links, special files and empty directories that are in the way; asks first",
    )
    verb.add_argument(
        "--dry-run", action="store_true", help="show what would be written, and write nothing"
    )
    verb.add_argument("--yes", "-y", action="store_true", help="do not ask")

"""The arguments of the verbs that judge a version: bump, and env check."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any


def add_judging_verbs(
    verb: Callable[..., argparse.ArgumentParser], network: Callable[[], Any]
) -> None:
    """Add the verbs: ``verb`` makes one, with the options that ``network`` makes."""
    bump = verb("bump", network())
    bump.add_argument("a", metavar="A", help="the version that B was made from")
    bump.add_argument("b", metavar="B", help="a tag alone means the repository of A")
    bump.add_argument(
        "--policy", type=Path, metavar="FILE", help="guardrails: where one fails, a person decides"
    )
    env = verb("env", network())
    env.add_argument("question", choices=("check",), help="what to do: compare it with this host")
    env.add_argument("reference", metavar="REFERENCE")
    env.add_argument(
        "--python",
        type=Path,
        metavar="FILE",
        help="an interpreter, or an environment's directory; default: the active one, else python3",
    )
    env.add_argument("--exit-code", action="store_true", help="exit with 1 unless it fits")

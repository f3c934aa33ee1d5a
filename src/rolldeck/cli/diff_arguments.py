"""The arguments of the verb diff: what is compared, shown, printed as, and failed on."""

from __future__ import annotations

import argparse
from pathlib import Path

from rolldeck.text import clean_line
from rolldeck.units import fraction


def add_diff_arguments(diff: argparse.ArgumentParser) -> None:
    """Give the parser of ``diff`` its arguments."""
    diff.add_argument("a", metavar="A", help="the baseline")
    diff.add_argument("b", metavar="B", help="a tag alone means the repository of A")
    diff.add_argument("--all", action="store_true", help="show equal rows too")
    diff.add_argument("--exit-code", action="store_true", help="exit with 1 where they differ")
    diff.add_argument(
        "--tolerance",
        type=_fraction,
        metavar="F",
        help="relative change of a metric that counts as none: 0.1%% or 0.001",
    )
    diff.add_argument("--only", metavar="SECTIONS", help="only these, such as metrics,environment")
    diff.add_argument(
        "--fail-on",
        choices=("regression",),
        help="exit with 1 where a metric got worse; with a policy, where a guardrail failed",
    )
    diff.add_argument(
        "--policy", type=Path, metavar="FILE", help="guardrails: exit with 1 where one fails"
    )
    forms = diff.add_mutually_exclusive_group()
    for option, form, text in (
        ("--md", "markdown", "print Markdown for a pull request"),
        ("--html", "html", "print one page with plots that loads nothing"),
        ("--tsv", "tsv", "print a table for grep and spreadsheets"),
    ):
        forms.add_argument(option, dest="form", action="store_const", const=form, help=text)
    diff.add_argument("--file", metavar="PATH", help="print the text difference of one file")


def _fraction(text: str) -> float:
    try:
        return fraction(text)
    except ValueError:
        said = f"not a fraction or percentage from 0 to below 100%: {clean_line(text, 40)}"
        raise argparse.ArgumentTypeError(said) from None

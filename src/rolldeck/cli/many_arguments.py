"""The arguments of the verbs that look at many versions: table and plot."""

from __future__ import annotations

import argparse

LAST = 10
"""Versions of a repository that a table shows unless told otherwise."""

PLOTTED = 40
"""Versions of a repository that a plot shows unless told otherwise."""


def add_table_arguments(table: argparse.ArgumentParser) -> None:
    """Give the parser of ``table`` its arguments."""
    table.add_argument(
        "references",
        nargs="+",
        metavar="REFERENCE",
        help="a version, or a repository for its newest; further tags mean the first's repository",
    )
    table.add_argument(
        "--last", type=int, metavar="N", help=f"of a repository the N newest (default {LAST})"
    )
    table.add_argument(
        "--baseline", metavar="REF", help="show how the others differ from this version"
    )
    table.add_argument("--sort", metavar="NAME", help="by this metric or parameter, best first")
    table.add_argument("--reverse", action="store_true", help="the other way round")
    table.add_argument("--all", action="store_true", help="show equal parameters too")
    forms = table.add_mutually_exclusive_group()
    for option, form, text in (
        ("--md", "markdown", "print Markdown for a pull request"),
        ("--tsv", "tsv", "print a table for grep and spreadsheets"),
    ):
        forms.add_argument(option, dest="form", action="store_const", const=form, help=text)


def add_plot_arguments(plot: argparse.ArgumentParser) -> None:
    """Give the parser of ``plot`` its arguments."""
    plot.add_argument(
        "references",
        nargs="+",
        metavar="REFERENCE",
        help="a repository for its newest versions, or versions; tags mean the first's repository",
    )
    plot.add_argument("--metric", metavar="NAME", help="which metric (default: the commonest)")
    plot.add_argument(
        "--last", type=int, metavar="N", help=f"of a repository the N newest (default {PLOTTED})"
    )
    plot.add_argument("--baseline", metavar="REF", help="mark this version and draw its value")
    plot.add_argument("--ascii", action="store_true", help="draw without block characters")

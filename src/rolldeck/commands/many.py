"""The commands that look at many versions at once: table and plot."""

from __future__ import annotations

from rolldeck.commands.model import Command

_NO_LIST = "no versions are listed"

MANY: tuple[Command, ...] = (
    Command(
        "version.table",
        "table",
        "Show versions by metric and parameter, with the best values marked.",
        ("t",),
        "browse",
        cli="table",
        when=_NO_LIST,
        typed="table REFERENCE",
        chooses="The marked ones, or the newest; against the baseline where there is one.",
        examples=(
            "rolldeck table ghcr.io/acme/fraud --last 20 --sort f1",
            "rolldeck table ghcr.io/acme/fraud:v2.4.1 v2.4.0 v2.3.9 --baseline production --md",
        ),
    ),
    Command(
        "version.plot",
        "plot",
        "Draw one metric over the versions of a repository.",
        ("v",),
        "browse",
        cli="plot",
        when=_NO_LIST,
        typed="plot REFERENCE",
        examples=("rolldeck plot ghcr.io/acme/fraud --metric f1 --last 40",),
    ),
    Command(
        "compare.table",
        "table",
        "Show both versions with those before them by metric and parameter.",
        ("t",),
        "compare",
        footer=52,
    ),
    Command(
        "compare.plot",
        "plot",
        "Draw this metric over the versions.",
        ("v",),
        "compare",
        footer=54,
    ),
    # table
    Command(
        "table.all",
        "all",
        "Show only parameters that differ, or all.",
        ("=",),
        "table",
        footer=10,
    ),
    Command(
        "table.relative",
        "relative",
        "Show differences from the baseline as per cent or as numbers.",
        ("%",),
        "table",
        footer=20,
    ),
    Command("table.sort", "sort", "Sort by the next column.", ("s",), "table", footer=30),
    Command("table.reverse", "reverse", "Reverse the order.", ("S",), "table"),
    Command(
        "table.baseline",
        "baseline",
        "Make this version the baseline, or take that back.",
        ("m",),
        "table",
        footer=40,
    ),
    Command(
        "table.diff",
        "diff",
        "Compare this version with the baseline, or with the one below.",
        ("d",),
        "table",
        footer=45,
    ),
    Command("table.plot", "plot", "Draw the column in sight.", ("v",), "table", footer=50),
    Command("table.copy", "copy", "Copy the command line that prints this.", ("y",), "table"),
    # plot
    Command(
        "plot.choose",
        "choose",
        "Show this metric in the list of versions of this repository.",
        ("c",),
        "plot",
        footer=30,
    ),
    Command(
        "plot.baseline",
        "baseline",
        "Make this version the baseline, or take that back.",
        ("m",),
        "plot",
        footer=40,
    ),
    Command("plot.copy", "copy", "Copy the command line that draws this.", ("y",), "plot"),
)

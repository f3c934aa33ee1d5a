"""The commands of a comparison of two versions, and of the text of a file."""

from __future__ import annotations

from rolldeck.commands.model import Command

COMPARING: tuple[Command, ...] = (
    Command(
        "compare.equal",
        "all rows",
        "Show only differences, or all rows.",
        ("=",),
        "compare",
        footer=10,
    ),
    Command(
        "compare.relative",
        "relative",
        "Show differences as per cent or as numbers.",
        ("%",),
        "compare",
        footer=77,
    ),
    Command("compare.swap", "swap", "Swap the two sides.", ("x",), "compare", footer=30),
    Command("compare.fold", "fold", "Fold or unfold this section.", ("z",), "compare", footer=78),
    Command(
        "compare.direction",
        "direction",
        "Say which way of this metric is good: higher, lower, neither, or as declared.",
        ("b",),
        "compare",
        when="this row is no metric",
    ),
    Command(
        "compare.tolerance",
        "tolerance",
        "Set by how much a metric may move and still count as equal.",
        ("~",),
        "compare",
    ),
    Command(
        "compare.export",
        "export",
        "Write this comparison as Markdown, JSON, TSV or an HTML page.",
        ("e",),
        "compare",
        danger="adds",
        footer=60,
    ),
    Command("compare.fold_all", "fold all", "Fold or unfold all sections.", ("Z",), "compare"),
    Command(
        "compare.text",
        "text",
        "Show the text of this file side by side.",
        ("f",),
        "compare",
        footer=50,
        when="this row has no text",
    ),
    Command(
        "compare.copy",
        "copy",
        "Copy the command line that prints this comparison.",
        ("y",),
        "compare",
    ),
    Command(
        "text.less",
        "less context",
        "Show fewer equal lines around a difference.",
        ("{",),
        "text",
        footer=10,
    ),
    Command(
        "text.more",
        "more context",
        "Show more equal lines around a difference.",
        ("}",),
        "text",
        footer=20,
    ),
)

"""The commands from a directory to a kit."""

from __future__ import annotations

from rolldeck.commands.model import Command

PACKING: tuple[Command, ...] = (
    Command(
        "kitfile.init",
        "propose a Kitfile",
        "Propose a Kitfile from what lies in a directory, with the reason for each element.",
        danger="adds",
        cli="init",
        examples=("rolldeck init ./fraud --dry-run",),
    ),
    Command(
        "kitfile.check",
        "check a Kitfile",
        "Check a Kitfile: every mistake with its place and what was probably meant.",
        cli="check",
        examples=("rolldeck check ./fraud",),
    ),
    Command(
        "version.pack",
        "pack",
        "Pack a directory with a Kitfile into the library, as kit does.",
        danger="adds",
        cli="pack",
        typed="pack DIRECTORY REFERENCE",
        examples=(
            "rolldeck pack ./fraud -t fraud:v2.4.2",
            "rolldeck pack ./fraud -t ghcr.io/acme/fraud:v2.4.2,latest --dry-run",
        ),
    ),
)

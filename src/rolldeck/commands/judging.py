"""The commands that look closer: whether a version fits here, its number, one file of it."""

from __future__ import annotations

from rolldeck.commands.model import Command

JUDGING: tuple[Command, ...] = (
    Command(
        "version.fit",
        "fits here",
        "Check whether a version fits an interpreter and this host.",
        cli="env",
        when="no version is selected, or it is being judged still",
        typed="env",
        examples=(
            "rolldeck env check ghcr.io/acme/fraud:v2.4.1",
            "rolldeck env check fraud:v2.4.1 --python /srv/fraud/venv --exit-code",
        ),
    ),
    Command(
        "version.bump",
        "propose a number",
        "Propose the version number that the step from one version to another deserves.",
        cli="bump",
        examples=("rolldeck bump ghcr.io/acme/fraud:v2.4.1 candidate",),
    ),
    Command(
        "file.read",
        "read file",
        "Print one file of a version, without pulling it.",
        cli="cat",
        examples=("rolldeck cat ghcr.io/acme/fraud:v2.4.0 README.md",),
    ),
)

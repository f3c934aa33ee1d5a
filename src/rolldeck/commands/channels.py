"""The commands of channels."""

from __future__ import annotations

from rolldeck.commands.model import Command

CHANNEL_COMMANDS: tuple[Command, ...] = (
    Command(
        "channel.list",
        "channels",
        "List the channels of a repository: what each points at, since when, by whom.",
        cli="channels",
        examples=("rolldeck channels ghcr.io/acme/fraud",),
    ),
    Command(
        "channel.log",
        "channel log",
        "List every recorded move of a channel, the newest first.",
        cli="log",
        examples=("rolldeck log ghcr.io/acme/fraud:production",),
    ),
    Command(
        "channel.at",
        "channel then",
        "Tell what a channel pointed at in the past.",
        cli="at",
        examples=(
            "rolldeck at ghcr.io/acme/fraud:production 2026-11-20T02:00",
            "rolldeck at ghcr.io/acme/fraud:production '3h ago'",
        ),
    ),
    Command(
        "channel.audit",
        "audit",
        "Export what was recorded of channels and local targets, its chain verified.",
        ("a",),
        "browse",
        cli="audit",
        typed="audit PLACE",
        when="no repository is selected",
        examples=(
            "rolldeck audit ghcr.io/acme/fraud:production",
            "rolldeck audit ghcr.io/acme/fraud --csv --since 2026-11-01 > moves.csv",
            "rolldeck audit /srv/fraud --md",
        ),
    ),
    Command(
        "channel.publish",
        "publish",
        "Publish rollbacks of channels that were made here while their registry was down.",
        danger="changes",
        cli="publish",
        examples=("rolldeck publish", "rolldeck publish --dry-run"),
    ),
)

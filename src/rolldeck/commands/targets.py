"""The commands that look after local targets."""

from __future__ import annotations

from rolldeck.commands.model import Command

TARGET_COMMANDS: tuple[Command, ...] = (
    Command(
        "target.follow",
        "follow",
        "Keep a local target at what its channel is, or is held at, once or until it is ended.",
        danger="changes",
        cli="follow",
        examples=(
            "rolldeck pin --follow ghcr.io/acme/fraud:production /srv/fraud",
            "rolldeck follow /srv/fraud --interval 60",
            "rolldeck follow /srv/fraud --once --json",
        ),
    ),
    Command(
        "target.status",
        "status",
        "Tell what is live, whether something drifts, and whether a rollback is ready.",
        cli="status",
        examples=(
            "rolldeck status",
            "rolldeck status /srv/fraud --json",
            "rolldeck status ghcr.io/acme/fraud:production",
        ),
    ),
    Command(
        "target.prune",
        "prune",
        "Report which releases of a local target nobody needs, or remove them.",
        danger="changes",
        cli="prune",
        examples=("rolldeck prune /srv/fraud", "rolldeck prune /srv/fraud --apply"),
    ),
)

"""The commands that move a channel, and those that mark a version or a channel."""

from __future__ import annotations

from rolldeck.commands.model import Command

CHANNEL_MOVES: tuple[Command, ...] = (
    Command(
        "channel.promote",
        "promote",
        "Let a channel point at a version of its repository, after the checks of its plan.",
        danger="changes",
        cli="promote",
        examples=(
            "rolldeck promote ghcr.io/acme/fraud:v2.4.1 staging",
            "rolldeck promote ghcr.io/acme/fraud:staging production --dry-run",
        ),
    ),
    Command(
        "channel.adopt",
        "adopt",
        "Record what a channel points at, where somebody moved it without a record.",
        danger="changes",
        cli="adopt",
        examples=("rolldeck adopt ghcr.io/acme/fraud:production",),
    ),
    Command(
        "channel.restore",
        "restore",
        "Put the recorded version of a channel back, where somebody moved it without a record.",
        danger="changes",
        cli="restore",
        examples=("rolldeck restore ghcr.io/acme/fraud:production",),
    ),
    Command(
        "channel.hold",
        "hold",
        "Freeze a channel on what it points at: nobody promotes to it until it is released.",
        danger="changes",
        cli="hold",
        examples=("rolldeck hold ghcr.io/acme/fraud:production --for 8 --reason audit",),
    ),
    Command(
        "channel.unhold",
        "release the hold",
        "Release the hold of a channel.",
        danger="changes",
        cli="unhold",
        examples=("rolldeck unhold ghcr.io/acme/fraud:production",),
    ),
    Command(
        "version.verdict",
        "verdict",
        "Say of a version that it is good or bad, for everybody who uses its registry.",
        danger="adds",
        cli="verdict",
        examples=(
            "rolldeck verdict ghcr.io/acme/fraud:v2.4.0 good",
            "rolldeck verdict ghcr.io/acme/fraud:v2.4.1 bad --reason 'latency + f1 drop'",
        ),
    ),
)

"""The commands of triage: what somebody on call does with a channel or a local target."""

from __future__ import annotations

from rolldeck.commands.model import Command

TRIAGE_COMMANDS: tuple[Command, ...] = (
    Command(
        "triage.open",
        "triage",
        "Show what is live, what was good before, and what going back takes.",
        ("!",),
        cli="triage",
        footer=15,
        footer_of="browse",
        when="nothing is selected",
        typed="triage WHAT",
        examples=(
            "rolldeck triage fraud",
            "rolldeck triage ghcr.io/acme/fraud:production --since 02:41",
            "rolldeck triage /srv/fraud --plain",
        ),
    ),
    Command(
        "triage.rollback",
        "roll back",
        "Go back to the selected generation, after a plan.",
        ("R",),
        "triage",
        "changes",
        footer=10,
        when="there is nothing to go back to",
    ),
    Command(
        "triage.diff",
        "compare",
        "Compare the selected generation with what is live.",
        ("d",),
        "triage",
        footer=20,
        when="there is no second version to compare with",
    ),
    Command("triage.older", "older", "Select the generation before.", ("[",), "triage", footer=76),
    Command("triage.newer", "newer", "Select the generation after.", ("]",), "triage", footer=77),
    Command(
        "triage.undo", "undo", "Take back the last move.", ("U",), "triage", "changes", footer=30
    ),
    Command(
        "triage.note",
        "copy note",
        "Copy the incident note: what, when, from, to, why, and the commands.",
        ("Y",),
        "triage",
        footer=35,
    ),
    Command("triage.audit", "audit", "Show everything that was recorded of it.", ("a",), "triage"),
    Command(
        "triage.hold",
        "hold",
        "Freeze the channel on what is live, or release its hold.",
        ("H",),
        "triage",
        "changes",
        footer=22,
    ),
    Command(
        "triage.verdict",
        "verdict",
        "Say of the selected version that it is good or bad, or note something.",
        ("V",),
        "triage",
        "changes",
    ),
    Command(
        "triage.promote",
        "promote",
        "Let the channel point at another version, after a plan.",
        ("P",),
        "triage",
        "changes",
    ),
)

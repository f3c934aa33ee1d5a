"""The commands of the list of jobs and of dialogs."""

from __future__ import annotations

from rolldeck.commands.model import Command

JOBS: tuple[Command, ...] = (
    Command(
        "job.cancel",
        "cancel",
        "Cancel the selected job.",
        ("x",),
        "jobs",
        footer=10,
        when="this job does not run",
    ),
)

DIALOG: tuple[Command, ...] = (
    Command("dialog.accept", "do it", "Do what the dialog says.", ("y",), "dialog"),
    Command("dialog.refuse", "no", "Close the dialog and do nothing.", ("escape", "n"), "dialog"),
    Command("dialog.tick", "tick", "Tick or untick the highlighted line.", ("space",), "dialog"),
    Command(
        "dialog.spare",
        "do not mark bad",
        "In a rollback: do not mark the version bad.",
        ("b",),
        "dialog",
    ),
    Command("dialog.compare", "compare", "In a plan: compare the two versions.", ("d",), "dialog"),
    Command("dialog.next", "next field", "Go to the next field or button.", ("tab",), "dialog"),
)

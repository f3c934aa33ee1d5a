"""The commands of every screen: help, panes, lists, and moving around."""

from __future__ import annotations

from rolldeck.commands.model import Command

EVERYWHERE: tuple[Command, ...] = (
    Command(
        "help.show", "help", "Show the keys of this pane and of everywhere.", ("?",), footer=90
    ),
    Command("command.type", "command", "Type a command with its arguments.", (":",), footer=80),
    Command("command.palette", "palette", "Find a command by its name.", ("ctrl+p",)),
    Command(
        "filter.open",
        "filter",
        "Filter the list: text, !text for all others, column:text for one column.",
        ("/",),
        footer=70,
        when="there is no list here",
    ),
    Command("hit.next", "next hit", "Go to the next hit or difference.", ("n",)),
    Command("hit.previous", "previous hit", "Go to the hit or difference before.", ("N",)),
    Command("view.back", "back", "Go one step back.", ("escape", "backspace"), footer=75),
    Command("deck.quit", "quit", "Quit; asks while a job runs.", ("q",), footer=79, typed="quit"),
    Command("pane.next", "next pane", "Go to the next pane.", ("tab",)),
    Command("pane.previous", "previous pane", "Go to the pane before.", ("shift+tab",)),
    Command("pane.repositories", "repositories", "Go to the repositories.", ("1",)),
    Command("pane.versions", "versions", "Go to the versions.", ("2",)),
    Command(
        "pane.channels",
        "channels",
        "List the channels of the repository; enter opens triage.",
        ("3",),
        when="no repository is selected",
    ),
    Command("pane.jobs", "jobs", "List the jobs, running and done.", ("5",), typed="jobs"),
    Command("view.refresh", "refresh", "Read this list again from its source.", ("r",), footer=78),
    Command("log.show", "log", "Show the command lines that do what the deck did.", ("@",)),
    Command(
        "place.open",
        "open",
        "List the repositories of a place or the versions of a repository.",
        cli="ls",
        typed="open REFERENCE",
        examples=(
            "rolldeck ls",
            "rolldeck ls ghcr.io/acme/fraud",
            "rolldeck ls oci:./layout",
            "rolldeck ls ghcr.io/acme/fraud:v2.4.0 --files",
        ),
    ),
)

MOVING: tuple[Command, ...] = (
    Command("move.down", "down", "Move down.", ("j", "down"), "move"),
    Command("move.up", "up", "Move up.", ("k", "up"), "move"),
    Command("move.left", "left", "Move to the left, or to the pane there.", ("h", "left"), "move"),
    Command(
        "move.right", "right", "Move to the right, or to the pane there.", ("l", "right"), "move"
    ),
    Command("move.first", "first", "Go to the first row.", ("g", "home"), "move"),
    Command("move.last", "last", "Go to the last row.", ("G", "end"), "move"),
    Command("move.half_up", "half page up", "Move up half a page.", ("ctrl+u",), "move"),
    Command("move.half_down", "half page down", "Move down half a page.", ("ctrl+d",), "move"),
    Command("move.page_up", "page up", "Move up a page.", ("pageup",), "move"),
    Command("move.page_down", "page down", "Move down a page.", ("pagedown",), "move"),
    Command("move.open", "open", "Open what the cursor is on.", ("enter",), "move", footer=5),
)

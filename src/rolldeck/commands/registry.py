"""The commands of rolldeck, each written once.

A command that does not work yet is not listed. ``keys`` are named as the terminal library names
them; ``key_label`` turns a name into what a person reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["everywhere", "move", "browse", "compare", "text", "jobs", "dialog"]
Danger = Literal["look", "adds", "changes"]

SCOPES: tuple[Scope, ...] = ("everywhere", "move", "browse", "compare", "text", "jobs", "dialog")
"""All scopes, in the order in which they are listed."""

SCOPE_TITLES: dict[Scope, str] = {
    "everywhere": "Everywhere",
    "move": "Move",
    "browse": "Repositories, versions, details",
    "compare": "Compare",
    "text": "Text difference",
    "jobs": "Jobs",
    "dialog": "Dialog",
}
"""Headings of the scopes."""


_LABELS = {
    "escape": "esc",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "page up",
    "pagedown": "page down",
}


def key_label(key: str) -> str:
    """Return a key as a person reads it: ``esc``, ``space``, ``ctrl+p``, ``?``."""
    return _LABELS.get(key, key)


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a user can do.

    ``help`` is one sentence and the only description anywhere. ``danger`` says whether it looks,
    adds files, or changes what is live; all but ``look`` are absent in a read-only deck. ``cli`` is
    the verb of the command line that does the same. ``footer`` is the place in the footer, None
    for never. ``when`` is why it may not apply right now. ``typed`` is its form after ``:``.
    ``chooses`` says what the key works on, where that needs saying; a verb names it itself.
    ``examples`` are command lines for the help of the verb.
    """

    id: str
    title: str
    help: str
    keys: tuple[str, ...] = ()
    scope: Scope = "everywhere"
    danger: Danger = "look"
    cli: str | None = None
    footer: int | None = None
    when: str = ""
    typed: str | None = None
    chooses: str = ""
    examples: tuple[str, ...] = ()

    @property
    def key_help(self) -> str:
        """The help of its key: what it does, and on what."""
        return f"{self.help} {self.chooses}".rstrip()

    @property
    def action(self) -> str:
        """The name of the method that runs it, without its ``action_``."""
        return self.id.replace(".", "_")

    @property
    def labels(self) -> tuple[str, ...]:
        """Its keys as a person reads them."""
        return tuple(key_label(key) for key in self.keys)


_NO_VERSION = "no version is selected"
_NO_TARGET = "no local target of this repository is known; L pins one"

COMMANDS: tuple[Command, ...] = (
    # everywhere
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
    Command("deck.quit", "quit", "Quit; asks while a job runs.", ("q",), footer=95, typed="quit"),
    Command("pane.next", "next pane", "Go to the next pane.", ("tab",)),
    Command("pane.previous", "previous pane", "Go to the pane before.", ("shift+tab",)),
    Command("pane.repositories", "repositories", "Go to the repositories.", ("1",)),
    Command("pane.versions", "versions", "Go to the versions.", ("2",)),
    Command("pane.jobs", "jobs", "List the jobs, running and done.", ("5",), typed="jobs"),
    Command("view.refresh", "refresh", "Read this list again from its source.", ("r",), footer=78),
    Command("log.show", "log", "Show the command lines that do what the deck did.", ("@",)),
    Command(
        "place.open",
        "open",
        "List the repositories of a place or the versions of a repository.",
        cli="ls",
        typed="open REFERENCE",
        examples=("rolldeck ls", "rolldeck ls ghcr.io/acme/fraud", "rolldeck ls oci:./layout"),
    ),
    # move
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
    # browse
    Command(
        "version.inspect",
        "inspect",
        "Show one version: what it says of itself, its layers, Kitfile and manifest.",
        ("i",),
        "browse",
        cli="show",
        when=_NO_VERSION,
        examples=(
            "rolldeck show ghcr.io/acme/fraud:v2.4.0",
            "rolldeck show --raw fraud:v2.4.0 | sha256sum",
        ),
    ),
    Command(
        "version.diff",
        "diff",
        "Compare two versions side by side.",
        ("d",),
        "browse",
        cli="diff",
        footer=10,
        when="there is no second version to compare with",
        typed="diff A B",
        chooses="The marked two, or the selected one with the marked one, the baseline, "
        "what is live here, or the version before.",
        examples=(
            "rolldeck diff ghcr.io/acme/fraud:v2.4.0 v2.4.1",
            "rolldeck diff fraud:v1 fraud:v2 --file src/train.py",
        ),
    ),
    Command(
        "version.mark",
        "mark",
        "Mark a version, or fold a section.",
        ("space",),
        "browse",
        footer=20,
        when=_NO_VERSION,
    ),
    Command(
        "version.baseline",
        "baseline",
        "Make the selected version the one that others are compared with.",
        ("m",),
        "browse",
        when=_NO_VERSION,
    ),
    Command(
        "version.pull",
        "pull",
        "Copy a version into the library.",
        ("p",),
        "browse",
        "adds",
        cli="pull",
        footer=30,
        when=_NO_VERSION,
        typed="pull REFERENCE",
        examples=(
            "rolldeck pull ghcr.io/acme/fraud:v2.4.0 ghcr.io/acme/fraud:v2.4.1",
            "rolldeck pull --plain-http registry.internal:5000/fraud:v2",
        ),
    ),
    Command(
        "version.unpack",
        "unpack",
        "Unpack a version into a directory.",
        ("u",),
        "browse",
        "adds",
        cli="unpack",
        footer=40,
        when=_NO_VERSION,
        typed="unpack REFERENCE DIRECTORY",
        examples=("rolldeck unpack ghcr.io/acme/fraud:v2.4.0 -d ./fraud",),
    ),
    Command(
        "target.pin",
        "pin",
        "Put a version live in a local target: a directory with releases and a current link.",
        ("L",),
        "browse",
        "changes",
        cli="pin",
        footer=50,
        when=_NO_VERSION,
        typed="pin REFERENCE DIRECTORY",
        examples=(
            "rolldeck pin ghcr.io/acme/fraud:v2.4.1 /srv/fraud --dry-run",
            "rolldeck pin fraud:v2.4.1 /srv/fraud --yes --reason 'passed review'",
        ),
    ),
    Command(
        "target.rollback",
        "roll back",
        "Put the release before back live in a local target.",
        ("R",),
        "browse",
        "changes",
        cli="rollback",
        footer=60,
        when=_NO_TARGET,
        typed="rollback DIRECTORY",
        examples=("rolldeck rollback /srv/fraud", "rolldeck rollback /srv/fraud --to g3 --yes"),
    ),
    Command(
        "target.undo",
        "undo",
        "Take back the last move of a local target.",
        ("U",),
        "browse",
        "changes",
        cli="undo",
        when=_NO_TARGET,
        typed="undo DIRECTORY",
        examples=("rolldeck undo /srv/fraud",),
    ),
    Command(
        "version.remove",
        "remove",
        "Remove a version with all of its tags.",
        ("D",),
        "browse",
        "changes",
        cli="rm",
        when=_NO_VERSION,
        typed="rm REFERENCE",
        chooses="Or one of its tags alone; what else uses it is shown first.",
    ),
    Command(
        "version.tag",
        "tag",
        "Give a version further tags in its repository.",
        ("T",),
        "browse",
        "changes",
        cli="tag",
        when=_NO_VERSION,
        typed="tag REFERENCE TAG",
    ),
    Command(
        "version.copy",
        "copy",
        "Copy the reference of the selected version, pinned to its digest.",
        ("y",),
        "browse",
        when=_NO_VERSION,
    ),
    Command("sort.next", "next sort", "Sort by the next column.", ("s",), "browse"),
    Command("sort.reverse", "reverse", "Reverse the order of the rows.", ("S",), "browse"),
    Command("view.wide", "wide", "Give the versions the whole width, and back.", ("w",), "browse"),
    # compare
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
        footer=20,
    ),
    Command("compare.swap", "swap", "Swap the two sides.", ("x",), "compare", footer=30),
    Command("compare.fold", "fold", "Fold or unfold this section.", ("z",), "compare", footer=40),
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
    # text
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
    # jobs
    Command(
        "job.cancel",
        "cancel",
        "Cancel the selected job.",
        ("x",),
        "jobs",
        footer=10,
        when="this job does not run",
    ),
    # the command line and the palette only
    Command(
        "file.read",
        "read file",
        "Print one file of a version, without pulling it.",
        cli="cat",
    ),
    Command(
        "kitfile.init",
        "propose a Kitfile",
        "Propose a Kitfile from what lies in a directory, with the reason for each element.",
        danger="adds",
        cli="init",
    ),
    Command(
        "kitfile.check",
        "check a Kitfile",
        "Check a Kitfile: every mistake with its place and what was probably meant.",
        cli="check",
    ),
    Command(
        "version.pack",
        "pack",
        "Pack a directory with a Kitfile into the library, as kit does.",
        danger="adds",
        cli="pack",
        examples=(
            "rolldeck pack ./fraud -t fraud:v2.4.2",
            "rolldeck pack ./fraud -t ghcr.io/acme/fraud:v2.4.2,latest --dry-run",
        ),
    ),
    Command(
        "version.verify",
        "verify",
        "Check every byte of a version or of a local target against its digests.",
        cli="verify",
        typed="verify WHAT",
        examples=("rolldeck verify /srv/fraud", "rolldeck verify ghcr.io/acme/fraud:v2.4.0"),
    ),
    Command(
        "registry.doctor",
        "doctor",
        "Check the library, the disk, the settings and a registry, and say what it means.",
        cli="doctor",
        examples=("rolldeck doctor", "rolldeck doctor ghcr.io/acme/fraud"),
    ),
    Command(
        "shell.completion",
        "completion",
        "Print the script with which a shell completes verbs, options and references.",
        cli="completion",
        examples=(
            "rolldeck completion bash > ~/.local/share/bash-completion/completions/rolldeck",
        ),
    ),
    Command(
        "library.gc",
        "collect garbage",
        "Report what in the library nobody needs, or remove it.",
        danger="changes",
        cli="gc",
    ),
    Command(
        "registry.login",
        "log in",
        "Try a login at a registry and save it where docker finds it, too.",
        danger="adds",
        cli="login",
    ),
    Command(
        "registry.logout",
        "log out",
        "Remove the saved login for a registry.",
        danger="changes",
        cli="logout",
    ),
    Command(
        "version.push",
        "push",
        "Put a version of the library, or of a layout, into a registry.",
        danger="adds",
        cli="push",
        typed="push REFERENCE DESTINATION",
    ),
    Command(
        "version.send",
        "send",
        "Copy a version from any place to any other: registry, layout, library.",
        danger="adds",
        cli="copy",
        typed="copy REFERENCE DESTINATION",
    ),
    Command(
        "version.untag",
        "remove tag",
        "Remove a tag; the version and its other tags stay.",
        danger="changes",
        cli="untag",
        typed="untag REFERENCE",
    ),
    Command(
        "library.demo",
        "demo",
        "Fill the library with example versions to play with.",
        danger="adds",
        cli="demo",
    ),
    # dialog
    Command("dialog.accept", "do it", "Do what the dialog says.", ("y",), "dialog"),
    Command("dialog.refuse", "no", "Close the dialog and do nothing.", ("escape", "n"), "dialog"),
    Command("dialog.next", "next field", "Go to the next field or button.", ("tab",), "dialog"),
)

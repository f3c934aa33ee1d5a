"""Commands typed after ``:``, with their arguments."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from rolldeck.commands import Command, typed_commands
from rolldeck.errors import UsageError
from rolldeck.text import clean_line


@dataclass(frozen=True, slots=True)
class Typed:
    """A typed command; as many ``arguments`` as its form names."""

    command: Command
    arguments: tuple[str, ...]


def verb_of(command: Command) -> str:
    """Return the word that a typed command begins with."""
    return (command.typed or "").partition(" ")[0]


def parse_typed(text: str, *, read_only: bool = False) -> Typed:
    """Parse what was typed; raises UsageError that says how the command is written."""
    try:
        words = shlex.split(text.strip().removeprefix(":"))
    except ValueError as error:
        raise UsageError(f"Not a command: {clean_line(str(error), 80)}") from None
    known = {verb_of(item): item for item in offered(read_only)}
    if not words or words[0] not in known:
        shown = clean_line(words[0], 40) if words else ""
        raise UsageError(f"No such command: {shown}", hint=f"There is: {', '.join(known)}")
    command = known[words[0]]
    wanted = len((command.typed or "").split()) - 1
    if len(words) - 1 != wanted:
        raise UsageError(f"Write it as: {command.typed}", hint=command.help)
    return Typed(command, tuple(words[1:]))


def offered(read_only: bool = False) -> tuple[Command, ...]:
    """Return the commands that can be typed."""
    return tuple(item for item in typed_commands() if item.danger == "look" or not read_only)


def matching(text: str, *, read_only: bool = False) -> tuple[Command, ...]:
    """Return the commands that what was typed so far can become."""
    word = text.strip().removeprefix(":").partition(" ")[0]
    return tuple(item for item in offered(read_only) if verb_of(item).startswith(word))

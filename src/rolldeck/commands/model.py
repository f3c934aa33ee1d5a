"""What a command is: its keys, where they work, and how dangerous it is.

``keys`` are named as the terminal library names them; ``key_label`` turns a name into what a person
reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal[
    "everywhere", "move", "browse", "compare", "text", "table", "plot", "triage", "jobs", "dialog"
]
Danger = Literal["look", "adds", "changes"]

SCOPES: tuple[Scope, ...] = (
    *("everywhere", "move", "browse", "compare", "text", "table", "plot", "triage"),
    *("jobs", "dialog"),
)
"""All scopes, in the order in which they are listed."""

SCOPE_TITLES: dict[Scope, str] = {
    "everywhere": "Everywhere",
    "move": "Move",
    "browse": "Repositories, versions, details",
    "compare": "Compare",
    "text": "Text difference",
    "table": "Table of versions",
    "plot": "Plot of a metric",
    "triage": "Triage",
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
    the verb of the command line that does the same. ``footer`` is the place in the footer, None for
    never; ``footer_of`` is the one scope whose footer shows it, None for all. ``when`` is why it
    may not apply right now. ``typed`` is its form after ``:``. ``chooses`` says what the key works
    on, where that needs saying; a verb names it itself. ``examples`` are command lines for the help
    of the verb.
    """

    id: str
    title: str
    help: str
    keys: tuple[str, ...] = ()
    scope: Scope = "everywhere"
    danger: Danger = "look"
    cli: str | None = None
    footer: int | None = None
    footer_of: Scope | None = None
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

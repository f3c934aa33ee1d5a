"""The commands of rolldeck, once: keys, footer, help, palette, docs and verbs are fed from here."""

from rolldeck.commands.lookup import (
    FOOTER_LIMIT,
    active_scopes,
    clashes,
    command,
    command_of_verb,
    commands_of,
    footer_commands,
    keys_markdown,
    typed_commands,
    verbs,
)
from rolldeck.commands.model import (
    SCOPE_TITLES,
    SCOPES,
    Command,
    Danger,
    Scope,
    key_label,
)
from rolldeck.commands.registry import COMMANDS

__all__ = [
    "COMMANDS",
    "FOOTER_LIMIT",
    "SCOPES",
    "SCOPE_TITLES",
    "Command",
    "Danger",
    "Scope",
    "active_scopes",
    "clashes",
    "command",
    "command_of_verb",
    "commands_of",
    "footer_commands",
    "key_label",
    "keys_markdown",
    "typed_commands",
    "verbs",
]

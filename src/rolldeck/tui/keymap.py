"""Key bindings, made from the registry of commands; no key is written anywhere else.

Each binding carries its command's id, and its action is the id with underscores: the screen or
widget that can do it has the method ``action_<noun>_<verb>``. Where it has none, the key goes on
to the next one outwards, in the end to the app.
"""

from __future__ import annotations

from textual.binding import Binding, BindingType

from rolldeck.commands import Command, Scope, commands_of


def bindings(*scopes: Scope) -> list[BindingType]:
    """Return the bindings of some scopes, for a widget's or screen's ``BINDINGS``."""
    return [binding(item) for item in commands_of(*scopes) if item.keys]


def binding(command: Command) -> Binding:
    """Return the binding of one command."""
    return Binding(
        ",".join(_textual_key(key) for key in command.keys),
        command.action,
        command.title,
        key_display=command.labels[0],
        tooltip=command.help,
        id=command.id,
        show=command.footer is not None,
    )


def _textual_key(key: str) -> str:
    """Return a key as bindings name it: a lone comma would separate two keys."""
    return "comma" if key == "," else key

"""Finding commands: by id, scope and verb, what a footer shows, and the page of keys."""

from __future__ import annotations

from collections.abc import Iterable

from rolldeck.commands.model import SCOPE_TITLES, SCOPES, Command, Scope
from rolldeck.commands.registry import COMMANDS

FOOTER_LIMIT = 8
"""Most keys a footer shows; more are not read."""

_VERBS = (
    *("ls", "show", "cat", "diff", "table", "plot", "bump", "env"),
    *("triage", "channels", "log", "at", "audit", "status"),
    *("pull", "unpack", "pin", "follow"),
    *("promote", "rollback", "undo", "hold", "unhold", "verdict", "adopt", "restore"),
    "publish",
    *("init", "check", "pack", "push", "copy", "tag", "untag", "rm"),
    *("verify", "du", "gc", "prune"),
    *("login", "logout", "doctor", "completion", "demo"),
)
"""The verbs in the order in which help lists them."""

_BY_ID = {item.id: item for item in COMMANDS}


def command(identifier: str) -> Command:
    """Return a command by its id; raises KeyError."""
    return _BY_ID[identifier]


def commands_of(*scopes: Scope) -> tuple[Command, ...]:
    """Return the commands of some scopes, in the order of the registry."""
    return tuple(item for item in COMMANDS if item.scope in scopes)


def command_of_verb(verb: str) -> Command:
    """Return the command that a verb of the command line runs; raises KeyError."""
    return next((item for item in COMMANDS if item.cli == verb), None) or _BY_ID[verb]


def verbs() -> tuple[str, ...]:
    """Return the verbs of the command line: look, compare, move, publish, keep, set up."""
    return tuple(sorted((item.cli for item in COMMANDS if item.cli), key=_VERBS.index))


def typed_commands() -> tuple[Command, ...]:
    """Return the commands that can be typed after ``:``."""
    return tuple(item for item in COMMANDS if item.typed)


def active_scopes(scope: Scope) -> tuple[Scope, ...]:
    """Return the scopes whose keys work together while ``scope`` is in front."""
    if scope == "dialog":
        return ("dialog",)
    if scope in ("everywhere", "move"):
        return ("everywhere", "move")
    return ("everywhere", "move", scope)


def footer_commands(scope: Scope, hidden: Iterable[str] = ()) -> tuple[Command, ...]:
    """Return what the footer of a scope shows, most used first, without the ``hidden`` ids.

    Help is always among them, and last.
    """
    without = set(hidden)
    shown = [
        item
        for item in commands_of(*active_scopes(scope))
        if item.footer is not None and item.footer_of in (None, scope) and item.id not in without
    ]
    shown.sort(key=lambda item: item.footer or 0)
    last = [item for item in shown if item.id == "help.show"]
    rest = [item for item in shown if item.id != "help.show"]
    return (*rest[: FOOTER_LIMIT - len(last)], *last)


def clashes() -> tuple[str, ...]:
    """Return in words every key that means two things at once; empty when the registry is sound."""
    found = []
    for scope in SCOPES:
        seen: dict[str, str] = {}
        for item in commands_of(*active_scopes(scope)):
            for key in item.keys:
                if key in seen:
                    found.append(f"{scope}: {key} is {seen[key]} and {item.id}")
                seen[key] = item.id
    return tuple(found)


def keys_markdown() -> str:
    """Return the text of ``docs/keys.md``."""
    lines = [
        "# Keys",
        "",
        "Generated from the commands in `src/rolldeck/commands/`; a test keeps it equal.",
        "Lower case looks, upper case changes. `p`, `u` and `e` write too: they add files.",
        "With `--read-only` whatever adds or changes is absent.",
    ]
    for scope in SCOPES:
        lines += ["", f"## {SCOPE_TITLES[scope]}", "", "| key | what | typed | verb |"]
        lines += ["|---|---|---|---|"]
        for item in commands_of(scope):
            keys = " ".join(f"`{label}`" for label in item.labels)
            typed = f"`:{item.typed}`" if item.typed else ""
            verb = f"`rolldeck {item.cli}`" if item.cli else ""
            lines.append(f"| {keys} | {item.key_help} | {typed} | {verb} |")
    return "\n".join(lines) + "\n"

"""The help: the keys of this pane first, then those of everywhere."""

from __future__ import annotations

from collections.abc import Mapping

from rolldeck.commands import SCOPE_TITLES, Command, Scope, active_scopes, commands_of
from rolldeck.tui.models.lines import Line, Look, Span, wrap

_KEYS = 14
_TITLE = 16


def help_lines(scope: Scope, width: int, reasons: Mapping[str, str], read_only: bool) -> list[Line]:
    """Return the page; ``reasons`` says by command id why a key does not apply right now."""
    lines: list[Line] = []
    scopes = sorted(active_scopes(scope), key=lambda item: item != scope)
    for group in scopes:
        if lines:
            lines.append(Line())
        lines.append(Line((Span(f" {SCOPE_TITLES[group]}", "accent"),)))
        for item in commands_of(group):
            if item.keys and not (read_only and item.danger != "look"):
                lines += _command_lines(item, width, reasons.get(item.id))
    typed = [item for item in commands_of("everywhere", "browse") if item.typed]
    lines += [Line(), Line((Span(" Typed after :", "accent"),))]
    for item in typed:
        if not (read_only and item.danger != "look"):
            text = f" {item.typed}".ljust(_KEYS + _TITLE + 1)
            lines.append(Line((Span(text, "bright"), Span(item.help))))
    lines += [
        Line(),
        Line((Span(" Hold shift while dragging to select text with the mouse.", "dim"),)),
    ]
    return lines


def _command_lines(item: Command, width: int, reason: str | None) -> list[Line]:
    keys = " ".join(item.labels)
    text = item.key_help if reason is None else f"{item.key_help} Not now: {reason}."
    room = max(width - _KEYS - _TITLE - 2, 20)
    parts = wrap(text, room)
    look: Look = "dim" if reason is not None else "plain"
    head = (
        Span(f" {keys:<{_KEYS}}", "dim" if reason is not None else "bright"),
        Span(f"{item.title:<{_TITLE}}", look),
    )
    lines = [Line((*head, Span(parts[0], look)))]
    indent = " " * (_KEYS + _TITLE + 1)
    return lines + [Line((Span(indent + part, look),)) for part in parts[1:]]

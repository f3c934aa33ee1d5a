"""The deck's own themes: calm, one accent, colour for state only."""

from __future__ import annotations

import os

from textual.theme import Theme

DARK = Theme(
    name="rolldeck-dark",
    primary="#7aa2f7",
    secondary="#7dcfff",
    accent="#7aa2f7",
    foreground="#c8d0f0",
    background="#16161e",
    surface="#1a1b26",
    panel="#1f2335",
    success="#9ece6a",
    warning="#e0af68",
    error="#f7768e",
    dark=True,
    variables={
        "text-muted": "#737aa2",
        "text-primary": "#7aa2f7",
        "text-success": "#9ece6a",
        "text-warning": "#e0af68",
        "text-error": "#f7768e",
        "primary-muted": "#283457",
        "border-blurred": "#3b4261",
        "input-cursor-background": "#c8d0f0",
        "input-cursor-foreground": "#16161e",
    },
)

LIGHT = Theme(
    name="rolldeck-light",
    primary="#2e5cb8",
    secondary="#0f6c8c",
    accent="#2e5cb8",
    foreground="#2a2f45",
    background="#f5f6fa",
    surface="#eceef5",
    panel="#e1e4ef",
    success="#3c7a17",
    warning="#8a5a00",
    error="#b3203f",
    dark=False,
    variables={
        "text-muted": "#646b89",
        "text-primary": "#2e5cb8",
        "text-success": "#3c7a17",
        "text-warning": "#8a5a00",
        "text-error": "#b3203f",
        "primary-muted": "#cdd9f3",
        "border-blurred": "#b4bad0",
    },
)

PLAIN = "ansi-dark"
"""Textual's theme of the terminal's own 16 colours, for NO_COLOR."""


def is_plain() -> bool:
    """Whether the user wants no colours."""
    return bool(os.environ.get("NO_COLOR"))


def chosen_theme() -> str:
    """Return the theme to start with."""
    return PLAIN if is_plain() else os.environ.get("TEXTUAL_THEME") or DARK.name

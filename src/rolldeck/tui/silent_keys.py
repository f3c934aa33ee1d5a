"""Keys that nobody answers to: what is said of them, so that none is pressed in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

from rolldeck.commands import Scope, active_scopes, commands_of

if TYPE_CHECKING:
    from rolldeck.tui.app import Deck


def words_for(deck: Deck, event: events.Key) -> str | None:
    """Return what to say of a key; None where something answers to it, or a dialog is open."""
    if not event.is_printable or deck.screen.is_modal or _is_answered(deck, event.key):
        return None
    scope: Scope = getattr(deck.screen, "scope", "everywhere")
    for item in commands_of(*active_scopes(scope)):
        if deck.read_only and item.danger != "look" and event.character in item.keys:
            return f"Not now: this deck is read-only ({item.title})."
    return f"{event.character} does nothing here; ? shows the keys that do."


def _is_answered(deck: Deck, key: str) -> bool:
    """Whether the key is bound, and somebody on the way from the focus to the app can do it."""
    bound = deck.screen.active_bindings.get(key)
    if bound is None:
        return False
    start = deck.screen.focused or deck.screen
    ways = [bound.node, *start.ancestors_with_self, deck]
    return any(hasattr(node, f"action_{bound.binding.action}") for node in ways)

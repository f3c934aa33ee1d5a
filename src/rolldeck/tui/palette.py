"""The palette: every command and every known repository by name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.widgets import Input

from rolldeck.commands import COMMANDS, Command
from rolldeck.text import clean_line

if TYPE_CHECKING:
    from rolldeck.tui.app import Deck

_MOST_CANDIDATES = 2000
"""Repositories tried with the fuzzy matcher, which takes 9 ms per thousand."""


class Palette(CommandPalette):
    """Textual's palette with a cursor that does not blink, since idle must cost nothing."""

    def on_mount(self) -> None:
        """Stop the cursor from blinking."""
        self.query_one(Input).cursor_blink = False


class CommandProvider(Provider):
    """Offers the commands that apply here, each with its key and its sentence."""

    @property
    def _deck(self) -> Deck:
        return cast("Deck", self.app)

    def _commands(self) -> Iterable[tuple[str, Command]]:
        for command in COMMANDS:
            if command.scope in ("move", "dialog") or not (command.keys or command.typed):
                continue
            if command.id == "command.palette" or not self._deck.offers(command, self.screen):
                continue
            key = f"  {command.labels[0]}" if command.keys else ""
            yield f"{command.title}{key}", command

    async def discover(self) -> Hits:
        """Offer everything before anything is typed."""
        for text, command in self._commands():
            yield DiscoveryHit(text, partial(self._deck.run_command, command), help=command.help)

    async def search(self, query: str) -> Hits:
        """Offer what matches."""
        matcher = self.matcher(query)
        for text, command in self._commands():
            score = matcher.match(text)
            if score > 0:
                run = partial(self._deck.run_command, command)
                yield Hit(score, matcher.highlight(text), run, help=command.help)
        for name in self._deck.known_repositories()[:_MOST_CANDIDATES]:
            text = f"open {clean_line(name, 200)}"
            score = matcher.match(text)
            if score > 0:
                yield Hit(score, matcher.highlight(text), partial(self._deck.open_place, name))

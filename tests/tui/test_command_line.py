"""The line in which a command is typed."""

from __future__ import annotations

from textual import events

from rolldeck.tui.dialogs.command import CommandLine
from tests.tui.conftest import Open


async def test_what_is_typed_before_the_line_is_there_is_in_it(stage: Open) -> None:
    """Keys that come in one piece, as over a slow line, are no commands of the dialog either."""
    async with stage() as play:
        for key in ("colon", *"pack n y"):
            character = {"colon": ":"}.get(key, key)
            play.deck.post_message(events.Key(key if key != " " else "space", character))
        await play.until(lambda: isinstance(play.deck.screen, CommandLine))
        await play.see("pack n y")

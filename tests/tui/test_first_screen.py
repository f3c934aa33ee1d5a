"""What the deck tells somebody on call who never saw it: where triage is, which keys do nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from textual.message_pump import MessagePump

from rolldeck.actions import Workspace
from rolldeck.oci import Reference
from rolldeck.settings import Settings
from rolldeck.tui.reads import read_versions
from tests.servers.repository import made_up
from tests.servers.scripted import ScriptedServer
from tests.tui.conftest import Open
from tests.tui.world import EMPTY, World


def last_line(grid: str) -> str:
    return grid.rstrip("\n").splitlines()[-1]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("pane", ["1", "2"])
async def test_the_footer_leads_to_triage(stage: Open, size: tuple[int, int], pane: str) -> None:
    async with stage(size=size) as play:
        await play.press(pane)
        await play.until(lambda: "! triage" in last_line(play.grid))
        assert "R roll back" in last_line(play.grid)


async def test_where_nothing_can_be_opened_the_footer_offers_nothing(
    stage: Open, world: World
) -> None:
    world.repositories, world.targets = EMPTY, ()
    async with stage(size=(80, 24), reference=None) as play:
        await play.see("No repositories yet")
        assert "! triage" not in last_line(play.grid)
        assert "enter versions" not in last_line(play.grid)
        await play.press("!")
        await play.see("Not now: nothing is selected.")


async def test_without_repositories_triage_is_of_the_local_target(
    stage: Open, world: World
) -> None:
    world.repositories = EMPTY
    async with stage(size=(80, 24), reference=None) as play:
        await play.see("! shows triage of the local target /srv/fraud.")
        await play.press("!")
        await play.see("Triage", "/srv/fraud")


async def test_of_several_local_targets_one_is_asked_for(stage: Open, world: World) -> None:
    world.repositories, world.targets = EMPTY, world.targets * 2
    async with stage(size=(80, 24), reference=None) as play:
        await play.see("/srv/fraud and 1 more")
        await play.press("!")
        await play.see("Triage: which target?")


async def test_the_name_of_a_repository_is_not_cut_for_its_records(stage: Open) -> None:
    """At 80 columns the count of folded tags stays away; a wide screen has it."""
    async with stage(size=(80, 24)) as play:
        await play.see("8 versions · newest first")
        assert "folded" not in play.grid
    async with stage(size=(120, 40)) as play:
        await play.see("2 record tags folded away")


async def test_a_key_that_does_nothing_says_so(stage: Open) -> None:
    """One that is not bound at all, and one that is bound and has nothing to do here."""
    async with stage() as play:
        await play.press("Q")
        await play.see("Q does nothing here; ? shows the keys that do.")
        await play.press("5", "slash")
        await play.see("/ does nothing here")


async def test_a_key_that_does_something_is_not_talked_over(stage: Open) -> None:
    async with stage() as play:
        await play.press("j", "k", "g", "G", "space", "s", "h", "l")
        assert "does nothing" not in play.grid


async def test_read_only_says_why_a_key_is_absent(stage: Open) -> None:
    async with stage(read_only=True) as play:
        await play.press("L")
        await play.see("Not now: this deck is read-only (pin).")


async def test_what_a_deck_saw_is_known_to_others_while_it_is_open(
    tmp_path: Path, scripted: ScriptedServer
) -> None:
    """The next deck shows it where the registry is gone, even if this one is never closed."""
    made_up(3).serve(scripted)
    reference = Reference.parse(f"{scripted.host}/many")

    class Node:
        def post_message(self, _: Any) -> None:
            """Take the message."""

    first, second = (Workspace(Settings(library=tmp_path / "library")) for _ in range(2))
    try:
        node = cast("MessagePump", Node())
        await read_versions(node, first, reference, lambda: None)
        assert first._writing is not None
        await first._writing
        seen = second.cache.seen(reference.name)
        assert seen is not None
        assert "v1.0.2" in seen.tags
    finally:
        await first.close()
        await second.close()

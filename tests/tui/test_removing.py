"""Removing, pushing and tagging in the deck."""

from __future__ import annotations

import pytest

from rolldeck.actions import Check
from tests.tui.conftest import Open
from tests.tui.world import World


async def test_a_version_goes_when_its_digest_is_typed(stage: Open, world: World) -> None:
    """``D`` shows its tags and what else uses it."""
    async with stage() as play:
        await play.press("D")
        await play.see("Remove v2.4.1", "v2.4.1, production", "also in v2.4.0", "in /srv/fraud")
        digest = play.deck.browser.row.digest.partition(":")[2][:12]
        await play.press(*digest, "enter")
        await play.until(lambda: ("remove", "rm", "v2.4.1", "production") in world.calls)
        await play.see("is gone with all of its tags")


async def test_a_tag_goes_when_it_is_typed(stage: Open, world: World) -> None:
    """It alone."""
    async with stage() as play:
        await play.press("D")
        await play.see("Type a tag")
        await play.press(*"production", "enter")
        await play.until(lambda: ("remove", "untag", "production") in world.calls)
        await play.see("the tag production is gone")


@pytest.mark.parametrize("keys", [["y"], ["y", "enter"], ["enter"], ["escape"], [*"v9", "enter"]])
async def test_nothing_else_removes(stage: Open, world: World, keys: list[str]) -> None:
    """Neither ``y`` nor another name."""
    async with stage() as play:
        await play.press("D")
        await play.see("Type a tag")
        await play.press(*keys, "escape")
        await play.until(lambda: play.deck.screen is play.deck.browser)
        assert not [call for call in world.calls if call[0] == "remove"]


async def test_a_failed_check_keeps_the_version(stage: Open, world: World) -> None:
    """Its digest is no name to type then; a tag is."""
    world.uses = (Check("current", False, "in /srv/other"),)
    async with stage() as play:
        await play.press("D")
        await play.see("the version itself is kept")
        digest = play.deck.browser.row.digest.partition(":")[2][:12]
        await play.press(*digest, "enter")
        await play.see("Not one of these names")
        assert not [call for call in world.calls if call[0] == "remove"]


async def test_the_list_is_read_again(stage: Open, world: World) -> None:
    """What was removed is not shown any more."""
    async with stage() as play:
        repository = play.deck.browser.state.repository
        await play.press("D")
        await play.see("Type a tag")
        world.rows[repository] = world.rows[repository][1:]
        digest = play.deck.browser.row.digest.partition(":")[2][:12]
        await play.press(*digest, "enter")
        await play.until(lambda: play.deck.browser.state.listing.rows[0].label == "v2.4.0")


async def test_typed_tags_are_removed_after_a_plan(stage: Open, world: World) -> None:
    """``:untag`` names the tag, and asks for it once more."""
    async with stage() as play:
        await play.press(":", *"untag production", "enter")
        await play.see("v2.4.1 stays", "Type production")
        await play.press(*"production", "enter")
        await play.until(lambda: ("remove", "untag", "production") in world.calls)


async def test_a_push_that_moves_nothing_begins_at_once(stage: Open, world: World) -> None:
    """It only adds."""
    async with stage() as play:
        await play.press(":", *"push v2.4.1 ghcr.io/acme/other:new", "enter")
        await play.until(lambda: ("deliver", "push", "new") in world.calls)
        await play.see("4.1 GiB of 4.1 GiB sent")


async def test_a_push_that_moves_a_tag_asks(stage: Open, world: World) -> None:
    """The plan says from where."""
    async with stage() as play:
        await play.press(":", *"push v2.4.1 ghcr.io/acme/other:live", "enter")
        await play.see("live: moves here from")
        assert not [call for call in world.calls if call[0] == "deliver"]
        await play.press("y")
        await play.until(lambda: ("deliver", "push", "live") in world.calls)


async def test_a_tag_is_asked_for(stage: Open, world: World) -> None:
    """``T`` begins the command, the tag is typed behind it."""
    async with stage() as play:
        await play.press("T")
        await play.see("tag v2.4.1")
        await play.press(*"canary", "enter")
        await play.until(lambda: ("plan_tag", "v2.4.1", "canary") in world.calls)
        await play.until(lambda: ("deliver", "tag", "canary") in world.calls)


async def test_a_read_only_deck_removes_nothing(stage: Open, world: World) -> None:
    """The key is not there."""
    async with stage(read_only=True) as play:
        await play.press("D")
        await play.settle()
        assert not [call for call in world.calls if call[0] == "plan_rm"]

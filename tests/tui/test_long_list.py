"""The deck over repositories of many versions, and over registries that give half an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from rolldeck.actions import Workspace
from rolldeck.actions.version_reader import AT_ONCE
from rolldeck.errors import UnavailableError
from rolldeck.oci import Listing
from rolldeck.settings import Settings
from rolldeck.tui.app import Deck
from rolldeck.tui.widgets.virtual_table import VirtualTable
from tests.servers.in_memory import InMemoryRegistry, put_in
from tests.servers.repository import made_up
from tests.tui.conftest import Stage
from tests.tui.world import World

HOST = "many.example"
MANY = 10_000

OpenDeck = Callable[[InMemoryRegistry], AbstractAsyncContextManager[Stage]]


@pytest.fixture
def open_deck(tmp_path: Path) -> OpenDeck:
    """Open the deck at a repository that a registry has."""

    @asynccontextmanager
    async def opened(registry: InMemoryRegistry) -> AsyncIterator[Stage]:
        workspace = Workspace(Settings(library=tmp_path / "library"))
        put_in(workspace, HOST, registry)
        deck = Deck(workspace, f"{HOST}/many")
        async with deck.run_test(size=(140, 40), notifications=True) as pilot:
            play = Stage(deck, pilot, World())
            await play.until(lambda: deck.browser is not None)
            yield play
        await workspace.close()

    return opened


def held_back(count: int, at_once: int) -> InMemoryRegistry:
    """Return a registry that answers for so many tags, and for the rest when it is set free."""
    registry = InMemoryRegistry(made_up(count))
    registry.at_once = at_once
    registry.free.clear()
    return registry


def first_screen(play: Stage) -> bool:
    """Whether the newest rows on the screen are filled."""
    table = play.deck.screen.query_one(VirtualTable)
    listing = play.deck.browser.state.listing
    seen = listing.rows[: len(table.rows_in_view())] if listing is not None else ()
    return bool(seen) and all(row.loaded for row in seen)


def loaded(play: Stage) -> int:
    browser = play.deck.browser
    listing = browser.state.listing if browser is not None else None
    return listing.loaded if listing is not None else 0


async def test_rows_of_a_long_list_stand_there_at_once(open_deck: OpenDeck) -> None:
    """All 10,000 by name, those on the screen filled, before the others were asked for."""
    registry = held_back(MANY, 30)
    async with open_deck(registry) as play:
        await play.see("v1.0.9999", "of 10000 looked up")
        await play.until(lambda: first_screen(play))
        assert play.deck.screen.query_one(VirtualTable).shown_rows == MANY
        assert sorted(registry.order[:30]) == sorted(f"v1.0.{n}" for n in range(9970, 10_000))
        assert len(registry.order) <= 30 + AT_ONCE


async def test_rows_that_are_scrolled_to_are_read_next(open_deck: OpenDeck) -> None:
    """From the newest to the oldest of 10,000: nothing in between is waited for."""
    registry = held_back(MANY, 30)
    async with open_deck(registry) as play:
        await play.until(lambda: first_screen(play))
        await play.press("G")
        await play.see("v1.0.0 ")
        registry.free.set()
        await play.until(lambda: "v1.0.0" in registry.order)
        assert registry.order.index("v1.0.0") < MANY // 10
        await play.until(lambda: play.deck.browser.row.digest is not None)
        assert play.deck.browser.row.label == "v1.0.0"


async def test_the_cursor_stays_on_its_row_while_rows_are_read(open_deck: OpenDeck) -> None:
    """Also where it stood there before it was known what its tag names."""
    registry = held_back(200, 30)
    registry.found.tags["latest"] = registry.found.tags["v1.0.150"]
    async with open_deck(registry) as play:
        await play.until(lambda: first_screen(play))
        await play.press("G", "k")
        label = play.deck.browser.row.label
        assert (label, play.deck.browser.row.digest) == ("v1.0.0", None)
        registry.free.set()
        await play.until(lambda: loaded(play) == 200)
        assert play.deck.browser.row.label == label
        assert play.deck.browser.row.digest is not None


async def test_a_row_that_is_not_read_yet_cannot_be_marked(open_deck: OpenDeck) -> None:
    registry = held_back(200, 30)
    async with open_deck(registry) as play:
        await play.until(lambda: first_screen(play))
        await play.press("G", "space")
        await play.see("It is being read still")
        assert not play.deck.browser.state.marks


async def test_the_second_time_all_rows_are_there_before_an_answer(open_deck: OpenDeck) -> None:
    """Looked up again by digest alone."""
    first = InMemoryRegistry(made_up(300))
    async with open_deck(first) as play:
        await play.until(lambda: loaded(play) == 300)
    second = InMemoryRegistry(first.found)
    async with open_deck(second) as play:
        await play.until(lambda: loaded(play) == 300)
        await play.see("300 versions")
        await play.until(lambda: second.asked["digest"] == 300)
    assert not {"manifest", "blob"} & set(second.asked)


async def test_details_of_a_version_that_was_seen_ask_for_no_manifest(open_deck: OpenDeck) -> None:
    """They are read as far as the layers from what the list kept."""
    first = InMemoryRegistry(made_up(5))
    async with open_deck(first) as play:
        await play.until(lambda: loaded(play) == 5)
    second = InMemoryRegistry(first.found)
    async with open_deck(second) as play:
        await play.until(lambda: loaded(play) == 5)
        await play.until(lambda: second.asked["layer"] > 0)
    assert not {"manifest", "blob"} & set(second.asked)


async def test_an_incomplete_list_says_so(open_deck: OpenDeck) -> None:
    async with open_deck(InMemoryRegistry(made_up(5), complete=False)) as play:
        await play.see("5 versions", "incomplete")


async def test_one_unreadable_version_says_why(open_deck: OpenDeck) -> None:
    """In its row and in its details; the others are read."""
    found = made_up(5)
    found.manifests[found.tags["v1.0.4"]] = b"{"
    async with open_deck(InMemoryRegistry(found)) as play:
        await play.see("unreadable", "× The manifest is not valid JSON", "5 versions")
        assert loaded(play) == 5


async def test_without_the_registry_the_deck_shows_what_was_seen(open_deck: OpenDeck) -> None:
    """It says since when, and is not online."""

    class Gone(InMemoryRegistry):
        async def tags(self, repository: str) -> Listing:
            raise UnavailableError(f"{HOST} cannot be reached")

    registry = InMemoryRegistry(made_up(5))
    async with open_deck(registry) as play:
        await play.until(lambda: loaded(play) == 5)
    async with open_deck(Gone(registry.found)) as play:
        await play.see("× offline · seen", "5 versions as last seen", "v1.0.4")
        assert "online" not in play.grid

"""Moves of a channel in every kind of place: made, lost, in the way of others, ended half way."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from rolldeck.errors import UnavailableError
from rolldeck.progress import Progress
from rolldeck.release.channel import (
    ConflictError,
    Journal,
    LostRaceError,
    MovedError,
    Records,
    finish,
    keeper_tag,
    make_move,
)
from tests.conftest import TORTURE
from tests.release.channel.calls import Calls, Ended, end_at
from tests.release.channel.places import Site, move, no_wait, planned

_CALLS = 22
"""More than the calls of a move."""


async def journal_of(site: Site) -> Journal:
    """The journal as a new process reads it."""
    async with site.records() as records:
        return await records.journal("production")


async def put(records: Records, site: Site, letter: str, tag: str = "production") -> None:
    """Move a tag as other tools do: without a record."""
    version = await records.manifest(site.versions[letter])
    await records.writer.push_manifest(records.repository, version, [tag])


async def test_a_move_is_recorded_and_read_back(site: Site) -> None:
    async with site.records() as records:
        for letter in "abca":
            await move(records, site.versions[letter])
    journal = await journal_of(site)
    assert [site.letter(item.entry.to_digest) for item in journal.recorded] == [*"acba"]
    assert site.letter(journal.live) == "a"
    assert (journal.chain, journal.pending, journal.drift) == ("ok", None, False)
    assert journal.made == {1, 2, 3, 4}


async def test_a_plan_that_somebody_overtook_changes_nothing(site: Site) -> None:
    async with site.records() as records:
        await move(records, site.versions["a"])
        stale = await planned(records, await records.journal("production"), site.versions["b"])
        await move(records, site.versions["c"])
        with pytest.raises(MovedError, match=r"g2, promote to .* by mia") as caught:
            await make_move(records, stale, Progress(), sleep=no_wait)
    assert not caught.value.written
    assert site.letter(caught.value.found) == "c"
    assert site.letter((await journal_of(site)).live) == "c"


async def test_a_number_that_somebody_else_has_is_not_taken(site: Site) -> None:
    """Also where the channel is back at what it was when the move was planned."""
    async with site.records() as records:
        await move(records, site.versions["a"])
        stale = await planned(records, await records.journal("production"), site.versions["b"])
        await move(records, site.versions["c"])
        await move(records, site.versions["a"])
        with pytest.raises(LostRaceError) as caught:
            await make_move(records, stale, Progress(), sleep=no_wait)
        with pytest.raises(LostRaceError) as claimed:
            await records.claim(stale)
    assert caught.value.other is not None
    assert claimed.value.other is not None
    assert site.letter(claimed.value.other.entry.to_digest) == "c"
    journal = await journal_of(site)
    assert (journal.chain, site.letter(journal.live)) == ("ok", "a")


async def test_a_foreign_move_between_claim_and_write_is_never_overwritten(site: Site) -> None:
    async with site.records() as records, site.records() as other:
        await move(records, site.versions["a"])
        entry = await planned(records, await records.journal("production"), site.versions["b"])

        async def step(number: int, name: str, after: bool) -> None:
            if name == "push_manifest" and after and calls.names.count(name) == 2:
                await put(other, site, "c")

        calls = Calls(records, step)
        with pytest.raises(MovedError, match="nobody recorded") as caught:
            await make_move(records, entry, Progress(), sleep=no_wait)
    assert not caught.value.written
    assert site.letter((await journal_of(site)).live) == "c"


async def test_a_foreign_move_after_the_write_is_seen(site: Site) -> None:
    async with site.records() as records, site.records() as other:
        await move(records, site.versions["a"])
        entry = await planned(records, await records.journal("production"), site.versions["b"])

        async def step(number: int, name: str, after: bool) -> None:
            if name == "push_manifest" and after and calls.names.count(name) == 3:
                await put(other, site, "c")

        calls = Calls(records, step)
        with pytest.raises(MovedError) as caught:
            await make_move(records, entry, Progress(), sleep=no_wait)
    assert caught.value.written
    journal = await journal_of(site)
    assert journal.drift
    assert site.letter(journal.live) == "c"


async def test_a_pending_move_of_others_is_watched_and_then_passed_over(site: Site) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with site.records() as records:
        await move(records, site.versions["a"])
        journal = await records.journal("production")
        await records.claim(await planned(records, journal, site.versions["b"]))
        journal = await records.journal("production")
        assert journal.pending is not None
        entry = await planned(records, journal, site.versions["c"])
        await make_move(records, entry, Progress(), settle=0, sleep=sleep)
    assert sum(waited) == 5
    journal = await journal_of(site)
    assert [stay.entry.number for stay in journal.stays] == [3, 1]
    assert (journal.chain, journal.pending, site.letter(journal.live)) == ("ok", None, "c")


async def test_a_pending_move_that_is_made_meanwhile_is_not_passed_over(site: Site) -> None:
    async with site.records() as records, site.records() as other:
        await move(records, site.versions["a"])
        await records.claim(
            await planned(records, await records.journal("production"), site.versions["b"])
        )
        entry = await planned(records, await records.journal("production"), site.versions["c"])

        async def made_meanwhile(seconds: float) -> None:
            await put(other, site, "b")

        with pytest.raises(MovedError):
            await make_move(records, entry, Progress(), sleep=made_meanwhile)
    assert site.letter((await journal_of(site)).live) == "b"


async def test_a_mover_that_was_passed_over_does_not_believe_that_it_won(site: Site) -> None:
    """It was about to write when somebody claimed the next generation, and wrote all the same."""
    async with site.records() as records, site.records() as other:
        await move(records, site.versions["a"])
        entry = await planned(records, await records.journal("production"), site.versions["b"])

        async def step(number: int, name: str, after: bool) -> None:
            if name == "push_manifest" and not after and calls.names.count(name) == 3:
                journal = await other.journal("production")
                late = await planned(other, journal, site.versions["c"])
                await make_move(other, late, Progress(), sleep=no_wait)

        calls = Calls(records, step)
        with pytest.raises(ConflictError):
            await make_move(records, entry, Progress(), sleep=no_wait)
    journal = await journal_of(site)
    assert journal.drift or site.letter(journal.live) == "c"


async def test_a_second_claim_of_a_number_is_lost_or_seen(site: Site) -> None:
    """Both looked before either wrote: only a place that compares can stop the second one."""
    async with site.records() as records, site.records() as other:
        await move(records, site.versions["a"])
        journal = await records.journal("production")
        entry = await planned(records, journal, site.versions["b"])
        rival = await planned(other, journal, site.versions["c"])
        believed = []

        async def step(number: int, name: str, after: bool) -> None:
            if name == "push_manifest" and not after and calls.names.count(name) == 2:
                believed.append(await make_move(other, rival, Progress(), sleep=no_wait))

        calls = Calls(records, step)
        with pytest.raises(ConflictError):
            await make_move(records, entry, Progress(), sleep=no_wait)
    assert [item.entry.nonce for item in believed] == [rival.nonce]
    assert site.letter((await journal_of(site)).live) == "c"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_ended_at_any_call_the_next_run_finishes_or_passes_over(
    site: Site, after: bool
) -> None:
    async with site.records() as records:
        await move(records, site.versions["a"])
    live = "a"
    for number in range(1, _CALLS, 1 if TORTURE > 1 else 3):
        goal = "c" if live == "b" else "b"
        async with site.records() as records:
            journal = await records.journal("production")
            entry = await planned(records, journal, site.versions[goal])
            calls = Calls(records, end_at(number, after=after))
            with suppress(Ended):
                await make_move(records, entry, Progress(), sleep=no_wait)
        assert (len(calls.names) == number) or number > 12
        journal = await journal_of(site)
        assert (journal.chain, journal.drift) == ("ok", False)
        async with site.records() as records:
            if journal.pending is not None:
                assert site.letter(journal.live) == live
                if number % 2:
                    done = await finish(records, journal, Progress(), sleep=no_wait)
                    assert done == journal.pending
            if site.letter((await records.journal("production")).live) != goal:
                await move(records, site.versions[goal])
            journal = await records.journal("production")
        live = goal
        assert site.letter(journal.live) == live
        assert (journal.chain, journal.drift, journal.pending) == ("ok", False, None)
        # The generation before this one was kept from garbage collection.
        assert len(journal.stays) < 2 or journal.stays[1].entry.number in journal.made


async def test_a_failure_at_any_call_says_so_or_the_move_was_made(site: Site) -> None:
    """A registry that cannot be reached for one call: never a false success."""

    async def fails_at(last: int) -> bool:
        async def step(number: int, name: str, after: bool) -> None:
            if number == last and not after:
                raise UnavailableError("gone")

        async with site.records() as records:
            journal = await records.journal("production")
            goal = "b" if site.letter(journal.live) != "b" else "c"
            entry = await planned(records, journal, site.versions[goal])
            calls = Calls(records, step)
            try:
                await make_move(records, entry, Progress(), sleep=no_wait)
            except UnavailableError:
                return True
            assert site.letter(await records.point("production")) == goal
            return len(calls.names) >= last

    for number in range(1, _CALLS, 1 if TORTURE > 1 else 3):
        assert await fails_at(number) or number > 12
    assert (await journal_of(site)).chain == "ok"


async def test_a_keeper_that_could_not_be_written_is_written_by_the_next_move(real: Site) -> None:
    async with real.records() as records:
        entry = await planned(records, await records.journal("production"), real.versions["a"])

        async def step(number: int, name: str, after: bool) -> None:
            if name == "push_manifest" and not after and calls.names.count(name) == 4:
                raise UnavailableError("gone")

        calls = Calls(records, step)
        progress = Progress()
        await make_move(records, entry, progress, sleep=no_wait)
    assert "the keeper of g1 is not written yet: gone" in progress.events
    async with real.records() as records:
        assert await records.point(keeper_tag("production", 1)) is None
        await move(records, real.versions["b"])
        assert await records.point(keeper_tag("production", 1)) == real.versions["a"]


async def test_nobody_waits_where_the_registry_keeps_others_out(site: Site) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with site.records() as records:
        entry = await planned(records, await records.journal("production"), site.versions["a"])
        entry = replace(entry, reason="first")
        await make_move(records, entry, Progress(), sleep=sleep)
    compares = site.proxy is not None and site.proxy.conditions
    local = site.reference.place.value in ("layout", "library")
    assert waited == ([] if compares or local else [2.0])

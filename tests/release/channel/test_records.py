"""Records as they are read: by few requests, in spite of what others left, with all marks."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from rolldeck.errors import IntegrityError, RefusedError
from rolldeck.oci import MANIFEST, Listing, parse_manifest
from rolldeck.progress import Progress
from rolldeck.release.channel import (
    EMPTY_BLOB,
    Hold,
    Records,
    Verdict,
    entry_tag,
    finish,
    hold_tag,
    ruling,
)
from tests.release.channel.calls import Calls
from tests.release.channel.made import START
from tests.release.channel.places import Site, move, no_wait, planned


async def passing(number: int, name: str, after: bool) -> None:
    """Let every call pass."""


async def junk(records: Records, tag: str) -> None:
    """Put a manifest that is no record under a tag."""
    empty = EMPTY_BLOB.to_json()
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": empty, "layers": []}
    manifest = parse_manifest(json.dumps(document).encode(), MANIFEST, reference=tag)
    await records._push_empty()
    await records.writer.push_manifest(records.repository, manifest, [tag])


async def test_marks_come_back_as_they_were_written(site: Site) -> None:
    async with site.records() as records:
        version = (await records.manifest(site.versions["a"])).descriptor
        said = [
            Verdict(version, "good", "mia", START),
            Verdict(
                version, "bad", "ci", START + timedelta(hours=1), "f1 drop", site.versions["b"]
            ),
            Verdict(version, "note", "mia", START + timedelta(hours=2), "looked at it"),
        ]
        for verdict in said:
            await records.write_verdict(verdict)
        hold = Hold("production", version, "mia", START, START + timedelta(hours=24), "incident")
        await records.write_hold(hold)
    async with site.records() as records:
        found = await records.verdicts(site.versions.values())
        assert found[site.versions["a"]] == tuple(said)
        assert found[site.versions["b"]] == ()
        assert ruling(found[site.versions["a"]]) == said[1]
        assert await records.hold("production") == hold
        assert await records.hold("staging") is None


async def test_other_tools_find_verdicts_where_the_specification_says(real: Site) -> None:
    """The fallback index of a registry without referrers lists each of them once."""
    async with real.records() as records:
        version = (await records.manifest(real.versions["a"])).descriptor
        written = [
            await records.write_verdict(Verdict(version, opinion, "mia", START))
            for opinion in ("good", "bad")
        ]
        tag = version.digest.replace(":", "-")
        index = await records._registry.tagged_manifest(records.repository, tag)
    assert [item.digest for item in index.manifests] == written
    assert {item.artifact_type for item in index.manifests} == {
        "application/vnd.rolldeck.verdict.v1+json"
    }


async def test_a_seen_journal_costs_four_requests(real: Site) -> None:
    """What the channel is, the tags, the newest entry, and that there are no referrers."""
    async with real.records() as records:
        for letter in "abcabc":
            await move(records, real.versions[letter])
    async with real.records() as records:
        calls = Calls(records, passing)
        journal = await records.journal("production")
    assert len(journal.recorded) == 6
    assert calls.names == ["tagged_digest", "tags", "tagged_manifest", "referrers"]


async def test_only_the_newest_entries_are_read(site: Site) -> None:
    async with site.records() as records:
        for letter in "abca":
            await move(records, site.versions[letter])
        journal = await records.journal("production", limit=2)
    assert [item.entry.number for item in journal.recorded] == [4, 3]
    assert (journal.more, journal.chain) == (True, "ok")


async def test_a_false_entry_never_blocks_a_channel(site: Site) -> None:
    async with site.records() as records:
        await move(records, site.versions["a"])
        await junk(records, entry_tag("production", 2))
        journal = await records.journal("production")
        assert (journal.chain, journal.next_number) == ("broken", 3)
        await move(records, site.versions["b"])
        assert site.letter(await records.point("production")) == "b"


async def test_a_copied_entry_is_no_entry_of_that_channel(real: Site) -> None:
    async with real.records() as records:
        recorded = await move(records, real.versions["a"])
        manifest = recorded.entry.to_manifest()
        tag = entry_tag("staging", 1)
        await records.writer.push_manifest(records.repository, manifest, [tag])
        assert (await records.journal("staging")).recorded == ()


async def test_what_is_no_hold_is_told_and_not_passed_over(real: Site) -> None:
    async with real.records() as records:
        await junk(records, hold_tag("production"))
        with pytest.raises(IntegrityError, match="not the record of a hold"):
            await records.hold("production")


async def test_a_lost_claim_is_shown_as_a_fork_where_referrers_are_listed(referring: Site) -> None:
    async with referring.records() as records:
        await move(records, referring.versions["a"])
        journal = await records.journal("production")
        mine = await planned(records, journal, referring.versions["b"])
        await records.writer.push_manifest(
            records.repository, mine.to_manifest(), named_by_index=True
        )
        await move(records, referring.versions["b"])
        journal = await records.journal("production")
    assert journal.chain == "forked"
    assert [item.entry.nonce for item in journal.rivals] == [mine.nonce]


async def test_a_list_of_tags_that_is_cut_off_hides_no_newer_entry(real: Site) -> None:
    async with real.records() as records:
        for letter in "abc":
            await move(records, real.versions[letter])

        async def cut(repository: str) -> Listing:
            return Listing(("v1.0.0", entry_tag("production", 1)), complete=False)

        records._registry.tags = cut  # type: ignore[method-assign]
        journal = await records.journal("production")
    assert [item.entry.number for item in journal.recorded] == [3, 2, 1]


async def test_channels_are_what_moves(site: Site) -> None:
    async with site.records() as records:
        await move(records, site.versions["a"], "production")
        await move(records, site.versions["a"], "blue-3")
        version = await records.manifest(site.versions["b"])
        await records.writer.push_manifest(records.repository, version, ["staging"])
        assert await records.channels() == ("blue-3", "production", "staging")


async def test_finishing_where_nothing_is_pending_does_nothing(real: Site) -> None:
    async with real.records() as records:
        await move(records, real.versions["a"])
        journal = await records.journal("production")
        assert await finish(records, journal, Progress(), sleep=no_wait) is None


async def test_who_only_reads_writes_nothing(real: Site) -> None:
    records = Records(None, "x", name="host/x")  # type: ignore[arg-type]
    with pytest.raises(RefusedError):
        _ = records.writer

"""Entries and marks come back as they were written, and false ones are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rolldeck.errors import IntegrityError
from rolldeck.oci import INDEX, parse_manifest
from rolldeck.release import Check
from rolldeck.release.channel import (
    Entry,
    Hold,
    Skipped,
    Verdict,
    read_entry,
    read_hold,
    read_verdict,
    ruling,
)
from tests.release.channel.made import START, digest, version

ENTRY = Entry(
    channel="production",
    number=44,
    verb="rollback",
    from_digest=digest("b"),
    version=version("a"),
    actor="mia@gpu7",
    time=START,
    reason="latency | f1 drop",
    previous=digest("g43"),
    from_label="v2.4.1",
    to_label="v2.4.0",
    refers_to=42,
    sets_hold=START + timedelta(hours=24),
    marks_bad=digest("b"),
    checks=(Check("complete", True, "7 blobs"), Check("signature", None, "not checked")),
    skipped=(Skipped(43, digest("c"), "marked bad"),),
)


def test_an_entry_comes_back_as_it_was_written() -> None:
    manifest = ENTRY.to_manifest()
    assert read_entry(manifest, "x") == (read := read_entry(manifest, "x"))
    assert (read.entry, read.digest) == (ENTRY, manifest.digest)


def test_an_entry_is_an_index_that_names_its_version_twice() -> None:
    document = json.loads(ENTRY.to_manifest().raw)
    assert document["mediaType"] == INDEX
    assert [item["digest"] for item in document["manifests"]] == [digest("a")]
    assert document["subject"]["digest"] == digest("a")


def test_two_claims_of_one_number_differ() -> None:
    other = replace(ENTRY, nonce=Entry("p", 1, "promote", None, version("a"), "", START).nonce)
    assert other.to_manifest().digest != ENTRY.to_manifest().digest


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("verb", "explode"),
        ("number", "0"),
        ("number", "4" * 13),
        ("number", "-1"),
        ("to", digest("b")),
        ("prev", "sha256:zz"),
        ("channel", ""),
        ("nonce", ""),
        ("checks", "[1]"),
        ("checks", "[" * 100_000),
        ("skipped", '[{"number":"x"}]'),
        ("sets-hold", "tomorrow"),
    ],
)
def test_a_false_field_is_named(name: str, value: str) -> None:
    document = json.loads(ENTRY.to_manifest().raw)
    document["annotations"][f"vnd.rolldeck.{name}"] = value
    with pytest.raises(IntegrityError, match=name):
        read_entry(_parse(document), "production.g000044")


def test_hostile_text_is_inert() -> None:
    entry = replace(ENTRY, reason="\x1b[31mred\nsecond", actor="[bold]x")
    read = read_entry(entry.to_manifest(), "x").entry
    assert "\x1b" not in str(read.reason)
    assert "\n" not in str(read.reason)


def test_verdicts_and_holds_come_back_as_they_were_written() -> None:
    verdict = Verdict(version("a"), "bad", "mia", START, "f1", set_by=digest("e"))
    manifest = verdict.to_manifest()
    assert read_verdict(manifest.annotations, manifest.subject, "x") == verdict
    hold = Hold("production", version("a"), "mia", START, START + timedelta(hours=1), "why")
    assert read_hold(hold.to_manifest(), "x") == hold


def test_a_verdict_moved_to_another_version_is_refused() -> None:
    manifest = Verdict(version("a"), "good", "mia", START).to_manifest()
    with pytest.raises(IntegrityError, match="version"):
        read_verdict(manifest.annotations, version("b"), "x")


def test_the_newest_verdict_rules_until_it_is_withdrawn() -> None:
    def said(opinion: Any, hours: int) -> Verdict:
        return Verdict(version("a"), opinion, "mia", START + timedelta(hours=hours))

    assert ruling([]) is None
    assert ruling([said("note", 0)]) is None
    good, bad = said("good", 1), said("bad", 2)
    assert ruling([bad, said("note", 3), good]) is bad
    assert ruling([bad, said("withdrawn", 3), good]) is None


def test_of_two_verdicts_of_one_second_the_bad_one_rules() -> None:
    good = Verdict(version("a"), "good", "mia", START, nonce="f")
    bad = Verdict(version("a"), "bad", "mia", START, nonce="0")
    assert ruling([good, bad]) is bad
    assert ruling([bad, good]) is bad


def test_a_hold_ends_when_it_expires_or_is_released() -> None:
    hold = Hold("production", version("a"), "mia", START, START + timedelta(hours=1))
    assert hold.holds(START)
    assert not hold.holds(START + timedelta(hours=1))
    assert not replace(hold, released=True).holds(START)
    assert replace(hold, until=None).holds(datetime(2099, 1, 1, tzinfo=UTC))


def _parse(document: dict[str, Any]) -> Any:
    return parse_manifest(json.dumps(document).encode(), INDEX, reference="x")

"""The tags of channels and their records."""

from __future__ import annotations

import pytest

from rolldeck.errors import UsageError
from rolldeck.oci import is_tag
from rolldeck.release.channel import (
    RecordTag,
    entry_tag,
    hold_tag,
    keeper_tag,
    parse_record_tag,
    require_channel,
    verdict_tag,
)
from tests.release.channel.made import digest


@pytest.mark.parametrize("channel", ["production", "a.g000001x", "eu-west.canary", "latest"])
def test_record_tags_say_what_they_name(channel: str) -> None:
    assert parse_record_tag(entry_tag(channel, 43)) == RecordTag("entry", channel, 43)
    assert parse_record_tag(keeper_tag(channel, 1234567)) == RecordTag("keeper", channel, 1234567)
    assert parse_record_tag(hold_tag(channel)) == RecordTag("hold", channel)


def test_entries_sort_by_their_tags() -> None:
    tags = [entry_tag("production", number) for number in (9, 10, 99, 100, 99999)]
    assert tags == sorted(tags)


def test_verdict_tags_fit_and_are_no_versions() -> None:
    tag = verdict_tag(digest("a"), "0123456789abcdef")
    assert is_tag(tag)
    assert parse_record_tag(tag) == RecordTag("verdict", "")
    assert parse_record_tag(tag.partition(".")[0]) == RecordTag("referrers", "")


@pytest.mark.parametrize(
    "tag", ["v1.2.3", "production", "production.g1", "production.g0000001", ".hold", "sha256-12"]
)
def test_other_tags_name_no_record(tag: str) -> None:
    assert parse_record_tag(tag) is None


@pytest.mark.parametrize("name", ["v1.2.3", "production.g000001", "x.hold", "a b", "x" * 101])
def test_what_cannot_be_a_channel_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"(version|record|no tag)"):
        require_channel(name)

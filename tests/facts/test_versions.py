"""Order of versions by tag: schemes apart, newest first, moving words as badges."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
import semver

from rolldeck.facts import (
    VersionOrder,
    is_moving_tag,
    is_referrer_tag,
    order_tags,
    sort_versions,
    version_label,
)

REFERRER = "sha256-" + "a" * 64


@pytest.mark.parametrize(
    ("tag", "scheme"),
    [
        (REFERRER, "referrer"), (REFERRER + ".sig", "referrer"), ("sha256-" + "a" * 63, "other"),
        ("latest", "moving"), ("Production", "moving"), ("prod-eu", "moving"), ("main", "moving"),
        ("main-abc1234", "other"), ("prod2", "other"),
        ("2026-10-18", "calver"), ("20261018", "calver"), ("2026.10.18", "calver"),
        ("2026.10.45", "calver"), ("v2026.10", "calver"), ("2026-10-18-2", "calver"),
        ("20261018T120000", "calver"), ("2026-13-01", "other"), ("20261399", "sha"),
        ("1.2.3", "semver"), ("v1.2.3-rc.1", "semver"), ("1.2.3-20260101", "semver"),
        ("1.2.3_cu124", "semver"), ("release-1.4.0", "semver"), ("1.0.0-alpha.beta", "semver"),
        ("1234567", "sha"), ("abc1234", "sha"), ("sha-abcdef1", "sha"),
        ("v2", "pep440"), ("1.0", "pep440"), ("1.0.0rc1", "pep440"), ("1.0.0.dev3", "pep440"),
        ("1.0.post1", "pep440"), ("1.0_cpu", "pep440"), ("v1.11-none", "other"), ("run9", "other"),
    ],
)  # fmt: skip
def test_schemes(tag: str, scheme: str) -> None:
    assert VersionOrder.of(tag).scheme == scheme


def test_a_scheme_that_the_user_set_is_tried_first() -> None:
    assert VersionOrder.of("1.2.3", "pep440").scheme == "pep440"
    assert VersionOrder.of("latest", "pep440").scheme == "moving"
    assert order_tags(["1.2.3-1", "1.2.3"], "pep440") == ["1.2.3-1", "1.2.3"]
    assert order_tags(["1.2.3-1", "1.2.3"]) == ["1.2.3", "1.2.3-1"]


@pytest.mark.parametrize(
    "newest_first",
    [
        ["v1.10.0", "v1.9.0", "1.9.0-rc.2", "1.9.0-rc.1", "1.9.0-beta", "1.9.0-alpha.1"],
        ["2.0", "2.0rc1", "2.0b3", "2.0.dev1", "1.0.post1", "1.0"],
        ["2026-11-01", "2026-10-18", "20260901", "2026.1.5", "2025.12"],
        ["run10", "run9", "run1"],
    ],
)
def test_order_within_a_scheme(newest_first: list[str]) -> None:
    shuffled = newest_first[:]
    random.Random(1).shuffle(shuffled)
    assert order_tags(shuffled) == newest_first


def test_semantic_order_agrees_with_the_semver_library() -> None:
    randomness = random.Random(3)
    parts = ["alpha", "beta", "rc", "1", "2", "10", "x-y", "0a"]
    tags = set()
    while len(tags) < 300:
        tag = ".".join(str(randomness.randint(0, 12)) for _ in range(3))
        if randomness.random() < 0.7:
            tag += "-" + ".".join(randomness.choices(parts, k=randomness.randint(1, 3)))
        if VersionOrder.of(tag).scheme == "semver":
            tags.add(tag)
    expected = sorted(tags, key=semver.Version.parse, reverse=True)
    assert order_tags(tags) == expected


def test_schemes_are_never_interleaved_and_referrers_left_out() -> None:
    tags = ["latest", "1.0", "abc1234", "v1.0.1", "2026-01-01", REFERRER, "v0.9.0", "x"]
    assert order_tags(tags) == ["v1.0.1", "v0.9.0", "1.0", "2026-01-01", "x", "abc1234", "latest"]


@pytest.mark.parametrize(
    ("tags", "label", "badges"),
    [
        (["latest", "v2.0.0"], "v2.0.0", ("latest",)),
        (["v2", "production", "abc1234", "v2.0.0"], "v2.0.0", ("production", "v2", "abc1234")),
        (["latest"], "latest", ()),
        (["prod", "latest"], "latest", ("prod",)),
        ([], "", ()),
        ([REFERRER], "", ()),
    ],
)
def test_label(tags: list[str], label: str, badges: tuple[str, ...]) -> None:
    assert version_label(tags) == (label, badges)


def day(number: int) -> datetime:
    return datetime(2026, 11, number, tzinfo=UTC)


def test_versions_of_one_scheme_go_by_tag_not_by_time() -> None:
    items = [(["v1.0.1"], day(20)), (["v2.0.0", "latest"], day(10)), (["v1.0.0"], None)]
    assert sort_versions(items) == [1, 0, 2]


def test_groups_go_by_their_newest_time() -> None:
    items = [(["v1.0.0"], day(1)), (["abc1234"], day(5)), (["2026-11-03"], day(3)), ([], None),
             (["def5678"], day(2))]  # fmt: skip
    assert sort_versions(items) == [1, 4, 2, 0, 3]


def test_a_time_without_zone_is_utc() -> None:
    items = [(["abc1234"], day(1)), (["abc1235"], datetime(2026, 11, 2))]
    assert sort_versions(items) == [1, 0]


def test_odd_tags_never_raise() -> None:
    randomness = random.Random(5)
    for _ in range(3000):
        tag = "".join(
            randomness.choices("0123456789abcdefv.-_TlatesZ", k=randomness.randint(1, 30))
        )
        VersionOrder.of(tag)
        assert isinstance(is_moving_tag(tag), bool)
        assert is_referrer_tag(tag) is False
    tags = ["".join(randomness.choices("0123.-_rcv", k=8)) for _ in range(2000)]
    assert sorted(order_tags(tags)) == sorted(tags)
    assert sorted(sort_versions([([tag], None) for tag in tags])) == list(range(2000))

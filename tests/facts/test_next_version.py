"""The version that follows a tag, written as that tag is."""

from __future__ import annotations

import random
from datetime import date
from itertools import pairwise

import pytest
import semver

from rolldeck.facts.next_version import Level, is_initial, next_version
from rolldeck.facts.versions import VersionOrder, is_version_tag, order_tags
from rolldeck.oci import is_tag

TODAY = date(2026, 11, 21)
LEVELS: tuple[Level, ...] = ("major", "minor", "patch")


@pytest.mark.parametrize(
    ("tag", "major", "minor", "patch"),
    [
        ("1.2.3", "2.0.0", "1.3.0", "1.2.4"),
        ("v1.2.3", "v2.0.0", "v1.3.0", "v1.2.4"),
        ("release-1.2.3", "release-2.0.0", "release-1.3.0", "release-1.2.4"),
        ("v2.0.0-rc.1", "v2.0.0", "v2.0.0", "v2.0.0"),
        ("v2.1.0-rc.1", "v3.0.0", "v2.1.0", "v2.1.0"),
        ("1.2.3_cu124", "2.0.0", "1.3.0", "1.2.4"),
        ("v2", "v3", "v3", "v3"),
        ("1.4", "2.0", "1.5", "1.5"),
        ("1.0rc1", "1.0", "1.0", "1.0"),
        ("1.0.0.post1", "2.0.0", "1.1.0", "1.0.1"),
        ("1.2.3.4", "2.0.0.0", "1.3.0.0", "1.2.4.0"),
    ],
)
def test_next_by_level(tag: str, major: str, minor: str, patch: str) -> None:
    """Semantic versions and PEP 440; as many parts as before, and a pre-release becomes the
    release that it stands before."""
    assert [next_version(tag, level, TODAY) for level in LEVELS] == [major, minor, patch]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("20261018", "20261121"),
        ("20261121", "20261121.1"),
        ("20261121-2", "20261121-3"),
        ("v2026-01-05", "v2026-11-21"),
        ("2026-11-21", "2026-11-21.1"),
        ("2026.10", "2026.11"),
        ("2026.1", "2026.11"),
        ("2026.11", "2026.11.1"),
        ("2026.10.45", "2026.11.1"),
        ("2026.11.4", "2026.11.5"),
        ("2025.12.0", "2026.11.0"),
        ("2030.01.01", "2030.01.2"),
    ],
)
def test_next_date(tag: str, expected: str) -> None:
    """The date of today in the same form; a counter where that would not come after."""
    assert {next_version(tag, level, TODAY) for level in LEVELS} == {expected}


def test_a_day_is_told_from_a_counter_by_when_the_version_was_made() -> None:
    """``2026.10.18``, made on that day, ends in a day."""
    assert next_version("2026.10.18", "patch", TODAY, date(2026, 10, 18)) == "2026.11.21"
    assert next_version("2026.10.18", "patch", TODAY, date(2026, 10, 30)) == "2026.11.1"


@pytest.mark.parametrize("tag", ["latest", "prod-eu", "3f2a91c", "run10", "sha256-" + "a" * 64])
def test_what_is_no_version_has_no_next(tag: str) -> None:
    """Neither moving words nor hashes nor names."""
    assert next_version(tag, "minor", TODAY) is None


def test_semantic_steps_agree_with_the_semver_library() -> None:
    """Over random versions with and without a pre-release."""
    randomness = random.Random(7)
    for _ in range(2000):
        release = ".".join(str(randomness.choice((0, 0, 1, 2, 13))) for _ in range(3))
        tag = release + randomness.choice(("", "", "-rc.1", "-alpha"))
        version = semver.Version.parse(tag)
        for level in LEVELS:
            assert next_version(tag, level, TODAY) == str(version.next_version(level)), tag


def test_the_next_version_is_a_later_tag_of_the_same_scheme() -> None:
    """Over random tags of all schemes, and on any day."""
    randomness = random.Random(11)
    known = 0
    for _ in range(5000):
        tag = _any_tag(randomness)
        today = date(randomness.randint(2019, 2031), randomness.randint(1, 12), 28)
        for level in LEVELS:
            found = next_version(tag, level, today)
            if found is None:
                continue
            known += 1
            before = VersionOrder.of(tag)
            after = VersionOrder.of(found, before.scheme)
            assert is_tag(found)
            assert before.scheme == after.scheme, (tag, found)
            assert after.key > before.key, (tag, found)
            assert order_tags([tag, found])[0] == found
    assert known > 5000


def test_a_version_tag_of_a_usual_form_always_has_a_next() -> None:
    """What people write does not fall through."""
    for tag in ("v1.2.3", "1.0", "v7", "2026.11", "2026-11-21", "20261121", "1.0.0-rc.1", "1.0rc1"):
        assert is_version_tag(tag)
        assert all(next_version(tag, level, TODAY) for level in LEVELS), tag


def test_initial_versions() -> None:
    """There a breaking change raises the minor part."""
    assert [is_initial(tag) for tag in ("0.9.1", "v0.1.0", "0.4", "1.0.0", "v0", "2026.1")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


# Order.


def test_order_is_total_and_stable_over_mixed_schemes() -> None:
    """Any two tags compare within their scheme, and the order does not hang on what is given."""
    randomness = random.Random(13)
    for _ in range(150):
        tags = list({_any_tag(randomness) for _ in range(30)})
        ordered = order_tags(tags)
        assert sorted(ordered) == sorted(tags)
        randomness.shuffle(tags)
        assert order_tags(tags) == ordered
        part = [tag for tag in ordered if randomness.random() < 0.5]
        assert order_tags(part) == part


def test_order_within_a_scheme_has_no_circles() -> None:
    """Neighbours and whoever stands further apart agree."""
    randomness = random.Random(17)
    tags = order_tags({_any_tag(randomness) for _ in range(400)})
    orders = [VersionOrder.of(tag) for tag in tags]
    for one, other in pairwise(orders):
        if one.scheme == other.scheme and one.scheme not in ("sha", "moving"):
            assert not other.key > one.key
    for _ in range(3000):
        i, j = sorted(randomness.sample(range(len(orders)), 2))
        if orders[i].scheme == orders[j].scheme and orders[i].scheme not in ("sha", "moving"):
            assert not orders[j].key > orders[i].key


def _any_tag(randomness: random.Random) -> str:
    number = lambda: str(randomness.choice((0, 1, 2, 9, 10, 2026)))  # noqa: E731
    day = date(randomness.randint(2019, 2030), randomness.randint(1, 12), randomness.randint(1, 28))
    prefix = randomness.choice(("", "v", "V", "release-", "rel_", "version."))
    kind = randomness.randrange(7)
    if kind == 0:
        tag = ".".join(number() for _ in range(3))
        return prefix + tag + randomness.choice(("", "-rc.1", "-rc.10", "-alpha", "_cu124"))
    if kind == 1:
        tag = ".".join(number() for _ in range(randomness.randint(1, 4)))
        return prefix + tag + randomness.choice(("", "rc1", ".dev3", ".post1", "a2"))
    if kind == 2:
        form = randomness.choice(("%Y%m%d", "%Y-%m-%d", "%Y.%m.%d", "%Y.%m", "%Y_%m_%d"))
        return prefix + day.strftime(form) + randomness.choice(("", "", "-1", ".2", "-T1200"))
    if kind == 3:
        return f"{prefix}{day.year}.{day.month}.{number()}"
    if kind == 4:
        return "".join(randomness.choices("0123456789abcdef", k=randomness.choice((7, 12, 40))))
    if kind == 5:
        return randomness.choice(("latest", "prod", "prod-eu", "staging", "main"))
    return randomness.choice(("run", "exp-", "model_")) + number()

"""What holds for the order of any tags, however schemes are mixed; made by chance, with oracles."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

import pytest
from packaging.version import Version as Pep440

from rolldeck.facts import VersionOrder, is_moving_tag, order_tags, sort_versions, version_label

SEEDS = range(12)


def mixed(chance: random.Random, count: int) -> list[str]:
    """Return different tags of all schemes."""

    def number(most: int = 20) -> int:
        return chance.randrange(most)

    makers = (
        lambda: f"{number()}.{number()}.{number()}",
        lambda: f"v{number()}.{number()}.{number()}-rc.{number()}",
        lambda: f"v{number()}.{number()}.{number()}-{chance.choice(('alpha', 'beta', '7', 'x-1'))}",
        lambda: f"release-{number()}.{number()}.{number()}",
        lambda: f"{number()}.{number()}.{number()}_cu{number(200)}",
        lambda: f"{number()}.{number()}",
        lambda: f"v{number()}",
        lambda: f"{number()}.{number()}rc{number()}",
        lambda: f"{number()}.{number()}.dev{number()}",
        lambda: f"{number()}.{number()}.post{number()}",
        lambda: f"{_day(number(3000)):%Y-%m-%d}",
        lambda: f"{_day(number(3000)):%Y%m%d}",
        lambda: f"{_day(number(3000)):%Y.%m}.{number(60)}",
        lambda: f"{chance.getrandbits(28):07x}",
        lambda: f"run{number(200)}",
        lambda: f"exp-{number()}-{chance.choice('abc')}",
        lambda: chance.choice(("latest", "production", "champion", "prod-eu", "main")),
    )
    found: dict[str, None] = {}
    while len(found) < count:
        found[chance.choice(makers)()] = None
    return list(found)


def _day(number: int) -> date:
    return date(2019, 1, 1) + timedelta(number)


def scheme(tag: str) -> str:
    """Return the scheme of a tag."""
    return VersionOrder.of(tag).scheme


def runs(names: Iterable[str]) -> list[str]:
    """Return names without repetitions that follow each other."""
    return [name for name, _ in groupby(names)]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_does_not_depend_on_how_tags_came(seed: int) -> None:
    """A registry lists them in any order."""
    chance = random.Random(seed)
    tags = mixed(chance, 300)
    ordered = order_tags(tags)
    assert sorted(ordered) == sorted(tags)
    chance.shuffle(tags)
    assert order_tags(tags) == ordered
    assert order_tags(ordered) == ordered


@pytest.mark.parametrize("seed", SEEDS)
def test_schemes_stand_together_and_do_not_touch_each_other(seed: int) -> None:
    """Tags of another scheme that come or go change nothing within one."""
    tags = mixed(random.Random(seed), 300)
    ordered = order_tags(tags)
    names = runs(map(scheme, ordered))
    assert len(names) == len(set(names)) > 4
    for name in names:
        alone = [tag for tag in tags if scheme(tag) == name]
        assert [tag for tag in ordered if scheme(tag) == name] == order_tags(alone)


@pytest.mark.parametrize("seed", SEEDS)
def test_any_two_tags_stand_as_they_do_among_many(seed: int) -> None:
    """The order is total: what is newer by itself is newer in every list."""
    chance = random.Random(seed)
    ordered = order_tags(mixed(chance, 120))
    for _ in range(400):
        first, second = sorted(chance.sample(range(len(ordered)), 2))
        pair = [ordered[first], ordered[second]]
        assert order_tags(pair[::-1]) == pair


@pytest.mark.parametrize("seed", SEEDS)
def test_pep_440_agrees_with_packaging(seed: int) -> None:
    """Newest first, by the library itself."""
    tags = [tag for tag in mixed(random.Random(seed), 400) if scheme(tag) == "pep440"]
    assert len(tags) > 20
    read = [Pep440(tag.removeprefix("v")) for tag in order_tags(tags)]
    assert read == sorted(read, reverse=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_dates_agree_with_the_calendar(seed: int) -> None:
    """However they are written."""
    chance = random.Random(seed)
    days = chance.sample(range(3000), 60)
    forms = ("%Y-%m-%d", "%Y%m%d", "%Y.%m.%d", "v%Y.%m.%d", "release-%Y-%m-%d", "%Y_%m_%d")
    tags = {_day(day).strftime(chance.choice(forms)): day for day in days}
    assert {scheme(tag) for tag in tags} == {"calver"}
    assert [tags[tag] for tag in order_tags(tags)] == sorted(tags.values(), reverse=True)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_prefix_changes_no_order(seed: int) -> None:
    """``v``, ``release-``: the number behind it decides."""
    chance = random.Random(seed)
    tags = {f"{chance.randrange(30)}.{chance.randrange(30)}.{chance.randrange(30)}": ""
            for _ in range(80)}  # fmt: skip
    for tag in tags:
        tags[tag] = chance.choice(("", "v", "V", "release-", "rel_v", "version-")) + tag
    ordered = order_tags(tags.values())
    assert ordered == [tags[tag] for tag in order_tags(tags)]


@pytest.mark.parametrize("seed", SEEDS)
def test_versions_go_by_tag_within_a_scheme_and_by_time_across(seed: int) -> None:
    """Groups stand together, the one with the newest version first; any order of arrival."""
    chance = random.Random(seed)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    tags = [tag for tag in mixed(chance, 150) if not is_moving_tag(tag)]
    items = [([tag], start + timedelta(minutes=chance.randrange(10**6))) for tag in tags]
    found = [items[place] for place in sort_versions(items)]
    names = runs(scheme(held[0]) for held, _ in found)
    assert len(names) == len(set(names))
    newest = {name: max(at for held, at in found if scheme(held[0]) == name) for name in names}
    assert names == sorted(names, key=lambda name: newest[name], reverse=True)
    for name in set(names) - {"sha"}:
        group = [held[0] for held, _ in found if scheme(held[0]) == name]
        assert group == sorted(group, key=lambda tag: VersionOrder.of(tag).key, reverse=True)
    hashes = [at for held, at in found if scheme(held[0]) == "sha"]
    assert hashes == sorted(hashes, reverse=True)
    again = items[:]
    chance.shuffle(again)
    assert [again[place] for place in sort_versions(again)] == found


@pytest.mark.parametrize("seed", SEEDS)
def test_a_moving_tag_is_a_badge_and_never_a_name_beside_a_version(seed: int) -> None:
    """And no tag is lost."""
    chance = random.Random(seed)
    tags = mixed(chance, 200)
    for _ in range(60):
        held = chance.sample(tags, chance.randrange(1, 6))
        label, badges = version_label(held)
        assert sorted([label, *badges]) == sorted(held)
        assert not is_moving_tag(label) or all(is_moving_tag(tag) for tag in held)

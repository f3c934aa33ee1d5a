"""Tags that are written only where they name what is expected."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rolldeck.actions.writers import LayoutWriter
from rolldeck.errors import BusyError, DeniedError
from rolldeck.oci import INDEX, Digest, Expect, Manifest, TagMovedError, digest_of, parse_manifest
from rolldeck.store import LayoutStore
from tests.oci.bench import Open
from tests.servers.guarding_proxy import GuardingProxy, guarding_proxy
from tests.servers.registry import RunningRegistry

ABSENT = Expect(None)


@pytest.fixture
def guarded(docker_registry: RunningRegistry) -> Iterator[GuardingProxy]:
    """A real registry behind a proxy that looks at conditions."""
    with guarding_proxy(docker_registry.host) as proxy:
        proxy.conditions = True
        yield proxy


def an_index(name: str) -> Manifest:
    """An image index without content; each name gives another one."""
    document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": {"n": name}}
    return parse_manifest(json.dumps(document).encode(), INDEX, reference=name)


def repository(path: Path) -> str:
    """A repository of the test's own."""
    return f"expect/{path.name.casefold().replace('_', '-').strip('-')}"


async def test_a_tag_is_written_only_from_what_is_expected(
    guarded: GuardingProxy, open_registry: Open, tmp_path: Path
) -> None:
    writer, place = open_registry(guarded).writer, repository(tmp_path)
    a, b, c = map(an_index, "abc")
    await writer.push_manifest(place, a, ["live"], expect=ABSENT)
    with pytest.raises(TagMovedError):
        await writer.push_manifest(place, b, ["live"], expect=ABSENT)
    with pytest.raises(BusyError):
        await writer.push_manifest(place, b, ["live"], expect=Expect(c.digest))
    assert await writer.find_tag(place, "live") == a.digest
    await writer.push_manifest(place, b, ["live"], expect=Expect(a.digest))
    assert await writer.find_tag(place, "live") == b.digest


@pytest.mark.parametrize("status", [400, 403, 405, 409, 412])
async def test_a_tag_that_may_be_written_once_is_told_as_moved(
    guarded: GuardingProxy, open_registry: Open, tmp_path: Path, status: int
) -> None:
    writer, place = open_registry(guarded).writer, repository(tmp_path)
    guarded.conditions, guarded.write_once = False, re.compile("once")
    guarded.refusal = (status, "TAG_IMMUTABLE")
    await writer.push_manifest(place, an_index("a"), ["once"], expect=ABSENT)
    with pytest.raises(TagMovedError):
        await writer.push_manifest(place, an_index("b"), ["once"], expect=ABSENT)


async def test_a_refusal_of_a_tag_that_is_as_expected_is_told_as_it_is(
    guarded: GuardingProxy, open_registry: Open, tmp_path: Path
) -> None:
    writer, place = open_registry(guarded).writer, repository(tmp_path)
    await writer.push_manifest(place, an_index("a"), ["live"])
    guarded.write_once, guarded.refusal = re.compile("live"), (403, "DENIED")
    with pytest.raises(DeniedError):
        await writer.push_manifest(
            place, an_index("b"), ["live"], expect=Expect(an_index("a").digest)
        )


@pytest.mark.parametrize(
    ("conditions", "once", "expected"),
    [(True, None, True), (False, None, False), (False, 409, False), (False, 412, False)],
)
async def test_whether_conditions_count_is_found_out_without_a_change(
    guarded: GuardingProxy,
    open_registry: Open,
    tmp_path: Path,
    conditions: bool,
    once: int | None,
    expected: bool,
) -> None:
    writer, place, a = open_registry(guarded).writer, repository(tmp_path), an_index("a")
    guarded.conditions = conditions
    await writer.push_manifest(place, a, ["live"])
    if once:
        guarded.write_once, guarded.refusal = re.compile("live"), (once, "TAG_IMMUTABLE")
    assert await writer.enforces_expectations(place, "live", a) is expected
    assert await writer.find_tag(place, "live") == a.digest


async def test_a_layout_compares_under_its_lock(tmp_path: Path) -> None:
    writer = LayoutWriter(LayoutStore(tmp_path / "layout"))
    a, b = an_index("a"), an_index("b")
    await writer.push_manifest("", a, ["live"], expect=ABSENT)
    for wrong in (ABSENT, Expect(b.digest), Expect(Digest(digest_of(b"x")))):
        with pytest.raises(TagMovedError):
            await writer.push_manifest("", b, ["live"], expect=wrong)
    assert await writer.find_tag("", "live") == a.digest
    await writer.push_manifest("", b, ["live"], expect=Expect(a.digest))
    assert await writer.find_tag("", "live") == b.digest
    assert await writer.enforces_expectations("", "live", b)

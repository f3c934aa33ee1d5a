"""Listings: pages, and the limits that a hostile registry meets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rolldeck.errors import (
    UnavailableError,
)
from rolldeck.oci.suggestion import newest_looking
from tests.oci.bench import (
    Open,
    tags_page,
)
from tests.servers.scripted import Asked, Scripted, ScriptedServer


async def test_tags_over_several_pages(open_registry: Open, scripted: ScriptedServer) -> None:
    relative = '</v2/x/tags/list?n=2&last=b>; rel="next"'
    absolute = f"<{scripted.url}/v2/x/tags/list?last=d>; foo=bar; rel=next"
    scripted.on("GET", r"/v2/x/tags/list\?n=1000", tags_page("a", "b", link=relative))
    scripted.on("GET", r"/v2/x/tags/list\?n=2&last=b", tags_page("c", "d", link=absolute))
    scripted.on("GET", r"/v2/x/tags/list\?last=d", tags_page("e", link='</x>; rel="prev"'))
    listing = await open_registry(scripted).tags("x")
    assert listing.names == ("a", "b", "c", "d", "e")
    assert listing.complete


@pytest.mark.parametrize(
    "link",
    [
        '</v2/x/tags/list?n=1000>; rel="next"',
        '<http://127.0.0.1:1/v2/>; rel="next"',
        '<file:///etc/passwd>; rel="next"',
        '<//other/v2/>; rel="next"',
        "<http://[>; rel=next",
    ],
)
async def test_links_that_are_not_followed(
    open_registry: Open, scripted: ScriptedServer, link: str
) -> None:
    scripted.on("GET", ".*", tags_page("a", "b", link=link))
    listing = await open_registry(scripted).tags("x")
    assert listing.names == ("a", "b")
    assert not listing.complete
    assert len(scripted.asked) == 1


async def test_link_to_another_port_gets_no_request(
    open_registry: Open, start_scripted: Callable[[], ScriptedServer]
) -> None:
    registry, other = start_scripted(), start_scripted()
    registry.on("GET", ".*", tags_page("a", link=f'<{other.url}/v2/x/tags/list>; rel="next"'))
    assert not (await open_registry(registry).tags("x")).complete
    assert other.asked == []


async def test_pages_without_end(
    open_registry: Open, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rolldeck.oci.pages.MOST_PAGES", 20)

    def more(asked: Asked) -> Scripted:
        number = len(scripted.asked)
        return tags_page(f"t{number}", link=f"</v2/x/tags/list?last={number}>; rel=next")

    scripted.on("GET", ".*", more)
    listing = await open_registry(scripted).tags("x")
    assert len(scripted.asked) == 20
    assert len(listing.names) == 20
    assert not listing.complete


async def test_pages_with_nothing_new(open_registry: Open, scripted: ScriptedServer) -> None:
    def same(asked: Asked) -> Scripted:
        return tags_page("a", link=f"</v2/x/tags/list?last={len(scripted.asked)}>; rel=next")

    scripted.on("GET", ".*", same)
    listing = await open_registry(scripted).tags("x")
    assert listing.names == ("a",)
    assert len(scripted.asked) == 2


async def test_names_that_are_no_tags(open_registry: Open, scripted: ScriptedServer) -> None:
    scripted.on("GET", ".*", tags_page("v1", "\x1b[31m", "a" * 129, "../x"))
    listing = await open_registry(scripted).tags("x")
    assert listing.names == ("v1",)
    assert not listing.complete


async def test_no_tags_at_all(open_registry: Open, scripted: ScriptedServer) -> None:
    scripted.on("GET", ".*", Scripted(body=b'{"name": "x", "tags": null}'))
    listing = await open_registry(scripted).tags("x")
    assert (listing.names, listing.complete) == ((), True)


@pytest.mark.parametrize("body", [b"{}", b"3", b'{"tags": "v1"}', b'"tags"'])
async def test_answers_that_list_nothing(
    open_registry: Open, scripted: ScriptedServer, body: bytes
) -> None:
    scripted.on("GET", ".*", Scripted(body=body))
    with pytest.raises(UnavailableError):
        await open_registry(scripted).tags("x")


@pytest.mark.parametrize("status", [401, 403, 404, 405])
async def test_registry_without_a_catalog(
    open_registry: Open, scripted: ScriptedServer, status: int
) -> None:
    scripted.on("GET", "/v2/_catalog.*", Scripted(status))
    listing = await open_registry(scripted).repositories()
    assert (listing.names, listing.complete) == ((), False)


def test_newest_looking_tags() -> None:
    tags = ["latest", "v1.9.0", "0.1", "v1.10.0", "production", "v2.0.0-rc1", "v2.0.0"]
    assert newest_looking(tags) == ["v2.0.0", "v2.0.0-rc1", "v1.10.0", "v1.9.0", "0.1"]
    assert newest_looking(["b", "1"]) == ["1", "b"]

"""The list of referrers: in pages, filtered or not, and from registries that have none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rolldeck.errors import UnavailableError
from rolldeck.oci import INDEX, MANIFEST, digest_of
from tests.oci.bench import Open
from tests.servers.registry import RunningRegistry
from tests.servers.scripted import Scripted, ScriptedServer

SUBJECT = digest_of(b"subject")
PATH = f"/v2/x/referrers/{SUBJECT}"


def page(*kinds: str, following: str | None = None, **more: Any) -> Scripted:
    """One page that lists a manifest of each kind."""
    items = [
        {
            "mediaType": MANIFEST,
            "digest": digest_of(kind.encode()),
            "size": 1,
            "artifactType": kind,
            "annotations": {"of": kind},
        }
        for kind in kinds
    ]
    body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": items}).encode()
    headers = {"Content-Type": INDEX}
    if following:
        headers["Link"] = f'<{following}>; rel="next"'
    return Scripted(body=body, headers=headers, **more)


async def test_all_pages_are_read(scripted: ScriptedServer, open_registry: Open) -> None:
    scripted.on("GET", PATH, page("a", "b", following=f"{PATH}?last=b"))
    scripted.on("GET", PATH + r"\?last=b", page("c"))
    found = await open_registry(scripted).referrers("x", SUBJECT)
    assert found is not None
    assert [item.annotations["of"] for item in found] == ["a", "b", "c"]


async def test_what_a_registry_does_not_filter_is_filtered_here(
    scripted: ScriptedServer, open_registry: Open
) -> None:
    scripted.on("GET", PATH + r"\?artifactType=b%2Fx", page("a", "b/x"))
    found = await open_registry(scripted).referrers("x", SUBJECT, "b/x")
    assert found is not None
    assert [item.artifact_type for item in found] == ["b/x"]


async def test_a_registry_without_the_api_says_nothing(
    docker_registry: RunningRegistry, open_registry: Open
) -> None:
    """The real docker-registry answers 404 in plain text."""
    assert await open_registry(docker_registry).referrers("x", SUBJECT) is None


@pytest.mark.parametrize(
    "answer",
    [
        Scripted(405),
        Scripted(body=b"<html>", headers={"Content-Type": "text/html"}),
        Scripted(body=b"{}", headers={"Content-Type": "application/json"}),
        Scripted(body=b"[" * 100_000, headers={"Content-Type": INDEX}),
    ],
)
async def test_what_is_no_list_is_no_api(
    scripted: ScriptedServer, open_registry: Open, answer: Scripted
) -> None:
    scripted.on("GET", PATH, answer)
    assert await open_registry(scripted).referrers("x", SUBJECT) is None


@pytest.mark.parametrize("following", [PATH, "https://elsewhere.example/v2/x"])
async def test_a_list_that_never_ends_or_leads_away_is_an_error(
    scripted: ScriptedServer, open_registry: Open, following: str
) -> None:
    """A part of it would hide what was said of a version."""
    scripted.on("GET", PATH, page("a", following=following))
    with pytest.raises(UnavailableError, match="does not list all"):
        await open_registry(scripted).referrers("x", SUBJECT)

"""Places with channels: a repository of three versions in every kind of registry."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rolldeck.actions import Workspace
from rolldeck.actions.channel import open_records
from rolldeck.oci import Digest, Place, Reference
from rolldeck.progress import Progress
from rolldeck.release.channel import ChannelVerb, Entry, Journal, Recorded, Records, make_move
from rolldeck.settings import Settings
from rolldeck.store import Library
from tests.made_kits import MadeLayout
from tests.servers.guarding_proxy import GuardingProxy, guarding_proxy
from tests.servers.registry import RunningRegistry, push_layout

LETTERS = "abc"


async def no_wait(seconds: float) -> None:
    """Sleep not at all."""


@dataclass
class Site:
    """A repository with the versions v1.0.0 (a), v1.0.1 (b) and v1.0.2 (c)."""

    reference: Reference
    versions: dict[str, Digest]
    home: Path
    proxy: GuardingProxy | None = None
    opened: list[Workspace] = field(default_factory=list)

    def workspace(self) -> Workspace:
        """A workspace of its own, as another process has."""
        return Workspace(Settings(library=self.home / "library"))

    @asynccontextmanager
    async def records(self) -> AsyncIterator[Records]:
        """Records that may be written."""
        workspace = self.workspace()
        try:
            yield open_records(workspace, self.reference, write=True)
        finally:
            await workspace.close()

    def letter(self, digest: Digest | None) -> str | None:
        """Which version a digest names."""
        return next((key for key, value in self.versions.items() if value == digest), None)


async def planned(
    records: Records,
    journal: Journal,
    to: Digest,
    verb: ChannelVerb = "promote",
    **more: Any,
) -> Entry:
    """The entry of a move to a version, as it follows on a journal."""
    manifest = await records.manifest(to)
    return Entry(
        channel=journal.channel,
        number=journal.next_number,
        verb=verb,
        from_digest=journal.live,
        version=manifest.descriptor,
        actor="mia",
        time=datetime.now(UTC),
        previous=journal.newest.digest if journal.newest else None,
        **more,
    )


async def move(records: Records, to: Digest, channel: str = "production") -> Recorded:
    """Plan and make a move at once."""
    journal = await records.journal(channel)
    entry = await planned(records, journal, to)
    return await make_move(records, entry, Progress(), sleep=no_wait)


@contextmanager
def site_in(
    kind: str, registry: RunningRegistry, home: Path, repository: str = "acme/fraud"
) -> Iterator[Site]:
    """Make a repository: in ``layout``, ``library``, ``docker``, or behind a ``guarded`` proxy.

    ``referrers`` is a proxy that lists referrers, ``once`` one that has tags that are written once.
    """
    made = MadeLayout(home / "made")
    versions = {}
    for number, letter in enumerate(LETTERS):
        layer = made.layer("model", {"m": letter.encode()})
        kitfile = {"manifestVersion": "1.0.0", "package": {"name": letter}, "model": {"path": "m"}}
        versions[letter] = made.kit(f"v1.0.{number}", kitfile, [layer])
    with ExitStack() as stack:
        if kind == "layout":
            yield Site(Reference.parse(f"oci:{made.root}"), versions, home)
            return
        if kind == "library":
            library = Library(home / "library")
            library.prepare()
            _into_library(made.root, library, repository)
            yield Site(Reference(Place.LIBRARY, "", repository), versions, home)
            return
        name = f"{repository}-{home.name.casefold().replace('_', '-').strip('-')}"
        push_layout(registry.url, made.root, name)
        if kind == "docker":
            yield Site(Reference(Place.REGISTRY, registry.host, name), versions, home)
            return
        proxy = stack.enter_context(guarding_proxy(registry.host))
        proxy.conditions = kind == "guarded"
        proxy.has_referrers = kind == "referrers"
        if kind == "once":
            import re

            proxy.write_once = re.compile(r".*\.g\d+")
        yield Site(Reference(Place.REGISTRY, proxy.host, name), versions, home, proxy)


def _into_library(layout: Path, library: Library, repository: str) -> None:
    index = json.loads((layout / "index.json").read_bytes())
    for item in index["manifests"]:
        name = item["annotations"]["org.opencontainers.image.ref.name"]
        item["annotations"]["org.opencontainers.image.ref.name"] = f"{repository}:{name}"
    (library.root / "index.json").write_text(json.dumps(index))
    shutil.copytree(layout / "blobs", library.root / "blobs", dirs_exist_ok=True)

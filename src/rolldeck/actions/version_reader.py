"""Reading the versions of a repository: what is wanted first, and as few requests as will do.

Of a tag that is new here its manifest is asked for, which tells digest, kind and size in one
request. Of a tag whose manifest the cache holds only the digest is asked for. Configs come last.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from rolldeck.actions.version_board import Board
from rolldeck.actions.version_facts import (
    RowFacts,
    facts_of_kit,
    facts_of_manifest,
    unreadable,
)
from rolldeck.actions.version_list import VersionList, VersionRow
from rolldeck.actions.version_queue import FIRST, Queue, Unfilled
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import DeniedError, NotFoundError, RolldeckError, UnavailableError
from rolldeck.facts import channel_tags, order_tags, sort_versions
from rolldeck.oci import Digest, LayoutRegistry, Listing, Manifest, Place, Reference
from rolldeck.store import Seen

AT_ONCE = 32
"""Requests in flight over 50 ms: 16 take twice as long; 64 save a third, which is not polite."""

_IN_VIEW_FOR = 0.05
"""Seconds for which an answer to "what is looked at" is used."""

_GIVE_UP = 16
"""Failures in a row after which the registry is not asked for the rest."""

_READ_HERE = 64 * 1024
"""Largest config read in the event loop, in bytes; larger ones are read in a thread."""

_WITHOUT_BREAK = 32
"""Versions of one config read before others get their turn in the event loop."""

_RECALLED = 100
"""Versions taken from the cache at a time, after the first screen."""

InView = Callable[[], Sequence[str] | None]
"""Returns the labels of the rows that someone looks at right now, None where that is not known."""


class VersionReader:
    """Reads one repository once; lives in one event loop."""

    def __init__(
        self,
        workspace: Workspace,
        repository: Reference,
        *,
        limit: int | None = None,
        in_view: InView | None = None,
    ) -> None:
        """``limit`` is how many of the newest versions are wanted, None for all."""
        self.changed = asyncio.Event()
        """Set when there is something new to show; cleared by who shows it."""
        self.board = Board(repository, ())
        self._workspace = workspace
        self._repository = repository
        self._scheme = workspace.settings.scheme(repository.name)
        self._registry = workspace.registry(repository)
        self._in_view = in_view
        self._looked_at_until = 0.0
        self._queue = Queue(limit)
        self._limit = limit
        self._listing: Listing | None = None
        self._referrers = 0
        self._channels: frozenset[str] = frozenset()
        self._seen: Seen | None = None
        self._reason: str | None = None
        self._order: list[int] | None = None
        self._manifests: set[Digest] = set()
        """Versions whose manifest is known."""
        self._unrecalled: set[Digest] = set()
        """Versions that the cache was not asked for yet."""
        self._running: set[asyncio.Task[None]] = set()
        self._idle: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answers = 0
        self._failures = 0
        self._gave_up: RolldeckError | None = None

    @property
    def begun(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.board.tags) or self._listing is not None

    def snapshot(self) -> VersionList:
        """Return the versions so far, newest first as far as that is known."""
        rows = self._rows()
        if self._order is not None:
            rows = [rows[index] for index in self._order]
        return VersionList(
            self._repository,
            tuple(rows if self._limit is None else rows[: self._limit]),
            self._listing is None or self._listing.complete,
            self._referrers,
            self._queue.unread,
            self._channels,
            self._seen.at if self._seen is not None and self._reason is not None else None,
            self._reason,
        )

    def _rows(self) -> list[VersionRow]:
        rows = self.board.rows()
        if self._limit is not None:
            rows = [row for row in rows if self._queue.wants(row.label)]
        return rows

    # The whole.

    async def run(self) -> None:
        """Read everything; raises the typed errors where there is nothing to show at all.

        Where the registry cannot be reached, what was seen last is the answer.
        """
        listing = asyncio.ensure_future(self._registry.tags(self._repository.repository))
        try:
            await self._show_remembered()
            try:
                self._listing = await listing
            except UnavailableError as error:
                if self._seen is None:
                    raise
                self._reason = error.message
                self._listing = Listing(tuple(self._seen.tags), self._seen.complete)
            else:
                await self._begin(self._listing)
            await self._drain()
            while self._gave_up is None and self._queue.widen(self.board):
                await self._drain()
            self._settle()
            await self._sort()
        finally:
            self._queue.stop()
            for task in (listing, *self._running):
                task.cancel()
            await asyncio.gather(listing, *self._running, return_exceptions=True)
            self._remember()

    async def _show_remembered(self) -> None:
        """Show what the tags named last time, until the registry answers."""
        if self._repository.place is not Place.REGISTRY:
            return
        self._seen = await asyncio.to_thread(self._workspace.cache.seen, self._repository.name)
        if self._seen is not None:
            self._referrers = self._seen.referrers
            await self._take(tuple(self._seen.tags))
            self._unrecalled = set(self.board.digests().values())
            self._start(self._recall())
            self.changed.set()

    async def _begin(self, listing: Listing) -> None:
        """Take the list of tags, each of which is asked for."""
        await self._take(listing.names)
        self._referrers = len(listing.names) - len(self.board.tags)
        self._channels = channel_tags(listing.names)
        for tag, digest in (await asyncio.to_thread(self._indexed)).items():
            if self._queue.wants(tag):
                self.board.name(tag, digest)
        self._queue.ask(self.board.tags)

    async def _take(self, names: Sequence[str]) -> None:
        tags, held = await asyncio.to_thread(self._ordered, names)
        self._queue.choose(tags)
        self.board = Board(self._repository, tags, held, self.board.facts)
        if self._seen is not None:
            for tag, digest in self._seen.tags.items():
                if self._queue.wants(tag):
                    self.board.remember(tag, digest)

    def _ordered(self, names: Sequence[str]) -> tuple[list[str], frozenset[Digest]]:
        entries = self._workspace.library.entries()
        return order_tags(names, self._scheme), frozenset(
            entry.descriptor.digest for entry in entries
        )

    def _indexed(self) -> dict[str, Digest]:
        """Return what the tags of a layout name: all of it stands in its index."""
        if not isinstance(self._registry, LayoutRegistry):
            return {}
        repository = self._repository.repository
        return {
            entry.tag: entry.descriptor.digest
            for entry in self._registry.entries()
            if entry.tag and entry.repository == repository
        }

    async def _sort(self) -> None:
        """Put the rows in their final order, which creation times may decide."""
        rows = self._rows()
        items = [(row.tags, row.created) for row in rows]
        self._order = await asyncio.to_thread(sort_versions, items, self._scheme)
        self.changed.set()

    def _settle(self) -> None:
        """Say of what was not asked for why that is so; raises where nothing was answered."""
        error = self._gave_up
        if error is None:
            return
        if isinstance(error, UnavailableError) and self._seen is not None:
            self._reason = error.message
        elif not self._answers:
            raise error
        for tag in self._queue.tags_left():
            if self.board.digest(tag) is None or self._reason is None:
                self.board.fail(tag, error.message)
        for version in self._queue.versions_left():
            self.board.describe(version.digest, unreadable(version.facts, error))

    def _remember(self) -> None:
        """Let the cache keep what the tags name."""
        if self._repository.place is not Place.REGISTRY or self._listing is None or self._reason:
            return
        known = self._seen.tags if self._seen is not None else {}
        tags = {tag: known[tag] for tag in self._listing.names if tag in known}
        tags |= self.board.digests()
        whole = self._order is not None or self._seen is None
        at = datetime.now(UTC) if whole or self._seen is None else self._seen.at
        seen = Seen(at, tags, self._listing.complete, self._referrers)
        self._workspace.cache.see(self._repository.name, seen)

    # One after the other, many at once.

    async def _drain(self) -> None:
        """Return once there is nothing more to do."""
        if self._idle.done():
            self._idle.result()
            self._idle = asyncio.get_running_loop().create_future()
        self._pump()
        # After the first requests went out: making the first snapshot of a long list takes longer.
        self.changed.set()
        await self._idle

    def _pump(self) -> None:
        """Start as much as may run at once."""
        while len(self._running) < AT_ONCE and (work := self._next()) is not None:
            self._start(work)
        if not self._running and not self._idle.done():
            self._idle.set_result(None)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self.changed.set()
            self._pump()
        elif not self._idle.done():
            self._idle.set_exception(error)

    def _next(self) -> Coroutine[Any, Any, None] | None:
        now = time.monotonic()
        if now >= self._looked_at_until:
            self._looked_at_until = now + _IN_VIEW_FOR
            self._queue.look_at(self._in_view() if self._in_view is not None else None)
        found = self._queue.next(self.board, self._unrecalled)
        if found is None:
            return None
        return self._ask(found) if isinstance(found, str) else self._fill(found)

    # Requests.

    async def _recall(self) -> None:
        """Take what the cache holds of the remembered versions, the newest first."""
        wanted = [self.board.digest(tag) for tag in self.board.tags]
        digests = list(dict.fromkeys(digest for digest in wanted if digest is not None))
        starts = [0, *range(FIRST, len(digests), _RECALLED), len(digests)]
        for start, end in pairwise(starts):
            part = digests[start:end]
            for manifest, facts in await asyncio.to_thread(self._recalled, part):
                self._learn(manifest, facts)
            self._unrecalled.difference_update(part)
            self.changed.set()
            self._pump()

    def _recalled(self, digests: Sequence[Digest]) -> list[tuple[Manifest, RowFacts]]:
        """Return what the cache tells of some versions; of those without config, what it can."""
        return [
            (
                manifest,
                facts_of_manifest(manifest)
                if config is None and manifest.config is not None
                else facts_of_kit(manifest, config),
            )
            for manifest, config in self._workspace.recall(digests)
        ]

    async def _ask(self, tag: str) -> None:
        """Ask what a tag names, and for its manifest where that is not known."""
        repository, known = self._repository.repository, self.board.digest(tag)
        try:
            if known is not None and known in self._manifests:
                digest = await self._registry.tagged_digest(repository, tag)
                if digest not in self._manifests:
                    manifest = await self._workspace.manifest(
                        self._repository.at(digest), may_be_cached=True
                    )
                    self._learn(manifest, facts_of_manifest(manifest))
            else:
                manifest = await self._registry.tagged_manifest(repository, tag)
                digest = manifest.digest
                self._workspace.keep(self._repository, digest, manifest.raw)
                self._learn(manifest, facts_of_manifest(manifest))
        except RolldeckError as error:
            self._fail(tag, error)
        else:
            self.board.name(tag, digest)
            self._count(None)

    def _fail(self, tag: str, error: RolldeckError) -> None:
        digest = self.board.digest(tag)
        if digest is not None and self._repository.place is not Place.REGISTRY:
            # The index of a layout says what the tag names, even where that cannot be read.
            self.board.describe(digest, unreadable(RowFacts(), error))
        elif isinstance(error, NotFoundError):
            self.board.drop(tag)  # deleted between the listing and now
        else:
            self.board.fail(tag, error.message)
            self._count(error)

    def _learn(self, manifest: Manifest, facts: RowFacts) -> None:
        """Take what a manifest tells; its config is read later, unless that was done."""
        digest = manifest.digest
        if digest in self._manifests:
            return
        self._manifests.add(digest)
        if manifest.config is None and not facts.loaded:
            facts = facts_of_kit(manifest, None)
        self.board.describe(digest, facts)
        if manifest.config is not None and not facts.loaded:
            self._queue.fill(
                Unfilled(digest, manifest.raw, manifest.media_type, manifest.config, facts)
            )

    async def _fill(self, versions: list[Unfilled]) -> None:
        """Read the config that these versions share; more of them may come meanwhile."""
        try:
            await self._read_config(versions)
        except RolldeckError as error:
            for version in versions:
                self.board.describe(version.digest, unreadable(version.facts, error))
            self._count(error)
        finally:
            self._queue.filled(versions[0].config.digest)

    async def _read_config(self, versions: list[Unfilled]) -> None:
        try:
            is_new = self._seen is None
            config = await self._workspace.small_blob(
                self._repository, versions[0].config, is_new=is_new
            )
        except NotFoundError:
            config = None  # an artifact's empty config need not be stored
        for number, version in enumerate(versions):
            if config is not None and len(config) > _READ_HERE:
                facts = await asyncio.to_thread(facts_of_kit, version.manifest(), config)
            else:
                facts = facts_of_kit(version.manifest(), config)
            self.board.describe(version.digest, facts)
            if number % _WITHOUT_BREAK == _WITHOUT_BREAK - 1:
                self.changed.set()
                await asyncio.sleep(0)

    def _count(self, error: RolldeckError | None) -> None:
        """Give up where a registry answers nothing but errors that are not about one version.

        A config that was read is no sign of life, since it may come from the cache.
        """
        if error is None:
            self._answers += 1
            self._failures = 0
        elif isinstance(error, UnavailableError | DeniedError):
            self._failures += 1
            if self._failures >= _GIVE_UP and self._gave_up is None:
                self._gave_up = error
                self._queue.stop()

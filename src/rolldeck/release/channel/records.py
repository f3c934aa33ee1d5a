"""The records of a repository: read from, and written to, a registry, a layout or the library.

Entries and holds stand under tags of their own. Verdicts are found through the referrers of their
version, and where a registry lists none under tags. An entry's manifest never changes, so the
cache knows most of a journal; only the newest entry is looked up, the rest follows by digest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import TypeVar

from rolldeck.errors import IntegrityError, NotFoundError, RefusedError
from rolldeck.facts import channel_tags
from rolldeck.oci import (
    Descriptor,
    Digest,
    Expect,
    LayoutRegistry,
    Manifest,
    Registry,
    RegistryWriter,
    TagMovedError,
)
from rolldeck.progress import Progress
from rolldeck.release.channel.conflict import LostRaceError
from rolldeck.release.channel.empty import empty_source
from rolldeck.release.channel.entry import ENTRY_TYPE, Entry, Recorded, read_entry
from rolldeck.release.channel.fallback import add_to_fallback
from rolldeck.release.channel.fields import PREFIX
from rolldeck.release.channel.journal import Journal, assemble
from rolldeck.release.channel.marks import (
    EMPTY_BLOB,
    VERDICT_TYPE,
    Hold,
    Verdict,
    read_hold,
    read_verdict,
)
from rolldeck.release.channel.tags import (
    RecordKind,
    entry_tag,
    hold_tag,
    keeper_tag,
    parse_record_tag,
    verdict_prefix,
    verdict_tag,
)
from rolldeck.units import short_digest

Recall = Callable[[Digest], Awaitable[Manifest | None]]
"""Returns a manifest that was seen before; None where nobody remembers it."""
Keep = Callable[[Manifest], None]
"""Remembers a manifest."""

_AT_ONCE = 16
"""Records fetched at once."""

_T = TypeVar("_T")


async def _nothing(digest: Digest) -> Manifest | None:
    return None


class Records:
    """The channels of one repository; lives in one event loop.

    Tags are listed once and again by ``journal``. Without a writer the writing methods raise
    RefusedError. All raise the typed errors of the registry.
    """

    def __init__(
        self,
        registry: Registry,
        repository: str,
        *,
        name: str,
        writer: RegistryWriter | None = None,
        recall: Recall = _nothing,
        keep: Keep = lambda manifest: None,
    ) -> None:
        """``name`` is what messages call the repository, as a user would type it."""
        self.name = name
        self.repository = repository
        self._registry = registry
        self._writer = writer
        self._recall = recall
        self._keep = keep
        self._tags: frozenset[str] | None = None
        self._complete = True
        self._referring: dict[Digest, tuple[Descriptor, ...]] = {}
        self._has_referrers = True
        self._gate = asyncio.Semaphore(_AT_ONCE)

    @property
    def writer(self) -> RegistryWriter:
        """What writes here; raises RefusedError where nothing is written."""
        if self._writer is None:
            raise RefusedError(f"{self.name} is only read here", reference=self.name)
        return self._writer

    def reference(self, channel: str) -> str:
        """Return a channel as a user would type it."""
        return f"{self.name}:{channel}"

    # What is there.

    async def tags(self, *, fresh: bool = False) -> frozenset[str]:
        """Return the tags of the repository; raises NotFoundError where there is none."""
        if self._tags is None or fresh:
            listing = await self._registry.tags(self.repository)
            self._tags, self._complete = frozenset(listing.names), listing.complete
        return self._tags

    async def channels(self) -> tuple[str, ...]:
        """Return the names of the channels: tags with entries, and words that move."""
        return tuple(sorted(channel_tags(await self.tags())))

    async def point(self, tag: str) -> Digest | None:
        """Return what a tag names at this moment; None where there is no such tag."""
        try:
            return await self._registry.tagged_digest(self.repository, tag)
        except NotFoundError:
            return None

    async def manifest(self, digest: Digest) -> Manifest:
        """Return a manifest by digest, from the cache where that has it."""
        known = await self._recall(digest)
        if known is not None:
            return known
        found = await self._registry.manifest(self.repository, digest)
        self._keep(found)
        return found

    async def journal(self, channel: str, limit: int | None = 50) -> Journal:
        """Read the newest entries of a channel, at most ``limit``, and what it points at.

        Of a channel or a repository that is not there the journal is empty.
        """
        # Before the entries: a mover writes its entry first, so none of them can be missing.
        live = await self.point(channel)
        try:
            tags = await self.tags(fresh=True)
        except NotFoundError:
            tags = frozenset()
        return await self._journal(channel, live, tags, limit)

    async def glance(self, channel: str) -> Journal:
        """Read what a channel points at and who moved it there, in as few requests as will do.

        Tags are not listed again, and nobody looks for forks.
        """
        tags = await self.tags()
        found = await self._journal(channel, await self.point(channel), tags, 2, rivals=False)
        # It may have moved since the tags were listed.
        return await self.journal(channel, 2) if found.drift else found

    async def _journal(
        self,
        channel: str,
        live: Digest | None,
        tags: frozenset[str],
        limit: int | None,
        *,
        rivals: bool = True,
    ) -> Journal:
        numbers = _numbers(tags, channel, "entry")
        if not self._complete:
            numbers |= await self._unlisted(channel, max(numbers, default=0))
        newest = sorted(numbers, reverse=True)
        wanted = newest if limit is None else newest[:limit]
        recorded = await self._entries(channel, wanted)
        return assemble(
            channel,
            live,
            recorded,
            more=len(newest) > len(wanted),
            rivals=await self._rivals(channel, recorded, live) if rivals else (),
            made=_numbers(tags, channel, "keeper"),
            unreadable=set(wanted) - {item.entry.number for item in recorded},
        )

    async def _unlisted(self, channel: str, number: int) -> set[int]:
        """Return the numbers after ``number`` that a list which was cut off does not show."""
        found = set()
        while await self.point(entry_tag(channel, number + 1)) is not None:
            number += 1
            found.add(number)
        return found

    async def _entries(self, channel: str, numbers: list[int]) -> list[Recorded]:
        """Read entries, newest first: by digest from the cache as far as that goes, then by tag."""
        found: list[Recorded] = []
        rest = list(numbers)
        if rest and (newest := await self.entry(channel, rest.pop(0))) is not None:
            found.append(newest)
        while found and rest and (known := await self._before(found[-1].entry, rest[0])):
            found.append(known)
            rest.pop(0)
        fetched = await self._all(self.entry(channel, number) for number in rest)
        return found + [item for item in fetched if item is not None]

    async def _before(self, entry: Entry, number: int) -> Recorded | None:
        """Return the entry before another, where the cache has it and it has that number."""
        known = await self._recall(entry.previous) if entry.previous else None
        if known is None:
            return None
        try:
            recorded = read_entry(known, entry_tag(entry.channel, number))
        except IntegrityError:
            return None
        same = (recorded.entry.channel, recorded.entry.number) == (entry.channel, number)
        return recorded if same else None

    async def entry(self, channel: str, number: int) -> Recorded | None:
        """Read one entry by its tag; None where there is none that can be read."""
        tag = entry_tag(channel, number)
        try:
            manifest = await self._registry.tagged_manifest(self.repository, tag)
            recorded = read_entry(manifest, self.reference(tag))
        except (NotFoundError, IntegrityError):
            return None
        self._keep(manifest)
        named = (recorded.entry.channel, recorded.entry.number)
        return recorded if named == (channel, number) else None

    async def _rivals(
        self, channel: str, recorded: list[Recorded], live: Digest | None
    ) -> list[Recorded]:
        """Return entries that no tag names: who wrote them had claimed a number, and lost it."""
        known = {item.digest for item in recorded}
        versions = dict.fromkeys(item.entry.to_digest for item in recorded)
        if recorded and live is not None:
            versions.setdefault(live)
        listed = await self._all_referrers(versions)
        others = {
            item.digest
            for items in listed
            for item in items
            if item.artifact_type == ENTRY_TYPE
            and item.digest not in known
            and item.annotations.get(f"{PREFIX}channel", channel) == channel
        }
        found = await self._all(self._entry_at(digest) for digest in sorted(others))
        return [item for item in found if item is not None]

    async def _entry_at(self, digest: Digest) -> Recorded | None:
        try:
            return read_entry(await self.manifest(digest), f"{self.name}@{short_digest(digest)}")
        except (NotFoundError, IntegrityError):
            return None

    async def _all_referrers(self, versions: Iterable[Digest]) -> list[tuple[Descriptor, ...]]:
        """Return what refers to each version; the first one tells whether to ask for the rest."""
        wanted = list(versions)
        first = [await self._referrers(version) for version in wanted[:1]]
        return first + await self._all(self._referrers(version) for version in wanted[1:])

    async def _referrers(self, version: Digest) -> tuple[Descriptor, ...]:
        """Return what refers to a version, asked once; nothing where the registry lists none."""
        if version not in self._referring and self._has_referrers:
            found = await self._registry.referrers(self.repository, version)
            self._has_referrers = self._has_referrers and found is not None
            self._referring[version] = found or ()
        return self._referring.get(version, ())

    # Marks.

    async def hold(self, channel: str) -> Hold | None:
        """Return the hold of a channel, released or not; raises IntegrityError for a false one."""
        tag = hold_tag(channel)
        try:
            manifest = await self._registry.tagged_manifest(self.repository, tag)
        except NotFoundError:
            return None
        hold = read_hold(manifest, self.reference(tag))
        if hold.channel != channel:
            raise IntegrityError(
                f"{self.reference(tag)} is the hold of another channel",
                reference=self.reference(tag),
            )
        return hold

    async def verdicts(self, versions: Iterable[Digest]) -> Mapping[Digest, tuple[Verdict, ...]]:
        """Return what was said of some versions; of most there is nothing."""
        wanted = list(dict.fromkeys(versions))
        tags = await self.tags()
        await self._all_referrers(wanted)
        found = await self._all(self._verdicts(version, tags) for version in wanted)
        return dict(zip(wanted, found, strict=True))

    async def _verdicts(self, version: Digest, tags: frozenset[str]) -> tuple[Verdict, ...]:
        said: dict[str, Verdict] = {}
        listed = [i for i in await self._referrers(version) if i.artifact_type == VERDICT_TYPE]
        for item in listed:
            verdict = await self._listed_verdict(item, version)
            if verdict is not None:
                said[verdict.nonce] = verdict
        prefix = verdict_prefix(version)
        for tag in sorted(name for name in tags if name.startswith(prefix)):
            with suppress(NotFoundError, IntegrityError):
                manifest = await self._registry.tagged_manifest(self.repository, tag)
                verdict = _read_verdict(manifest, version, self.reference(tag))
                said.setdefault(verdict.nonce, verdict)
        return tuple(sorted(said.values(), key=lambda item: (item.time, item.nonce)))

    async def _listed_verdict(self, item: Descriptor, version: Digest) -> Verdict | None:
        """Read a verdict that a list of referrers names; None where it is none on that version."""
        # Only the manifest names its subject whole; once seen, the cache has it.
        with suppress(NotFoundError, IntegrityError):
            return _read_verdict(await self.manifest(item.digest), version, self.name)
        return None

    async def _all(self, calls: Iterable[Awaitable[_T]]) -> list[_T]:
        async def gated(call: Awaitable[_T]) -> _T:
            async with self._gate:
                return await call

        return list(await asyncio.gather(*(gated(call) for call in calls)))

    # Writing.

    async def claim(self, entry: Entry) -> Recorded:
        """Write the entry of the next generation; what stands there already stays.

        Raises LostRaceError where somebody else has that number.
        """
        tag = entry_tag(entry.channel, entry.number)
        manifest = entry.to_manifest()
        if await self.point(tag) is not None:
            raise await self._lost(entry)
        # By digest first: where the tag is lost, this one can still be found.
        await self.writer.push_manifest(self.repository, manifest, named_by_index=True)
        # Taken by somebody else, or by this very request, whose first answer was lost.
        with suppress(TagMovedError):
            await self.writer.push_manifest(self.repository, manifest, [tag], expect=Expect(None))
        if await self.point(tag) != manifest.digest:
            raise await self._lost(entry)
        self._tags = None
        self._keep(manifest)
        return Recorded(entry, manifest.digest)

    async def _lost(self, entry: Entry) -> LostRaceError:
        winner = await self.entry(entry.channel, entry.number)
        return LostRaceError(self.reference(entry.channel), entry, winner)

    async def keep_version(self, channel: str, number: int, version: Manifest) -> None:
        """Write the keeper of a generation: its move was made, and its version shall stay."""
        tag = keeper_tag(channel, number)
        with suppress(TagMovedError):  # somebody else kept it
            await self.writer.push_manifest(self.repository, version, [tag], expect=Expect(None))
        self._tags = None

    async def write_verdict(self, verdict: Verdict) -> Digest:
        """Attach a verdict to its version, where every user of the registry finds it."""
        manifest = verdict.to_manifest()
        version = verdict.version.digest
        await self._push_empty()
        listed = await self._registry.referrers(self.repository, version)
        if listed is not None:
            await self.writer.push_manifest(self.repository, manifest)
        else:
            tag = verdict_tag(version, manifest.digest.partition(":")[2][:16])
            await self.writer.push_manifest(self.repository, manifest, [tag])
            if not isinstance(self._registry, LayoutRegistry):
                await add_to_fallback(self._registry, self.writer, self.repository, manifest)
        self._tags = None
        self._referring.pop(version, None)
        return manifest.digest

    async def write_hold(self, hold: Hold) -> Digest:
        """Write the hold of a channel in place of the one before, or its release."""
        manifest = hold.to_manifest()
        await self._push_empty()
        await self.writer.push_manifest(self.repository, manifest, [hold_tag(hold.channel)])
        self._tags = None
        return manifest.digest

    async def _push_empty(self) -> None:
        await self.writer.push_blob(self.repository, EMPTY_BLOB, empty_source(), Progress())


def _numbers(tags: Iterable[str], channel: str, kind: RecordKind) -> set[int]:
    records = (parse_record_tag(tag) for tag in tags if tag.startswith(f"{channel}."))
    return {
        item.number for item in records if item and (item.kind, item.channel) == (kind, channel)
    }


def _read_verdict(manifest: Manifest, version: Digest, place: str) -> Verdict:
    """Read a verdict on a version; raises IntegrityError where it is none."""
    if manifest.artifact_type != VERDICT_TYPE or manifest.subject is None:
        raise IntegrityError(f"{place} is not the record of a verdict", reference=place)
    if manifest.subject.digest != version:
        raise IntegrityError(f"{place} is on another version", reference=place)
    return read_verdict(manifest.annotations, manifest.subject, place)

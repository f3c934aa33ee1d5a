"""Channels as verbs see them: what is live, the journal, the hold, what was said of versions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from rolldeck.actions.lease import adding
from rolldeck.actions.workspace import Workspace
from rolldeck.actions.writers import writer_of
from rolldeck.errors import NotFoundError, UsageError
from rolldeck.facts import version_label
from rolldeck.oci import Digest, LayoutRegistry, Manifest, Place, Reference
from rolldeck.release.channel import (
    Hold,
    Journal,
    Records,
    Verdict,
    hold_tag,
    require_channel,
)
from rolldeck.release.channel.outbox import Unpublished, read_outbox


@dataclass(frozen=True)
class Channel:
    """A channel as it was read: ``name`` is its tag, ``live`` what it points at.

    ``labels`` are what people call the versions of the journal, by digest. ``unpublished`` are the
    rollbacks that only this host knows of, void ones included.
    """

    reference: Reference
    name: str
    live: Digest | None
    journal: Journal
    hold: Hold | None
    verdicts: Mapping[Digest, tuple[Verdict, ...]]
    labels: Mapping[Digest, str]
    unpublished: tuple[Unpublished, ...] = ()


def open_records(workspace: Workspace, reference: Reference, *, write: bool = False) -> Records:
    """Return the records of a reference's repository, which use the cache.

    Who writes to the library wants ``recording`` instead. Raises UsageError where nothing can be
    written, RefusedError where changing verbs were taken away.
    """
    if write:
        workspace.require_writable("recording")
    repository = replace(reference, tag=None, digest=None)

    async def recall(digest: Digest) -> Manifest | None:
        if reference.place is not Place.REGISTRY:
            return None
        found = await asyncio.to_thread(workspace.recall, [digest])
        return found[0][0] if found else None

    return Records(
        workspace.registry(repository),
        repository.repository,
        name=repository.name,
        writer=writer_of(workspace, repository) if write else None,
        recall=recall,
        keep=lambda manifest: workspace.keep(repository, manifest.digest, manifest.raw),
    )


@asynccontextmanager
async def recording(
    workspace: Workspace, verb: str, reference: Reference
) -> AsyncIterator[Records]:
    """Give the records of a repository to a verb that writes them.

    In the library nothing is collected meanwhile.
    """
    workspace.require_writable(verb)
    records = open_records(workspace, reference, write=True)
    if reference.place is Place.LIBRARY:
        async with adding(workspace, verb, str(reference), None):
            yield records
    else:
        yield records


async def load_channel(
    workspace: Workspace, reference: Reference, *, limit: int | None = 50
) -> Channel:
    """Read a channel with its newest ``limit`` generations, all of them where that is None.

    Raises UsageError where the reference names no channel, NotFoundError where it is not there.
    """
    name = channel_name(reference)
    records = open_records(workspace, reference)
    journal, hold = await asyncio.gather(records.journal(name, limit), records.hold(name))
    if journal.live is None and journal.next_number == 1:
        raise NotFoundError(
            f"No such channel: {reference}",
            reference=str(reference),
            hint=f"The channels there: rolldeck channels {reference.name}",
        )
    entries = [item.entry for item in (*journal.recorded, *journal.rivals)]
    named = [digest for entry in entries for digest in (entry.to_digest, entry.from_digest)]
    digests = [digest for digest in (journal.live, *named) if digest is not None]
    verdicts = await records.verdicts(digests)
    known = await asyncio.to_thread(known_labels, workspace, reference)
    labels = known | recorded_labels(journal)
    waiting = await asyncio.to_thread(read_outbox, str(reference))
    return Channel(reference, name, journal.live, journal, hold, verdicts, labels, waiting)


async def load_channels(workspace: Workspace, repository: Reference) -> tuple[Channel, ...]:
    """Read what the channels of a repository point at, and who moved them there.

    Their journals hold the newest generations only, and no verdicts. Raises NotFoundError where
    there is no such repository.
    """
    records = open_records(workspace, repository)
    names = await records.channels()
    tags = await records.tags()
    known = await asyncio.to_thread(known_labels, workspace, repository)
    outbox = await asyncio.to_thread(read_outbox)

    async def load(name: str) -> Channel:
        journal, hold = await asyncio.gather(
            records.glance(name),
            records.hold(name) if hold_tag(name) in tags else _no_hold(),
        )
        labels = known | recorded_labels(journal)
        reference = repository.tagged(name)
        waiting = tuple(item for item in outbox if item.channel == str(reference))
        return Channel(reference, name, journal.live, journal, hold, {}, labels, waiting)

    return tuple(await asyncio.gather(*(load(name) for name in names)))


def channel_name(reference: Reference) -> str:
    """Return the channel that a reference names; raises UsageError where it names none."""
    if reference.digest is not None or reference.tag is None:
        raise UsageError(
            f"{reference} names no channel",
            reference=str(reference),
            hint=f"A channel is a movable tag, such as {reference.name}:production",
        )
    return require_channel(reference.tag)


async def _no_hold() -> None:
    return None


def recorded_labels(journal: Journal) -> dict[Digest, str]:
    """Return what versions were called when they were moved; the newest move decides."""
    labels: dict[Digest, str] = {}
    for recorded in reversed(journal.recorded):
        entry = recorded.entry
        if entry.from_digest is not None and entry.from_label:
            labels[entry.from_digest] = entry.from_label
        if entry.to_label:
            labels[entry.to_digest] = entry.to_label
    return labels


def known_labels(workspace: Workspace, reference: Reference) -> dict[Digest, str]:
    """Return what versions are called as far as this disk knows. Blocks; meant for a thread."""
    tags: dict[Digest, list[str]] = {}
    registry = workspace.registry(reference)
    if isinstance(registry, LayoutRegistry):
        with suppress(NotFoundError):
            for entry in registry.entries():
                if entry.tag and entry.repository == reference.repository:
                    tags.setdefault(entry.descriptor.digest, []).append(entry.tag)
    else:
        seen = workspace.cache.seen(reference.name)
        for tag, digest in seen.tags.items() if seen is not None else ():
            tags.setdefault(digest, []).append(tag)
    labels = {digest: version_label(names)[0] for digest, names in tags.items()}
    return {digest: label for digest, label in labels.items() if label}

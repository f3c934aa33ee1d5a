"""Channels as verbs see them: what is live, the journal, the hold, what was said of versions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from rolldeck.actions.lease import adding
from rolldeck.actions.workspace import Workspace
from rolldeck.actions.writers import writer_of
from rolldeck.oci import Digest, Manifest, Place, Reference
from rolldeck.release.channel import (
    Hold,
    Journal,
    Records,
    Verdict,
)


@dataclass(frozen=True)
class Channel:
    """A channel as it was read: ``name`` is its tag, ``live`` what it points at.

    ``labels`` are what people call the versions of the journal, by digest.
    """

    reference: Reference
    name: str
    live: Digest | None
    journal: Journal
    hold: Hold | None
    verdicts: Mapping[Digest, tuple[Verdict, ...]]
    labels: Mapping[Digest, str]


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

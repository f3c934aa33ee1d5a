"""The versions of a repository, newest first, one row per digest."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError, RolldeckError
from rolldeck.facts import Facts, collect, is_referrer_tag, sort_versions, version_label
from rolldeck.kit import Kit, read_kit
from rolldeck.oci import Digest, Place, Reference
from rolldeck.text import clean_line

_AT_ONCE = 16
"""Requests in flight: more gain nothing against a registry (measured), fewer wait."""

_BATCH = 32
"""Rows filled between two snapshots: about one screen."""


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version: ``label`` is its main tag, ``badges`` are the other tags of the same digest.

    Until ``loaded`` only names and digest are known. ``problem`` says why a row cannot be read.
    """

    reference: Reference
    label: str
    badges: tuple[str, ...]
    tags: tuple[str, ...]
    digest: Digest
    kind: str = ""
    size: int | None = None
    created: datetime | None = None
    name: str | None = None
    version: str | None = None
    local: bool = False
    metrics: Mapping[str, float] = field(default_factory=dict)
    loaded: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class VersionList:
    """The versions of a repository so far; ``referrers`` counts tags that are folded away."""

    repository: Reference
    rows: tuple[VersionRow, ...]
    complete: bool
    referrers: int

    @property
    def loaded(self) -> int:
        """How many rows are filled."""
        return sum(row.loaded for row in self.rows)


async def list_versions(workspace: Workspace, repository: Reference) -> VersionList:
    """Return all versions of a repository, every row filled."""
    return [found async for found in watch_versions(workspace, repository)][-1]


async def watch_versions(workspace: Workspace, repository: Reference) -> AsyncIterator[VersionList]:
    """Yield the versions of a repository, first by name only, then as their rows fill.

    Raises NotFoundError where there is no such repository.
    """
    repository = replace(repository, tag=None, digest=None)
    if repository.place is Place.LIBRARY and not workspace.library.exists:
        raise NotFoundError(
            f"The library is empty, so there is no {repository}",
            reference=str(repository),
            hint="rolldeck demo fills a library to play with; rolldeck pull fetches a version.",
        )
    listing = await workspace.registry(repository).tags(repository.repository)
    tags = [tag for tag in listing.names if not is_referrer_tag(tag)]
    resolved = await _resolve_all(workspace, repository, tags)
    rows = _rows(workspace, repository, resolved)
    referrers = len(listing.names) - len(tags)
    yield VersionList(repository, tuple(rows), listing.complete, referrers)
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        rows[start : start + _BATCH] = await asyncio.gather(
            *(_fill(workspace, row) for row in batch)
        )
        order = sort_versions([(row.tags, row.created) for row in rows])
        ordered = tuple(rows[index] for index in order)
        yield VersionList(repository, ordered, listing.complete, referrers)


async def _resolve_all(
    workspace: Workspace, repository: Reference, tags: list[str]
) -> dict[str, Digest]:
    gate = asyncio.Semaphore(_AT_ONCE)
    registry = workspace.registry(repository)

    async def one(tag: str) -> Digest | None:
        async with gate:
            try:
                return (await registry.resolve(repository.repository, tag)).digest
            except NotFoundError:
                return None  # deleted between the listing and now

    digests = await asyncio.gather(*(one(tag) for tag in tags))
    return {tag: digest for tag, digest in zip(tags, digests, strict=True) if digest}


def _rows(
    workspace: Workspace, repository: Reference, resolved: dict[str, Digest]
) -> list[VersionRow]:
    tags_of: dict[Digest, list[str]] = {}
    for tag, digest in resolved.items():
        tags_of.setdefault(digest, []).append(tag)
    held = {entry.descriptor.digest for entry in workspace.library.entries()}
    rows = []
    for digest, tags in tags_of.items():
        label, badges = version_label(tags)
        reference = replace(repository, tag=label, digest=digest)
        rows.append(
            VersionRow(reference, label, tuple(badges), tuple(tags), digest, local=digest in held)
        )
    return [rows[index] for index in sort_versions([(row.tags, None) for row in rows])]


async def _fill(workspace: Workspace, row: VersionRow) -> VersionRow:
    try:
        kit = await load_kit(workspace, row.reference)
    except RolldeckError as error:
        return replace(row, loaded=True, problem=error.message)
    package = kit.package
    facts = collect(kit, {})
    return replace(
        row,
        kind=kit.kind,
        size=kit.size,
        created=kit.created,
        name=_line(package.get("name")),
        version=_line(package.get("version")),
        metrics=_headline(facts),
        loaded=True,
    )


def _headline(facts: Facts) -> dict[str, float]:
    """Return the metrics by name, with slice and data set only where a name occurs twice."""
    count = Counter(item.name for item in facts.metrics)
    return {
        item.name if count[item.name] == 1 else item.key: item.value
        for item in facts.metrics
        if item.value is not None
    }


def _line(value: object) -> str | None:
    return clean_line(value, 200) if isinstance(value, str) and value else None


async def load_kit(workspace: Workspace, reference: Reference) -> Kit:
    """Read what stands under a resolved reference: manifest and config, no layer."""
    manifest = await workspace.manifest(reference)
    config = None
    if manifest.config is not None:
        try:
            config = await workspace.small_blob(reference, manifest.config)
        except NotFoundError:
            config = None  # an artifact's empty config need not be stored
    return read_kit(manifest, config)

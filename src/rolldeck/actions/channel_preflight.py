"""What is read before a channel moves: blobs, signature, and how two versions differ."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rolldeck.actions.fit_check import fits_check
from rolldeck.actions.graph import Graph, read_graph
from rolldeck.actions.guardrail_check import guardrail_checks
from rolldeck.actions.workspace import Workspace
from rolldeck.actions.writers import writer_of
from rolldeck.errors import NotFoundError, RolldeckError
from rolldeck.oci import Descriptor, Digest, Place, Reference
from rolldeck.release import Check
from rolldeck.release.channel import SETTLE, Standing
from rolldeck.release.channel.preflight import contract_check, missing_text, signature_check

if TYPE_CHECKING:
    from rolldeck.compare import Comparison

_SIGNATURES = (
    "application/vnd.dev.cosign.",
    "application/vnd.dev.sigstore.bundle",
    "application/vnd.cncf.notary.signature",
)
"""How the artifact types of signatures begin."""

_REQUESTS = 25
"""Requests of a move and its marks, about."""

_PATIENCE = 5.0
"""Seconds that going back waits for a comparison: it informs, and nobody should wait for it."""


@dataclass(frozen=True, slots=True)
class Stock:
    """What a repository has of a version, and how many bytes of it this host lacks."""

    graph: Graph
    missing: tuple[Digest, ...]
    to_pull: int

    @property
    def blobs(self) -> int:
        """How many blobs the version has."""
        return len(self.graph.blobs)

    @property
    def version(self) -> Descriptor:
        """The descriptor of its manifest."""
        return self.graph.root.descriptor


async def take_stock(workspace: Workspace, reference: Reference) -> Stock:
    """Ask for every blob of a version; raises NotFoundError where its manifest is gone."""
    graph = await read_graph(workspace, reference)
    gate = asyncio.Semaphore(workspace.settings.concurrency)
    writer = writer_of(workspace, reference)

    async def is_missing(blob: Descriptor) -> bool:
        async with gate:
            return not await writer.has_blob(reference.repository, blob)

    def lacking() -> tuple[Descriptor, ...]:
        # Imported here: it reads the records of targets, which few versions need.
        from rolldeck.release.stand_in import has_stand_in

        absent = [blob for blob in graph.blobs if not workspace.library.has(blob)]
        return tuple(blob for blob in absent if not has_stand_in(blob.digest))

    lacks = await asyncio.to_thread(lacking)
    if reference.place is Place.LIBRARY:
        missing = lacks  # a release may stand in for a blob that the library has no file of
    else:
        absent = await asyncio.gather(*(is_missing(blob) for blob in graph.blobs))
        missing = tuple(blob for blob, gone in zip(graph.blobs, absent, strict=True) if gone)
    return Stock(graph, tuple(blob.digest for blob in missing), sum(blob.size for blob in lacks))


async def standing(workspace: Workspace, reference: Reference) -> tuple[Standing, Stock | None]:
    """Say whether a version can be gone back to, and what there is of it."""
    try:
        stock = await take_stock(workspace, reference)
    except NotFoundError:
        return Standing(False, missing="its manifest is gone from the registry"), None
    except RolldeckError as error:
        return Standing(None, missing=f"could not be read: {error.message}"), None
    if stock.missing:
        return Standing(False, missing=missing_text(stock.blobs, stock.missing)), stock
    fits = await fits_check(workspace, reference)
    return Standing(True, fits.ok, misfit=fits.detail), stock


async def find_signature(workspace: Workspace, reference: Reference) -> Check:
    """Look for a signature of a version: among its referrers, and under the tag that cosign uses.

    Nobody checks it here.
    """
    assert reference.digest is not None
    registry, repository = workspace.registry(reference), reference.repository
    try:
        referrers = await registry.referrers(repository, reference.digest)
        if any((item.artifact_type or "").startswith(_SIGNATURES) for item in referrers or ()):
            return signature_check(True)
        tag = f"{reference.digest.replace(':', '-')}.sig"
        await registry.tagged_digest(repository, tag)
    except NotFoundError:
        return signature_check(False)
    except RolldeckError:
        return signature_check(None)
    return signature_check(True)


async def compare_for(
    workspace: Workspace,
    repository: Reference,
    before: Digest | None,
    after: Digest,
    *,
    back: bool,
) -> tuple[tuple[Check, ...], str | None]:
    """Compare two versions of a repository: the contract, guardrails, and one line on the rest.

    Going ``back`` does not wait long for it and asks no guardrail.
    """
    if before is None or before == after:
        return (), None
    # Imported here: moves of what needs no comparison do not pay for it.
    from rolldeck.actions.diffing import diff

    plain = replace(repository, tag=None)
    try:
        async with asyncio.timeout(_PATIENCE if back else None):
            result = await diff(workspace, plain.at(before), plain.at(after))
    except TimeoutError:
        return (contract_check(None, f"not compared within {_PATIENCE:.0f} s"),), None
    except RolldeckError as error:
        return (contract_check(None, f"could not be compared: {error.message}"),), None
    comparison = result.comparison
    checks = [_contract(comparison)]
    if result.b.chain_problem:
        checks.append(Check("its model", None if back else False, result.b.chain_problem))
    if not back:
        checks += await guardrail_checks(workspace, comparison)
    return tuple(checks), comparison.summary


def _contract(comparison: Comparison) -> Check:
    rows = comparison.section("signature").rows
    if not rows:
        return contract_check(None, "neither version declares inputs and outputs")
    differing = [row for row in rows if row.status != "equal"]
    if differing and all(row.verdict == "unknown" for row in differing):
        return contract_check(None, f"not known: {differing[0].key} on one side only")
    return contract_check([f"{row.key} {row.status}" for row in differing])


async def move_seconds(workspace: Workspace, channel: Reference) -> float:
    """Return how long a move will take: its requests, one after the other, and the last look."""
    started = time.monotonic()
    await writer_of(workspace, channel).find_tag(channel.repository, channel.tag or "")
    trip = time.monotonic() - started
    settles = channel.place is Place.REGISTRY
    return _REQUESTS * trip + (SETTLE if settles else 0.0)

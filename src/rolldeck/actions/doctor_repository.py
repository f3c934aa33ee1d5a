"""What the doctor asks about one repository: what can be read, removed and pushed there.

Nothing is changed unless ``write`` is given, and then only what ``oci/probe.py`` says.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from rolldeck.actions.finding import Finding, failed
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import DeniedError, RolldeckError
from rolldeck.oci import Descriptor, Manifest, Reference, probe
from rolldeck.oci.http import HttpRegistry
from rolldeck.units import human_size


async def check_repository(
    workspace: Workspace, registry: HttpRegistry, place: Reference, name: str, *, write: bool
) -> AsyncIterator[Finding]:
    """Ask about one repository; ``name`` was found where ``place`` names none."""
    try:
        manifest, detail = await _some_manifest(workspace, place, name)
        yield Finding("repository", "tags", "ok", f"{place.root}/{name}: {detail}")
    except RolldeckError as error:
        meaning = "No version of this repository can be read."
        yield failed("repository", "tags", error, meaning)
        return
    if manifest is not None:
        yield await _ranges(registry, name, manifest)
        yield await _referrers(registry, name, manifest)
    async for finding in _changes(workspace, registry, place, name, manifest, write=write):
        yield finding


async def _some_manifest(
    workspace: Workspace, place: Reference, name: str
) -> tuple[Manifest | None, str]:
    """Return a manifest of a repository to ask about, and what was seen of its tags."""
    repository = Reference(place.place, place.root, name)
    tags = await workspace.registry(repository).tags(name)
    if not tags.names:
        return None, "no tags"
    chosen = place.tag or tags.names[0]
    resolved = await workspace.resolve(Reference(place.place, place.root, name, chosen))
    return await workspace.manifest(resolved), f"{len(tags.names)} tags"


async def _ranges(registry: HttpRegistry, name: str, manifest: Manifest) -> Finding:
    found = [manifest.config] if manifest.config else []
    blobs = sorted((blob for blob in [*found, *manifest.layers] if blob.size > 1), key=_size)
    if not blobs:
        detail = "not tried: this version has no blob"
        meaning = "Whether an interrupted pull goes on where it was is not known."
        return Finding("repository", "ranges", "unknown", detail, meaning)
    try:
        answer = await registry.ask(
            lambda transport, interrupt: probe.probe_ranges(transport, name, blobs[0], interrupt)
        )
    except RolldeckError as error:
        return failed("repository", "ranges", error, "Blobs of this version cannot be fetched.")
    from_there = f"; blobs come from {answer.elsewhere}" if answer.elsewhere else ""
    if answer.honoured:
        meaning = "An interrupted pull goes on where it was."
        detail = f"a part of a blob can be asked for{from_there}"
        return Finding("repository", "ranges", "ok", detail, meaning)
    return Finding(
        "repository",
        "ranges",
        "warn",
        f"a part of a blob cannot be asked for (answers {answer.status}){from_there}",
        "An interrupted pull begins each unfinished blob again.",
        "Pull large versions over a steady connection, or ask who runs the registry.",
    )


def _size(blob: Descriptor) -> int:
    return blob.size


async def _referrers(registry: HttpRegistry, name: str, manifest: Manifest) -> Finding:
    try:
        native = await registry.ask(
            lambda transport, interrupt: probe.has_referrers(
                transport, name, manifest.digest, interrupt
            )
        )
    except RolldeckError as error:
        return Finding("repository", "referrers", "unknown", error.message, "", error.hint or "")
    if native:
        meaning = "Signatures and records of a version are found by its digest."
        return Finding("repository", "referrers", "ok", "there is a referrers API", meaning)
    return Finding(
        "repository",
        "referrers",
        "warn",
        "there is no referrers API",
        "Signatures and records of a version stand under tags such as sha256-…, which other"
        " tools show among the versions.",
        "None needed; a registry of distribution-spec 1.1 has one.",
    )


async def _changes(
    workspace: Workspace,
    registry: HttpRegistry,
    place: Reference,
    name: str,
    manifest: Manifest | None,
    *,
    write: bool,
) -> AsyncIterator[Finding]:
    """Ask what may be changed: only in a repository that the user named."""
    if not place.repository or workspace.read_only:
        reason = "rolldeck runs read-only" if place.repository else "no repository was named"
        hint = "" if place.repository else f"rolldeck doctor {place.root}/REPOSITORY"
        meaning = "Whether versions can be removed and pushed is not known."
        yield Finding("repository", "changes", "unknown", f"not tried: {reason}", meaning, hint)
        return
    yield await _deletes(registry, name)
    if not write:
        yield Finding(
            "repository",
            "uploads",
            "unknown",
            "not tried",
            "Whether you may push, how large chunks must be and whether a PUT can be conditional"
            " is only known by beginning an upload.",
            f"rolldeck doctor --write {place.root}/{name}: it changes no version",
        )
        return
    async for finding in _uploads(registry, name, manifest):
        yield finding


async def _deletes(registry: HttpRegistry, name: str) -> Finding:
    try:
        allowed, status = await registry.ask(
            lambda transport, interrupt: probe.allows_deletes(transport, name, interrupt)
        )
    except RolldeckError as error:
        return Finding("repository", "deletes", "unknown", error.message, "", error.hint or "")
    if allowed:
        detail = "a manifest can be deleted (asked for one that does not exist)"
        return Finding("repository", "deletes", "ok", detail, "Versions can be removed for good.")
    if allowed is False:
        return Finding(
            "repository",
            "deletes",
            "warn",
            f"manifests cannot be deleted (answers {status})",
            "What was pushed stays, and so does the space it takes.",
            "Who runs the registry can allow it.",
        )
    return Finding(
        "repository",
        "deletes",
        "unknown",
        f"the registry does not say (answers {status})",
        "Probably this login may not delete.",
    )


async def _uploads(
    registry: HttpRegistry, name: str, manifest: Manifest | None
) -> AsyncIterator[Finding]:
    try:
        upload = await registry.ask(
            lambda transport, interrupt: probe.probe_uploads(transport, name, interrupt)
        )
    except RolldeckError as error:
        yield failed("repository", "uploads", error, "You cannot push to this repository.")
        return
    if not upload.begun:
        detail = f"an upload cannot be begun (answers {upload.status})"
        meaning = "You cannot push to this repository."
        hint = "Check that the login may push, and that the repository exists."
        yield Finding("repository", "uploads", "fail", detail, meaning, hint, DeniedError.code)
        return
    left = "" if upload.cancelled else "; it was not cancelled and ends by itself"
    yield Finding("repository", "uploads", "ok", f"an upload can be begun{left}", "You can push.")
    least = human_size(upload.least_chunk)
    yield Finding(
        "repository",
        "chunks",
        "ok",
        f"of at least {least}" if upload.least_chunk else "of any size",
        "A push that is cut goes on after the last whole chunk.",
    )
    conditional = None
    if manifest is not None:
        conditional = await registry.ask(
            lambda transport, interrupt: probe.honours_conditions(
                transport, name, manifest, interrupt
            )
        )
    yield _conditional(conditional)
    yield Finding(
        "repository",
        "several tags",
        "unknown",
        "not tried: it would leave a tag behind",
        "Tags are written one after the other.",
    )


def _conditional(honoured: bool | None) -> Finding:
    if honoured is None:
        return Finding(
            "repository", "conditional", "unknown", "the registry does not say", _TWO_WRITERS
        )
    if honoured:
        meaning = "Of two who write the same name at once, one is told."
        return Finding("repository", "conditional", "ok", "If-None-Match is honoured", meaning)
    return Finding(
        "repository",
        "conditional",
        "warn",
        "If-None-Match is ignored",
        _TWO_WRITERS,
        "A write-once rule for version tags and for *.g*, the entries of channels, where the"
        " registry offers one, keeps them safe.",
    )


_TWO_WRITERS = "Of two who write the same tag at once, the last one wins and nobody is told."

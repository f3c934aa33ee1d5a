"""Removing a version or a tag, after showing what else uses it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rolldeck.actions.targets import known_targets
from rolldeck.actions.uses import (
    listed,
    other_names,
    referrers_of,
    uses_of_channels,
    uses_of_layers,
    uses_of_targets,
)
from rolldeck.actions.versions import VersionRow, list_versions
from rolldeck.actions.workspace import Workspace
from rolldeck.actions.writers import writer_of
from rolldeck.errors import BusyError, NotFoundError, RefusedError, UsageError
from rolldeck.oci import Digest, Place, Reference
from rolldeck.release import Check
from rolldeck.units import short_digest

RemovalVerb = Literal["rm", "untag"]


@dataclass(frozen=True, slots=True)
class Removal:
    """A plan: the version is ``reference``, ``tags`` go and ``kept`` stay with it.

    ``checks`` say what else uses it; one that failed means that it is not removed.
    """

    verb: RemovalVerb
    reference: Reference
    digest: Digest
    tags: tuple[str, ...]
    kept: tuple[str, ...]
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against it."""
        return all(check.ok is not False for check in self.checks)


async def plan_rm(workspace: Workspace, reference: Reference, *, force: bool = False) -> Removal:
    """Plan to remove a version with all of its tags.

    What only ``force`` overrides: a local target that runs it or may go back to it, where its
    copy in the library would go, and an image index that names it. Raises UsageError where no
    version is named: nobody means the latest one by saying nothing.
    """
    workspace.require_writable("rm")
    if reference.tag is None and reference.digest is None:
        raise UsageError(
            f"{reference} names no version",
            reference=str(reference),
            hint="Write REPOSITORY:TAG or REPOSITORY@DIGEST.",
        )
    resolved = await workspace.resolve(reference)
    digest = resolved.digest
    assert digest is not None
    manifest = await workspace.manifest(resolved)
    rows, channels = await _rows(workspace, resolved)
    tags = _tags_of(rows, digest)
    others = [row for row in rows if row.digest != digest]
    checks = [
        *await uses_of_layers(workspace, manifest, others),
        *uses_of_targets(await known_targets(workspace), resolved, digest),
        *await referrers_of(workspace, resolved, digest),
        *other_names(workspace, resolved, digest),
        *uses_of_channels(channels, tags),
    ]
    return Removal("rm", resolved, digest, tags, (), _weighed(checks, force=force))


async def plan_untag(workspace: Workspace, reference: Reference, *, force: bool = False) -> Removal:
    """Plan to remove one tag; the version and its other tags stay."""
    workspace.require_writable("untag")
    if reference.tag is None:
        raise UsageError(
            f"{reference} names no tag",
            reference=str(reference),
            hint="Write REPOSITORY:TAG; rolldeck rm removes a version.",
        )
    resolved = await workspace.resolve(reference.tagged(reference.tag))
    digest = resolved.digest
    assert digest is not None
    if reference.digest not in (None, digest):
        raise BusyError(f"{resolved.tagged(reference.tag)} is {digest}", reference=str(reference))
    rows, channels = await _rows(workspace, resolved)
    kept = tuple(tag for tag in _tags_of(rows, digest) if tag != reference.tag)
    if kept:
        checks = [Check("other tags", True, f"{listed(kept)} stay{'s' * (len(kept) == 1)}")]
    else:
        checks = [Check("other tags", None, _LAST_TAG[resolved.place is Place.REGISTRY])]
        if resolved.place is Place.LIBRARY:
            checks += uses_of_targets(await known_targets(workspace), resolved, digest)
    checks += uses_of_channels(channels, (reference.tag,))
    return Removal("untag", resolved, digest, (reference.tag,), kept, _weighed(checks, force=force))


_LAST_TAG = {
    True: "none: only the digest finds the version then, until the registry cleans up",
    False: "none: the version goes with its last tag",
}


async def remove(workspace: Workspace, removal: Removal) -> None:
    """Carry out a removal as it was planned.

    Raises BusyError where a tag moved since, and RefusedError where a check failed or the registry
    does not offer it.
    """
    workspace.require_writable(removal.verb)
    failed = [check for check in removal.checks if check.ok is False]
    if failed:
        raise RefusedError(
            f"Not done: {failed[0].check}: {failed[0].detail}",
            reference=str(removal.reference),
            hint="--force removes it all the same.",
        )
    repository = removal.reference.repository
    writer = writer_of(workspace, removal.reference)
    for tag in removal.tags:
        now = await writer.find_tag(repository, tag)
        if now != removal.digest:
            named = removal.reference.tagged(tag)
            raise BusyError(
                f"{named} moved meanwhile: it is {short_digest(now) if now else 'gone'}",
                reference=str(named),
                hint="Nothing was removed. Look at it, then run the same command again.",
            )
    if removal.verb == "rm":
        await writer.delete_manifest(repository, removal.digest)
        return
    # Read before, since a registry may take "delete this tag" for "delete what it names".
    manifest = await workspace.manifest(removal.reference)
    await writer.delete_tag(repository, removal.tags[0])
    if removal.kept and await writer.find_tag(repository, removal.kept[0]) is None:
        await writer.push_manifest(repository, manifest, removal.kept)


async def _rows(
    workspace: Workspace, reference: Reference
) -> tuple[Sequence[VersionRow], frozenset[str]]:
    """Return the versions of a repository, and its channels."""
    try:
        found = await list_versions(workspace, reference)
    except NotFoundError:
        return (), frozenset()  # a repository without any tag
    return found.rows, found.channels


def _tags_of(rows: Iterable[VersionRow], digest: Digest) -> tuple[str, ...]:
    return next((tuple(sorted(row.tags)) for row in rows if row.digest == digest), ())


def _weighed(checks: Iterable[Check], *, force: bool) -> tuple[Check, ...]:
    return tuple(
        replace(check, ok=None) if force and check.ok is False else check for check in checks
    )

"""What else uses a version: channels, other versions, image indexes, local targets, other names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from rolldeck.actions.targets import TargetState
from rolldeck.actions.versions import VersionRow
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError, RolldeckError
from rolldeck.oci import Digest, Manifest, Place, Reference
from rolldeck.release import Check
from rolldeck.text import clean_line
from rolldeck.units import human_size


def listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return clean_line(", ".join(names[:4])) + more


async def uses_of_layers(
    workspace: Workspace, manifest: Manifest, others: Sequence[VersionRow]
) -> list[Check]:
    """Say which other versions of the repository share its layers or name it."""
    layers = {layer.digest: layer.size for layer in manifest.layers}
    shared: set[Digest] = set()
    sharing: list[str] = []
    naming: list[str] = []
    for row in others:
        try:
            other = await workspace.manifest(row.reference)
        except RolldeckError:
            continue  # what cannot be read cannot be said to use it
        common = layers.keys() & {layer.digest for layer in other.layers}
        if common:
            shared |= common
            sharing.append(row.label)
        if manifest.digest in {child.digest for child in other.manifests}:
            naming.append(row.label)
    alone = human_size(sum(size for digest, size in layers.items() if digest not in shared))
    if shared:
        words = f"{len(shared)} of {len(layers)} also in {listed(sharing)}; {alone} in no other"
    else:
        words = f"{len(layers)}, {alone}, in no other version here"
    checks = [Check("layers", True, words)]
    if naming:
        checks.append(Check("image index", False, f"{listed(naming)} names this version"))
    return checks


def uses_of_targets(
    targets: Iterable[TargetState], reference: Reference, digest: Digest
) -> list[Check]:
    """Say which local targets run a version, or can roll back to it."""
    current = [clean_line(str(item.path)) for item in targets if item.current == digest]
    earlier = [
        clean_line(str(item.path))
        for item in targets
        if item.current != digest and (digest == item.previous or digest in item.releases)
    ]
    # What a registry loses is still unpacked here; what the library loses may be the only copy.
    ok = False if reference.place is Place.LIBRARY else None
    checks = [Check("current", ok, f"in {listed(current)}")] if current else []
    return checks + ([Check("rollback point", ok, f"of {listed(earlier)}")] if earlier else [])


async def referrers_of(workspace: Workspace, reference: Reference, digest: Digest) -> list[Check]:
    """Say which signatures or attestations, kept under tags, would be left alone."""
    try:
        listing = await workspace.registry(reference).tags(reference.repository)
    except NotFoundError:
        return []
    name = digest.replace(":", "-")
    found = [tag for tag in listing.names if tag == name or tag.startswith(f"{name}.")]
    count = f"{len(found)} tag{'s' * (len(found) != 1)} of signatures or attestations"
    checks = [Check("referrers", None, f"{count} stay behind")] if found else []
    if not listing.complete:
        checks.append(Check("complete", None, "not all tags of the repository could be listed"))
    return checks


def uses_of_channels(channels: Collection[str], tags: Iterable[str]) -> list[Check]:
    """Say which channels are among the tags that go: whoever pulls by them gets nothing."""
    live = [tag for tag in tags if tag in channels]
    lost = "whoever pulls by it gets nothing" if len(live) == 1 else "whoever pulls gets nothing"
    return [Check("channel", None, f"{listed(live)}: {lost}")] if live else []


def other_names(workspace: Workspace, reference: Reference, digest: Digest) -> list[Check]:
    """Say where else in the library the same version has a name."""
    if reference.place is not Place.LIBRARY:
        return []
    names = [
        str(replace(reference, repository=entry.repository, tag=entry.tag, digest=None))
        for entry in workspace.library.entries()
        if entry.descriptor.digest == digest and entry.tag
        if entry.repository != reference.repository
    ]
    return [Check("elsewhere", True, f"{listed(names)} stays")] if names else []

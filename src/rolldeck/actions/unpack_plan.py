"""What unpacking would do to a directory, found out before anything is fetched or touched."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rolldeck.actions.file_search import LoadedVersion
from rolldeck.actions.kit import load_kit
from rolldeck.actions.layer_bytes import in_thread
from rolldeck.actions.materialize import require_kit
from rolldeck.actions.selection import load_wanted_chain, require_match
from rolldeck.actions.workspace import Workspace
from rolldeck.fsops import storage
from rolldeck.kit import (
    Destination,
    Filter,
    Found,
    Kit,
    Layer,
    LayerSurvey,
    MergeRules,
    Standing,
    is_occupied,
    survey_layer,
    with_chain,
)
from rolldeck.kit.destination import SAME_SIZE, has_digest
from rolldeck.kit.tree import TreeEntry
from rolldeck.kit.unpack import KITFILE_NAME
from rolldeck.oci import Digest, Reference
from rolldeck.progress import Progress
from rolldeck.text import clean_line

_AT_ONCE = 4
"""Layers looked into at the same time."""


@dataclass(frozen=True, slots=True)
class UnpackPlan:
    """What unpacking a version, or what ``filters`` take of it, would do to a directory.

    ``kit`` is the version with only that, and with what others lend it. ``found`` are its files
    and directories, sorted by path. ``settled`` are layers that are there already, all of them.
    ``unknown`` names layers whose files only fetching tells. ``occupied`` says whether files go
    into a directory in use.
    """

    reference: Reference
    kit: Kit
    directory: Path
    occupied: bool
    filters: tuple[Filter, ...]
    found: tuple[Found, ...]
    settled: frozenset[Digest] = frozenset()
    unknown: tuple[tuple[str, str], ...] = ()

    def files(self, standing: Standing) -> tuple[Found, ...]:
        """The files, and what is in the way of directories, that stand so."""
        return standing_so(self.found, standing)

    @property
    def bytes_to_write(self) -> int:
        """Bytes of the files that are not there yet."""
        return sum(x.entry.size for x in self.found if x.standing != "identical")

    def require(self, rules: MergeRules) -> None:
        """Raise UsageError, naming files, where the rules do not allow what is known to be needed.

        What is only known once it is fetched is looked at then.
        """
        rules.require([x for x in self.found if x.there != SAME_SIZE], self.directory)

    @property
    def is_done(self) -> bool:
        """Whether all of it is there already."""
        return not self.unknown and all(item.standing == "identical" for item in self.found)


def standing_so(found: Iterable[Found], standing: Standing) -> tuple[Found, ...]:
    """Return the files, and what is in the way of directories, that stand so."""
    return tuple(
        item
        for item in found
        if item.standing == standing and (item.entry.type == "file" or standing == "in the way")
    )


async def plan_unpack(
    workspace: Workspace,
    reference: Reference,
    directory: Path,
    progress: Progress,
    filters: tuple[Filter, ...] = (),
) -> UnpackPlan:
    """Hold a version against a directory, which may be new, empty or in use.

    Only files of the same size are compared; of large layers in a registry only headers are
    fetched. Nothing is written. Raises UsageError for what is no kit or no directory, NotFoundError
    where the filters take nothing, RefusedError for a layer that unpacking would refuse too, and
    the errors of ``load_chain`` and the place.
    """
    occupied = await asyncio.to_thread(is_occupied, directory)
    version = await _load(workspace, reference, filters)
    kit = version.kit
    layers = [layer for layer in kit.layers if layer.form != "unknown"]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def surveyed(layer: Layer) -> LayerSurvey:
        async with gate:
            source = version.bytes_of(workspace, layer, progress)
            near = source.is_local

            def survey() -> LayerSurvey:
                with storage(directory), Destination(directory if occupied else None) as goal:
                    return survey_layer(layer, source, goal, progress, is_near=near)

            return await in_thread(survey, progress)

    surveys = await asyncio.gather(*(surveyed(layer) for layer in layers))
    found = {item.entry.path: item for survey in surveys for item in survey.found}
    kitfile = await in_thread(lambda: _kitfile(kit, directory if occupied else None), progress)
    found |= {item.entry.path: item for item in kitfile}
    pairs = list(zip(layers, surveys, strict=True))
    open_layers = {layer.digest for layer, survey in pairs if not survey.is_settled}
    return UnpackPlan(
        version.reference,
        kit,
        directory,
        occupied,
        filters,
        tuple(found[path] for path in sorted(found)),
        frozenset(layer.digest for layer in layers) - open_layers,
        tuple(
            (clean_line(layer.path or layer.kind), survey.stopped)
            for layer, survey in pairs
            if survey.stopped
        ),
    )


async def _load(
    workspace: Workspace, reference: Reference, filters: tuple[Filter, ...]
) -> LoadedVersion:
    resolved = await workspace.resolve(reference)
    whole = await load_kit(workspace, resolved)
    require_kit(whole, resolved)
    kit = whole.filtered(filters)
    chain = await load_wanted_chain(workspace, resolved, whole, filters)
    require_match([kit, *(link.kit for link in chain)], resolved, whole)
    places = {layer.digest: link.reference for link in chain for layer in link.layers}
    return LoadedVersion(resolved, with_chain(kit, chain), places, None)


def _kitfile(kit: Kit, directory: Path | None) -> list[Found]:
    if not kit.brings_kitfile or kit.kitfile is None:
        return []
    # Imported here: its patterns take 12 ms.
    from rolldeck.kit.kitfile_yaml import kitfile_yaml

    text = kitfile_yaml(kit.kitfile)
    own = hashlib.sha256(text).hexdigest()
    entry = TreeEntry(KITFILE_NAME, "file", 0o644, len(text), own)
    with storage(directory), Destination(directory) as goal:
        return [goal.judge(entry, lambda fd: has_digest(fd, f"sha256:{own}", Progress()))]

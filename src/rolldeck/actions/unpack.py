"""Unpack: a version's files into a new directory, complete and verified or not at all."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from rolldeck.actions.damage import require_config, told_as_damage
from rolldeck.actions.lease import reading
from rolldeck.actions.pull import pull
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import UsageError
from rolldeck.oci import Descriptor, Digest, LayoutRegistry, Place, Reference
from rolldeck.progress import Progress

if TYPE_CHECKING:
    from rolldeck.kit import Kit, Tree


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What an unpack wrote; ``skipped`` holds (path, reason) of what was left out."""

    reference: Reference
    digest: Digest
    directory: Path
    files: int
    bytes: int
    skipped: tuple[tuple[str, str], ...]


async def unpack(
    workspace: Workspace, reference: Reference, directory: Path, progress: Progress
) -> Unpacked:
    """Unpack a version into ``directory``, which must be new or empty.

    A version that is in a registry is pulled into the library first.
    """
    workspace.require_writable("unpack")
    await asyncio.to_thread(_require_free, directory)
    resolved, tree = await materialize(workspace, reference, directory, progress)
    assert resolved.digest is not None
    return Unpacked(resolved, resolved.digest, directory, tree.files, tree.bytes, tree.skipped)


def _require_free(directory: Path) -> None:
    """Find a destination in use before anything is pulled for it."""
    is_free = not directory.is_symlink() and (
        not directory.exists() or (directory.is_dir() and not any(directory.iterdir()))
    )
    if not is_free:
        raise UsageError(
            f"{directory} is not empty",
            reference=str(directory),
            hint="Choose a new or an empty directory.",
        )


async def materialize(
    workspace: Workspace, reference: Reference, directory: Path, progress: Progress
) -> tuple[Reference, Tree]:
    """Write a version's files to ``directory``; returns the resolved reference and every file."""
    from rolldeck.actions.versions import load_kit
    from rolldeck.kit import unpack_kit

    resolved = await workspace.resolve(reference)
    async with reading(workspace, "unpack", resolved):
        if resolved.place is Place.LIBRARY:
            manifest = await workspace.manifest(resolved)
            with told_as_damage(workspace.library, resolved):
                require_config(workspace.library, manifest)
        kit = await load_kit(workspace, resolved)
        require_kit(kit, resolved)
        source = workspace.registry(resolved)
        if not isinstance(source, LayoutRegistry):
            await pull(workspace, resolved, progress)
            source = workspace.library.layout
        layout = source

        def open_blob(blob: Descriptor) -> BinaryIO:
            return cast(BinaryIO, layout.open_blob(blob.digest))

        progress.note = "unpacking"
        is_library = layout is workspace.library.layout
        with told_as_damage(workspace.library, resolved) if is_library else nullcontext():
            tree = await asyncio.to_thread(unpack_kit, kit, open_blob, directory, progress)
    return resolved, tree


def require_kit(kit: Kit, reference: Reference) -> None:
    """Raise UsageError for what cannot be unpacked."""
    if not kit.unpackable:
        raise UsageError(
            f"{reference} is no ModelKit or ModelPack but an {kit.kind}",
            reference=str(reference),
            hint="rolldeck show tells what it holds.",
        )
    if kit.model_reference:
        raise UsageError(
            f"{reference} takes its model from another kit, {kit.model_reference}",
            reference=str(reference),
            hint="Unpacking kits that refer to others is not possible yet; unpack that kit.",
        )

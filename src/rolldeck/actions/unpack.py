"""Unpack: a version's files into a new directory, complete and verified or not at all."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, nullcontext
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
    from rolldeck.actions.chain import load_chain
    from rolldeck.actions.versions import load_kit
    from rolldeck.kit import unpack_kit, with_chain

    resolved = await workspace.resolve(reference)
    async with AsyncExitStack() as held:
        await held.enter_async_context(reading(workspace, "unpack", resolved))
        if resolved.place is Place.LIBRARY:
            manifest = await workspace.manifest(resolved)
            with told_as_damage(workspace.library, resolved):
                require_config(workspace.library, manifest)
        kit = await load_kit(workspace, resolved)
        require_kit(kit, resolved)
        here = resolved
        if not isinstance(workspace.registry(resolved), LayoutRegistry):
            here = (await pull(workspace, resolved, progress)).reference
        chain = await load_chain(workspace, here, kit)
        for link in chain:
            await held.enter_async_context(reading(workspace, "unpack", link.reference))
            if not isinstance(workspace.registry(link.reference), LayoutRegistry):
                await pull(workspace, link.reference, progress)
        places = {layer.digest: link.reference for link in chain for layer in link.layers}

        def open_blob(blob: Descriptor) -> BinaryIO:
            layout = workspace.registry(places.get(blob.digest, here))
            if not isinstance(layout, LayoutRegistry):
                layout = workspace.library.layout
            return cast(BinaryIO, layout.open_blob(blob.digest))

        progress.note = "unpacking"
        whole = with_chain(kit, chain)
        is_library = here.place is Place.LIBRARY
        with told_as_damage(workspace.library, resolved) if is_library else nullcontext():
            tree = await asyncio.to_thread(unpack_kit, whole, open_blob, directory, progress)
    return resolved, tree


def require_kit(kit: Kit, reference: Reference) -> None:
    """Raise UsageError for what cannot be unpacked."""
    if not kit.unpackable:
        raise UsageError(
            f"{reference} is no ModelKit or ModelPack but an {kit.kind}",
            reference=str(reference),
            hint="rolldeck show tells what it holds.",
        )

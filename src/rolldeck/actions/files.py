"""The files of a version, listed and read without pulling it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from rolldeck.actions.file_search import Seen, load_layers, search_layers, stored_path
from rolldeck.actions.file_view import FileView, look_at
from rolldeck.actions.layer_bytes import LayerBytes, in_thread
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError
from rolldeck.kit import LOOK_LIMIT, Kit, Layer, LayerListing, StoppedError, copy_file, list_layer
from rolldeck.kit.unpack import KITFILE_NAME
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.text import clean_line

_AT_ONCE = 4
"""Layers listed at the same time."""

_KITFILE_MODE = 0o644


@dataclass(frozen=True, slots=True)
class VersionFiles:
    """All files of a version: its Kitfile as unpacking writes it, then layer by layer.

    ``chain_problem`` says why the layers that other kits lend are not among them.
    """

    reference: Reference
    kit: Kit
    kitfile: bytes | None
    layers: tuple[tuple[Layer, LayerListing], ...]
    chain_problem: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every file is listed."""
        stopped = any(listing.stopped for _, listing in self.layers)
        return not stopped and self.chain_problem is None


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """A file that was written out; ``layer`` is None for the Kitfile, ``size`` in bytes.

    ``verified`` says whether a digest that was checked covers every byte.
    """

    reference: Reference
    path: str
    size: int
    mode: int
    layer: Layer | None
    verified: bool


async def list_files(
    workspace: Workspace, reference: Reference, progress: Progress
) -> VersionFiles:
    """List every file of a version; of large layers only headers are fetched.

    Of an image each layer is listed as it is, with links and whiteouts. Raises RefusedError for a
    layer that unpacking would refuse too, UsageError for an index, and the errors of the place.
    """
    version = await load_layers(workspace, reference)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def listed(layer: Layer) -> LayerListing:
        async with gate:
            source = version.bytes_of(workspace, layer, progress)
            return await in_thread(lambda: list_layer(layer, source, progress), progress)

    layers = version.kit.layers
    found = await asyncio.gather(*(listed(layer) for layer in layers))
    return VersionFiles(
        version.reference,
        version.kit,
        _kitfile(version.kit),
        tuple(zip(layers, found, strict=True)),
        version.problem,
    )


async def list_layer_files(
    workspace: Workspace, reference: Reference, layer: Layer, progress: Progress
) -> LayerListing:
    """List the files of one layer; ``reference`` is a resolved version that has it."""
    source = LayerBytes(workspace, reference, layer.blob, progress)
    return await in_thread(lambda: list_layer(layer, source, progress), progress)


async def look_at_file(
    workspace: Workspace, reference: Reference, layer: Layer, path: str, progress: Progress
) -> FileView:
    """Look at a file of one layer; ``reference`` is a resolved version that has it.

    Raises NotFoundError where the layer has none with that path, or none near enough to its start.
    """
    source = LayerBytes(workspace, reference, layer.blob, progress)
    shown, why = clean_line(path), ""
    try:
        view = await in_thread(lambda: look_at(layer, source, path, progress, LOOK_LIMIT), progress)
        if view is not None:
            return view
    except StoppedError as stop:
        why = f" ({stop})"
    raise NotFoundError(
        f"No such file found in this layer: {shown}{why}",
        reference=shown,
        hint="rolldeck cat reads on, however far the file is." if why else None,
    )


async def find_and_look(
    workspace: Workspace, reference: Reference, path: str, progress: Progress
) -> tuple[Reference, FileView]:
    """Look at a file of a version, whichever layer has it; raises as ``copy_out``."""
    version = await load_layers(workspace, reference)
    path = stored_path(version.kit, path)
    kitfile = _kitfile(version.kit) if path == KITFILE_NAME else None
    if kitfile is not None:
        return version.reference, FileView.of_text(path, kitfile, _KITFILE_MODE)

    def visit(layer: Layer, source: LayerBytes, limit: int | None, seen: Seen) -> FileView | None:
        return look_at(layer, source, path, progress, limit, seen)

    return version.reference, await search_layers(workspace, version, path, progress, visit)


async def copy_out(
    workspace: Workspace,
    reference: Reference,
    path: str,
    write: Callable[[bytes | memoryview], object],
    progress: Progress,
) -> CopiedFile:
    """Write the bytes of one file of a version, in order and from a thread.

    Raises NotFoundError that names what is near, UsageError for a directory and for a link or a
    special file of an image, IntegrityError also after all bytes were written, and what ``write``
    raises.
    """
    version = await load_layers(workspace, reference)
    path = stored_path(version.kit, path)
    kitfile = _kitfile(version.kit) if path == KITFILE_NAME else None
    if kitfile is not None:
        write(kitfile)
        return CopiedFile(version.reference, path, len(kitfile), _KITFILE_MODE, None, True)
    written = 0

    def count(chunk: bytes | memoryview) -> None:
        nonlocal written
        write(chunk)
        written += len(chunk)

    def visit(layer: Layer, source: LayerBytes, limit: int | None, seen: Seen) -> CopiedFile | None:
        copied = copy_file(layer, source, path, count, progress, limit=limit, seen=seen)
        if copied is None:
            return None
        return CopiedFile(
            version.reference, path, written, copied.file.mode, layer, copied.verified
        )

    return await search_layers(workspace, version, path, progress, visit)


def _kitfile(kit: Kit) -> bytes | None:
    """Return the Kitfile as unpacking writes it; None where it writes none."""
    if not kit.unpackable or not kit.brings_kitfile or kit.kitfile is None:
        return None
    # Imported here: its patterns take 12 ms.
    from rolldeck.kit.kitfile_yaml import kitfile_yaml

    return kitfile_yaml(kit.kitfile)

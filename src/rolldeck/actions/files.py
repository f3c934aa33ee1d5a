"""The files of a version, listed and read without pulling it."""

from __future__ import annotations

import asyncio
import difflib
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from rolldeck.actions.chain import load_chain
from rolldeck.actions.file_view import FileView, look_at
from rolldeck.actions.layer_bytes import LayerBytes, in_thread
from rolldeck.actions.versions import load_kit
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError, RolldeckError, UsageError
from rolldeck.kit import (
    LOOK_LIMIT,
    Kit,
    Layer,
    LayerFile,
    LayerListing,
    StoppedError,
    copy_file,
    list_layer,
    with_chain,
)
from rolldeck.kit.unpack import KITFILE_NAME
from rolldeck.oci import Digest, Reference
from rolldeck.progress import Progress
from rolldeck.text import clean_line

_AT_ONCE = 4
"""Layers listed at the same time."""

_MOST_NAMES = 5
_KITFILE_MODE = 0o644

_T = TypeVar("_T")


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


@dataclass(frozen=True, slots=True)
class _Version:
    """A version with its layers and, by their digests, who has them."""

    reference: Reference
    kit: Kit
    places: Mapping[Digest, Reference]
    problem: str | None

    @property
    def spoken(self) -> str:
        """The reference as a person would type it."""
        reference = self.reference
        return str(replace(reference, digest=None) if reference.tag else reference)

    def bytes_of(self, workspace: Workspace, layer: Layer, progress: Progress) -> LayerBytes:
        place = self.places.get(layer.digest, self.reference)
        return LayerBytes(workspace, place, layer.blob, progress)


async def list_files(
    workspace: Workspace, reference: Reference, progress: Progress
) -> VersionFiles:
    """List every file of a version; of large layers only headers are fetched.

    Raises RefusedError for a layer that unpacking would refuse too, UsageError for an index, and
    the errors of the place.
    """
    version = await _load(workspace, reference)
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
    """Look at a file of one layer; ``reference`` is a resolved version that has it."""
    source = LayerBytes(workspace, reference, layer.blob, progress)
    view = await in_thread(lambda: look_at(layer, source, path, progress, LOOK_LIMIT), progress)
    if view is None:
        raise NotFoundError(f"No such file in this layer: {clean_line(path)}", reference=path)
    return view


async def find_and_look(
    workspace: Workspace, reference: Reference, path: str, progress: Progress
) -> tuple[Reference, FileView]:
    """Look at a file of a version, whichever layer has it; raises as ``copy_out``."""
    version = await _load(workspace, reference)
    path = posixpath.normpath(path)
    kitfile = _kitfile(version.kit) if path == KITFILE_NAME else None
    if kitfile is not None:
        return version.reference, FileView.of_text(path, kitfile, _KITFILE_MODE)

    def visit(layer: Layer, source: LayerBytes, limit: int | None, seen: _Seen) -> FileView | None:
        return look_at(layer, source, path, progress, limit, seen)

    return version.reference, await _search(workspace, version, path, progress, visit)


async def copy_out(
    workspace: Workspace,
    reference: Reference,
    path: str,
    write: Callable[[bytes | memoryview], object],
    progress: Progress,
) -> CopiedFile:
    """Write the bytes of one file of a version, in order and from a thread.

    Raises NotFoundError that names what is near, UsageError for a directory, IntegrityError also
    after all bytes were written, and what ``write`` raises.
    """
    version = await _load(workspace, reference)
    path = posixpath.normpath(path)
    kitfile = _kitfile(version.kit) if path == KITFILE_NAME else None
    if kitfile is not None:
        write(kitfile)
        return CopiedFile(version.reference, path, len(kitfile), _KITFILE_MODE, None, True)
    written = 0

    def count(chunk: bytes | memoryview) -> None:
        nonlocal written
        write(chunk)
        written += len(chunk)

    def visit(
        layer: Layer, source: LayerBytes, limit: int | None, seen: _Seen
    ) -> CopiedFile | None:
        copied = copy_file(layer, source, path, count, progress, limit=limit, seen=seen)
        if copied is None:
            return None
        return CopiedFile(
            version.reference, path, written, copied.file.mode, layer, copied.verified
        )

    return await _search(workspace, version, path, progress, visit)


_Seen = Callable[[LayerFile], None]


async def _load(workspace: Workspace, reference: Reference) -> _Version:
    resolved = await workspace.resolve(reference)
    kit = await load_kit(workspace, resolved)
    if kit.kind == "index":
        raise UsageError(
            f"{reference} is an image index that names {len(kit.manifest.manifests)} manifests",
            reference=str(reference),
            hint="Name one of them by digest; rolldeck show lists them.",
        )
    try:
        chain = await load_chain(workspace, resolved, kit)
    except RolldeckError as error:
        return _Version(resolved, kit, {}, error.message)
    places = {layer.digest: link.reference for link in chain for layer in link.layers}
    return _Version(resolved, with_chain(kit, chain), places, None)


def _kitfile(kit: Kit) -> bytes | None:
    """Return the Kitfile as unpacking writes it; None where it writes none."""
    if not kit.unpackable or not kit.brings_kitfile or kit.kitfile is None:
        return None
    # Imported here: its patterns take 12 ms.
    from rolldeck.kit.kitfile_yaml import kitfile_yaml

    return kitfile_yaml(kit.kitfile)


async def _search(
    workspace: Workspace,
    version: _Version,
    path: str,
    progress: Progress,
    visit: Callable[[Layer, LayerBytes, int | None, _Seen], _T | None],
) -> _T:
    """Return what ``visit`` finds in the first layer that has something for a path.

    Layers whose element the path lies in come first and are read as far as it takes.
    """
    seen: dict[str, LayerFile] = {}
    unread: list[str] = []

    def note(file: LayerFile) -> None:
        seen.setdefault(file.path, file)

    for layer, is_likely in _in_order(version.kit, path):
        source = version.bytes_of(workspace, layer, progress)
        limit = None if is_likely else LOOK_LIMIT

        def work(
            layer: Layer = layer, source: LayerBytes = source, limit: int | None = limit
        ) -> _T | None:
            return visit(layer, source, limit, note)

        try:
            found = await in_thread(work, progress)
        except StoppedError as stop:
            unread.append(f"{clean_line(layer.path or layer.kind, 60)} {stop}")
            continue
        if found is not None:
            return found
    raise _missing(version, path, seen, unread)


def _in_order(kit: Kit, path: str) -> Iterator[tuple[Layer, bool]]:
    likely = [layer for layer in kit.layers if _may_hold(layer, path)]
    yield from ((layer, True) for layer in likely)
    yield from ((layer, False) for layer in kit.layers if layer not in likely)


def _may_hold(layer: Layer, path: str) -> bool:
    """Whether a path lies in the element that a layer belongs to, or leads there."""
    element = posixpath.normpath(layer.path) if layer.path else "."
    under = element == "." or path == element or path.startswith(f"{element}/")
    return under or element.startswith(f"{path}/")


def _missing(
    version: _Version, path: str, seen: Mapping[str, LayerFile], unread: list[str]
) -> RolldeckError:
    shown = clean_line(path, 200)
    inside = sorted(name for name in seen if path == "." or name.startswith(f"{path}/"))
    if inside or (path in seen and seen[path].is_dir):
        more = f" and {len(inside) - _MOST_NAMES} more" if len(inside) > _MOST_NAMES else ""
        names = ", ".join(clean_line(name, 120) for name in inside[:_MOST_NAMES])
        return UsageError(
            f"{shown} is a directory" + (f" with {names}{more}" if names else ""),
            reference=shown,
            hint=f"See: rolldeck ls {version.spoken} --files",
        )
    near = nearest(path, [name for name, file in seen.items() if not file.is_dir])
    hints = []
    if near:
        hints.append(f"Nearest: {', '.join(clean_line(name, 120) for name in near)}")
    if unread:
        hints.append(f"Not searched to the end: {', '.join(unread)}")
    if version.problem:
        hints.append(version.problem)
    return NotFoundError(
        f"{version.spoken} has no file {shown}",
        reference=shown,
        hint=". ".join(hints) or "It has no files that can be listed.",
    )


def nearest(path: str, names: list[str]) -> list[str]:
    """Return up to five of ``names``: those with the same last part, then those most alike."""
    last = posixpath.basename(path).casefold()
    same = [name for name in names if posixpath.basename(name).casefold() == last]
    alike = difflib.get_close_matches(path, names, n=_MOST_NAMES, cutoff=0.5)
    return list(dict.fromkeys([*same, *alike]))[:_MOST_NAMES] or sorted(names)[:_MOST_NAMES]

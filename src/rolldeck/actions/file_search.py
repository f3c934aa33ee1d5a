"""Finding a file in a version by its path, in as few layers as possible."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from rolldeck.actions.chain import load_chain
from rolldeck.actions.kit import load_kit
from rolldeck.actions.layer_bytes import LayerBytes, in_thread
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError, RolldeckError, UsageError
from rolldeck.kit import LOOK_LIMIT, Kit, Layer, LayerFile, StoppedError, with_chain
from rolldeck.kit.image_tar import OPAQUE, WHITEOUT
from rolldeck.oci import Digest, Reference
from rolldeck.progress import Progress
from rolldeck.text import clean_line

_MOST_NAMES = 5

_T = TypeVar("_T")

Seen = Callable[[LayerFile], None]
"""Is told of each file that was passed on the way."""

Visit = Callable[[Layer, LayerBytes, int | None, Seen], _T | None]
"""Looks for a file in one layer, reading at most so many bytes of it."""


@dataclass(frozen=True, slots=True)
class LoadedVersion:
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
        """Return where the bytes of a layer come from."""
        place = self.places.get(layer.digest, self.reference)
        return LayerBytes(workspace, place, layer.blob, progress)


async def load_layers(workspace: Workspace, reference: Reference) -> LoadedVersion:
    """Read which layers a version has; UsageError for an index."""
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
        return LoadedVersion(resolved, kit, {}, error.message)
    places = {layer.digest: link.reference for link in chain for layer in link.layers}
    return LoadedVersion(resolved, with_chain(kit, chain), places, None)


async def search_layers(
    workspace: Workspace,
    version: LoadedVersion,
    path: str,
    progress: Progress,
    visit: Visit[_T],
) -> _T:
    """Return what ``visit`` finds in the first layer that has something for a path.

    Layers whose element the path lies in come first and are read as far as it takes; those of an
    image from the last one down, to the first that has the path or hides it.
    """
    is_image = version.kit.kind == "image"
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
            if is_image:
                break
            continue
        if found is not None:
            return found
        if is_image and _hiding(path, seen) is not None:
            break
    raise _missing(version, path, seen, unread)


def stored_path(kit: Kit, path: str) -> str:
    """Return a path as the files of a version are listed; in an image ``/`` is its root."""
    path = posixpath.normpath(path)
    return path.lstrip("/") or "." if kit.kind == "image" else path


def _hiding(path: str, seen: Mapping[str, LayerFile]) -> LayerFile | None:
    """Return what in the layers of an image seen so far stands for a path of those below."""
    folder = ""
    for name in path.split("/"):
        here = posixpath.join(folder, name)
        file = seen.get(here)
        if file is not None and (here == path or not file.is_dir):
            return file
        for whiteout in (WHITEOUT + name, OPAQUE):
            if (found := seen.get(posixpath.join(folder, whiteout))) is not None:
                return found
        folder = here
    return None


def _in_order(kit: Kit, path: str) -> Iterator[tuple[Layer, bool]]:
    if kit.kind == "image":
        yield from ((layer, True) for layer in reversed(kit.layers))
        return
    likely = [layer for layer in kit.layers if _may_hold(layer, path)]
    yield from ((layer, True) for layer in likely)
    yield from ((layer, False) for layer in kit.layers if layer not in likely)


def _may_hold(layer: Layer, path: str) -> bool:
    """Whether a path lies in the element that a layer belongs to, or leads there."""
    element = posixpath.normpath(layer.path) if layer.path else "."
    under = element == "." or path == element or path.startswith(f"{element}/")
    return under or element.startswith(f"{path}/")


def _missing(
    version: LoadedVersion, path: str, seen: Mapping[str, LayerFile], unread: list[str]
) -> RolldeckError:
    shown = clean_line(path, 200)
    if path in seen and seen[path].special:
        return UsageError(
            f"{shown} is {seen[path].special_words}",
            reference=shown,
            hint=f"See: rolldeck ls {version.spoken} --files",
        )
    inside = sorted(name for name in seen if path == "." or name.startswith(f"{path}/"))
    if inside or (path in seen and seen[path].is_dir):
        more = f" and {len(inside) - _MOST_NAMES} more" if len(inside) > _MOST_NAMES else ""
        names = ", ".join(clean_line(name, 120) for name in inside[:_MOST_NAMES])
        return UsageError(
            f"{shown} is a directory" + (f" with {names}{more}" if names else ""),
            reference=shown,
            hint=f"See: rolldeck ls {version.spoken} --files",
        )
    near = nearest(path, [name for name, file in seen.items() if file.type == "file"])
    hints = []
    hiding = _hiding(path, seen) if version.kit.kind == "image" else None
    if hiding is not None and hiding.special:
        hints.append(f"{clean_line(hiding.path, 200)} is {hiding.special_words}")
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

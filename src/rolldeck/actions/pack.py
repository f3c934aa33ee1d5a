"""Pack: a directory and its Kitfile become a version in the library."""

from __future__ import annotations

import asyncio
import os
import shlex
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from rolldeck import fsops
from rolldeck.actions.chain import find_model
from rolldeck.actions.check import check_kit
from rolldeck.actions.delivery import TagChange
from rolldeck.actions.lease import adding
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import RefusedError, RolldeckError, UsageError
from rolldeck.kit.chain import parse_model_reference
from rolldeck.kit.check import read_kitignore
from rolldeck.kit.check_files import LEFT_OUT
from rolldeck.kit.finding import Finding
from rolldeck.kit.kitfile import read_kitfile
from rolldeck.kit.kitignore import parse_kitignore
from rolldeck.kit.layer_record import KnownLayer, LayerRecord, layer_fingerprint
from rolldeck.kit.pack import PackedKit, pack_layers
from rolldeck.kit.pack_documents import PackForm
from rolldeck.kit.pack_plan import PackPlan, PlannedLayer, plan_layers
from rolldeck.kit.read import elements
from rolldeck.oci import Descriptor, Place, Reference, is_tag
from rolldeck.progress import Progress
from rolldeck.units import rfc3339, short_digest

_EPOCH = "SOURCE_DATE_EPOCH"


@dataclass(frozen=True, slots=True)
class Packing:
    """A plan: what is packed how, the repository of the library that gets it, under which tags.

    ``findings`` are what checking the Kitfile told; none is an error. ``data`` is the Kitfile.
    """

    reference: Reference
    tags: tuple[TagChange, ...]
    form: PackForm
    plan: PackPlan
    kitfile: Path
    data: bytes
    findings: tuple[Finding, ...]

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What to look at before it is packed, but for what the plan says is left out."""
        return tuple(
            item
            for item in self.findings
            if item.severity == "warning" and not item.message.startswith(LEFT_OUT)
        )


@dataclass(frozen=True, slots=True)
class Packed:
    """What was packed, and for how many seconds."""

    packing: Packing
    kit: PackedKit
    seconds: float

    @property
    def reference(self) -> Reference:
        """The version as it is called in the library."""
        return self.packing.reference.at(self.kit.descriptor.digest)


def created_of_environment() -> str | None:
    """Return the time of SOURCE_DATE_EPOCH as RFC 3339; raises UsageError where it is none."""
    text = os.environ.get(_EPOCH)
    if not text:
        return None
    with suppress(ValueError, OverflowError, OSError):
        if text.isascii() and text.isdigit():
            return rfc3339(datetime.fromtimestamp(int(text), UTC))
    raise UsageError(
        f"{_EPOCH} is no number of seconds: {text[:40]!r}",
        hint="Set it to seconds since 1970, as of the last commit, or unset it.",
    )


async def plan_pack(
    workspace: Workspace,
    context: Path,
    name: str,
    form: PackForm,
    progress: Progress,
    *,
    kitfile: Path | None = None,
) -> Packing:
    """Check a Kitfile and list what its kit would hold; reads no content.

    ``name`` is a reference, further tags may follow after commas. Raises UsageError for mistakes in
    the Kitfile, NotFoundError where it is missing, or the kit that its model comes from.
    """
    workspace.require_writable("pack")
    reference, tags = _parse(name)
    checked = await check_kit(context, progress, kitfile)
    if not checked.ok:
        raise _mistakes(checked.path, checked.findings, context, kitfile)
    document = read_kitfile(checked.data, checked.path.name)
    lent = await _lent(workspace, reference, document, exact_kit=form.exact_kit)

    def plan() -> tuple[PackPlan, tuple[TagChange, ...]]:
        ignore = parse_kitignore(read_kitignore(context))[0]
        found = plan_layers(context, document, ignore, lent=lent, exact_kit=form.exact_kit)
        entries = workspace.library.entries()
        known = {
            e.tag: e.descriptor.digest for e in entries if e.repository == reference.repository
        }
        return found, tuple(TagChange(tag, known.get(tag)) for tag in tags)

    layers, changes = await asyncio.to_thread(plan)
    return Packing(reference, changes, form, layers, checked.path, checked.data, checked.findings)


def _parse(name: str) -> tuple[Reference, list[str]]:
    """Return the repository of the library with its first tag, and all tags."""
    first, *more = name.split(",")
    found = Reference.parse(first)
    if found.place not in (Place.LIBRARY, Place.REGISTRY) or found.digest or not found.repository:
        raise UsageError(
            f"{first} is no name for a version that is packed",
            reference=first,
            hint="Write REPOSITORY:TAG or HOST/REPOSITORY:TAG; rolldeck copy brings it elsewhere.",
        )
    for tag in more:
        if not is_tag(tag):
            raise UsageError(f"{tag!r} is no tag", hint="Write REPOSITORY:TAG,TAG")
    tags = list(dict.fromkeys([found.tag or "latest", *more]))
    return Reference(Place.LIBRARY, "", found.library_name, tags[0]), tags


def _mistakes(
    path: Path, findings: tuple[Finding, ...], context: Path, kitfile: Path | None
) -> UsageError:
    check = ["rolldeck", "check", str(context), *(["-f", str(kitfile)] if kitfile else [])]
    errors = [finding for finding in findings if finding.severity == "error"]
    first = errors[0]
    place = f"{path.with_name(first.file)}:{first.line}:{first.column}"
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    hint = f"{first.hint} " if first.hint else ""
    return UsageError(
        f"{place}: {first.message}{more}",
        reference=str(path),
        hint=f"{hint}{shlex.join(check)} tells all.",
    )


async def _lent(
    workspace: Workspace, reference: Reference, document: Mapping[str, object], *, exact_kit: bool
) -> dict[str, str]:
    """Return the paths that the kits fill which the model comes from; kit packs nothing there.

    kit leaves out what lies at any path of the other kit, though only its model comes along.
    """
    model = document.get("model")
    path = model.get("path") if isinstance(model, dict) else None
    if not path or parse_model_reference(path) is None:
        return {}
    chain = await find_model(workspace, reference, path)
    found = {}
    for link in chain:
        for kind, element in elements(link.kit.kitfile):
            if exact_kit or kind in ("model", "modelpart"):
                found[str(element.get("path") or "")] = f"it lies in {link.name}"
    return found


class KnownLayers:
    """The layers of a plan that were packed before, from files that did not change since."""

    def __init__(self, workspace: Workspace, packing: Packing, *, rehash: bool) -> None:
        form, plan = packing.form, packing.plan
        self._record = LayerRecord(workspace.cache.path.with_name("packed-layers.json"))
        self._fingerprints = {
            layer.clean_path: layer_fingerprint(layer, form.compression, plan.listed_at)
            for layer in plan.layers
        }
        self._known = {} if rehash else self._record.read()

    def find(self, layer: PlannedLayer) -> KnownLayer | None:
        """Return what a layer was packed as; None where its files must be read."""
        fingerprint = self._fingerprints[layer.clean_path]
        return self._known.get(fingerprint) if fingerprint else None

    def keep(self, kit: PackedKit) -> None:
        """Remember the layers of a plan that were packed now."""
        made = zip(self._fingerprints.values(), kit.layers, strict=True)
        self._record.keep(
            {
                fingerprint: KnownLayer(layer.blob.digest, layer.blob.size, layer.diff_id)
                for fingerprint, layer in made
                if fingerprint
            }
        )


async def pack_kit(
    workspace: Workspace,
    packing: Packing,
    progress: Progress,
    *,
    force: bool = False,
    rehash: bool = False,
) -> Packed:
    """Pack as it was planned: layers, config, manifest, then the tags.

    Files of a layer that did not change since it was packed are not read, unless ``rehash``.
    Raises RefusedError where a tag that looks like a version names another one, unless ``force``;
    BusyError for files that change meanwhile, StorageError, CancelledError.
    """
    workspace.require_writable("pack")
    started = time.monotonic()
    library = workspace.library

    def write() -> PackedKit:
        known = KnownLayers(workspace, packing, rehash=rehash)

        def find(layer: PlannedLayer) -> KnownLayer | None:
            found = known.find(layer)
            blob = found and Descriptor("", found.digest, found.size)
            return found if blob and library.has(blob) else None

        if packing.form.compression == "none":
            missing = [layer for layer in packing.plan.layers if find(layer) is None]
            with fsops.storage(library.root):
                fsops.require_space(library.root, sum(layer.archive_size for layer in missing))
        at_once = workspace.settings.concurrency
        kit = pack_layers(packing.plan, packing.form, library.writer, progress, find, at_once)
        known.keep(kit)
        digest = kit.descriptor.digest
        moved = [item for item in packing.tags if item.before not in (None, digest)]
        _require_no_version(moved, packing, force=force)
        library.put(kit.config, kit.config_data)
        library.put(kit.descriptor, kit.manifest)
        library.tag(
            packing.reference.repository, [item.tag for item in packing.tags], kit.descriptor
        )
        return kit

    async with adding(workspace, "pack", str(packing.reference), None):
        work = asyncio.ensure_future(asyncio.to_thread(write))
        try:
            kit = await asyncio.shield(work)
        except asyncio.CancelledError:
            progress.cancel()
            with suppress(RolldeckError):
                await work
            raise
    return Packed(packing, kit, time.monotonic() - started)


def _require_no_version(moved: list[TagChange], packing: Packing, *, force: bool) -> None:
    """Raise RefusedError where a tag that would move names a version."""
    if not moved or force:
        return
    # Imported here: where no tag moves, a pack need not wait for what tells versions.
    from rolldeck.facts import is_version_tag

    for item in moved:
        if is_version_tag(item.tag):
            tag = replace(packing.reference, tag=item.tag)
            raise RefusedError(
                f"{tag} is {short_digest(item.before or '')}; a version's tag is never moved",
                reference=str(tag),
                hint="Choose another tag; --force moves it all the same.",
            )

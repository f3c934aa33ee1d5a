"""Packing a directory and its Kitfile into layers, a config and a manifest, as kit does.

Layers are uncompressed tar unless asked otherwise, so that equal content gives equal digests
wherever it is packed, with kit as well. Every byte is read once; copying and hashing overlap, and
several layers are made at once where there are processors for it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rolldeck.errors import CancelledError
from rolldeck.kit.compressor import compressed
from rolldeck.kit.kitfile import config_json
from rolldeck.kit.kitignore import KitIgnore
from rolldeck.kit.layer_record import KnownLayer
from rolldeck.kit.model import ElementKind
from rolldeck.kit.pack_documents import PackForm, layer_descriptor, manifest_json, pack_config
from rolldeck.kit.pack_plan import PackPlan, PlannedLayer, plan_layers
from rolldeck.kit.tar_writer import layer_chunks
from rolldeck.oci import MANIFEST, Descriptor, Digest, digest_of
from rolldeck.progress import Progress

_MOST_AT_ONCE = 4
"""Layers made at once: each holds two chunks, and more would only make the disk seek."""


class BlobWriter(Protocol):
    """Takes the bytes of one new blob and names it; supplied by whoever keeps blobs.

    Any number of ``write``, then exactly one of ``commit`` and ``abort``.
    """

    def write(self, chunk: memoryview, /) -> object:
        """Take the next bytes; they do not change before the next call returned."""

    def commit(self) -> tuple[Digest, int]:
        """Make the blob visible and durable; return its digest and size in bytes."""

    def abort(self) -> None:
        """Forget what was written."""


@dataclass(frozen=True, slots=True)
class PackedLayer:
    """One layer that was made: its descriptor, and the element it came from.

    ``diff_id`` is the digest of the uncompressed layer. Of one that is ``unchanged`` no file was
    read: it was packed before.
    """

    blob: Descriptor
    kind: ElementKind
    path: str
    diff_id: Digest
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class PackedKit:
    """What was packed; neither the config nor the manifest is stored yet.

    ``left_out`` names what lies in an element but in no layer, with the reason.
    """

    form: PackForm
    manifest: bytes
    config: Descriptor
    config_data: bytes
    layers: tuple[PackedLayer, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def descriptor(self) -> Descriptor:
        """The descriptor of the manifest."""
        return Descriptor(
            MANIFEST,
            digest_of(self.manifest),
            len(self.manifest),
            artifact_type=self.form.artifact_type,
        )


def pack(
    context: Path,
    kitfile: Mapping[str, Any],
    open_blob_writer: Callable[[], BlobWriter],
    *,
    ignore: KitIgnore | None = None,
    form: PackForm | None = None,
) -> PackedKit:
    """Plan and pack at once, and write the config, too; raises what both raise."""
    form = form or PackForm()
    plan = plan_layers(context, kitfile, ignore, exact_kit=form.exact_kit)
    packed = pack_layers(plan, form, open_blob_writer, Progress())
    with _blob(open_blob_writer) as writer:
        writer.write(memoryview(packed.config_data))
        writer.commit()
    return packed


def pack_layers(
    plan: PackPlan,
    form: PackForm,
    open_blob_writer: Callable[[], BlobWriter],
    progress: Progress,
    find_layer: Callable[[PlannedLayer], KnownLayer | None] = lambda layer: None,
    at_once: int = _MOST_AT_ONCE,
) -> PackedKit:
    """Write all layers of a plan, at most ``at_once`` together.

    ``find_layer`` may know one that need not be written. The first failure stops all, and cancels
    the progress. Raises BusyError for files that changed since they were listed, CancelledError,
    StorageError for what cannot be read or written.
    """
    parts = [progress.part(layer.clean_path, layer.content_size) for layer in plan.layers]

    def make(layer: PlannedLayer, part: Progress) -> PackedLayer:
        part.check()
        known = find_layer(layer)
        if known is not None:
            part.skip(layer.content_size)
        made = known or _write(plan.context, layer, form, open_blob_writer, part)
        part.state = "done"
        blob = layer_descriptor(form, layer.kind, layer.clean_path, made.digest, made.size)
        return PackedLayer(blob, layer.kind, layer.path, made.diff_id, known is not None)

    with ThreadPoolExecutor(min(_workers(form), at_once), "rolldeck pack") as pool:
        tasks = [pool.submit(make, *pair) for pair in zip(plan.layers, parts, strict=True)]
        try:
            layers = [task.result() for task in tasks]
        except BaseException as error:
            progress.cancel()
            pool.shutdown(cancel_futures=True)
            raise _cause(tasks, error) from None
    return documents_of(plan, form, layers)


def documents_of(plan: PackPlan, form: PackForm, layers: Sequence[PackedLayer]) -> PackedKit:
    """Make the config and the manifest for the layers of a plan."""
    waiting = iter(layers)
    made = [None if item is None else next(waiting) for item in plan.elements]
    kitfile = config_json(
        plan.kitfile, ((item.blob.digest, item.diff_id) if item else None for item in made)
    )
    data = kitfile
    if form.model_pack:
        data = pack_config(form, plan.kitfile, [item.diff_id for item in layers])
    config = Descriptor(form.config_type, digest_of(data), len(data))
    manifest = manifest_json(form, config, [item.blob for item in layers], kitfile)
    return PackedKit(form, manifest, config, data, tuple(layers), plan.left_out)


def _cause(tasks: Sequence[Future[PackedLayer]], error: BaseException) -> BaseException:
    """Return what failed first: it stopped the others, which only tell that they were stopped."""
    failures = [task.exception() for task in tasks if task.done() and not task.cancelled()]
    found = (item for item in failures if item and not isinstance(item, CancelledError))
    return next(found, error)


def _workers(form: PackForm) -> int:
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    # A layer that is only copied keeps two busy: one copies, one hashes.
    return max(1, min(processors // (2 if form.compression == "none" else 1), _MOST_AT_ONCE))


@contextmanager
def _blob(open_blob_writer: Callable[[], BlobWriter]) -> Iterator[BlobWriter]:
    writer = open_blob_writer()
    try:
        yield writer
    except BaseException:
        writer.abort()
        raise


def _write(
    context: Path,
    layer: PlannedLayer,
    form: PackForm,
    open_blob_writer: Callable[[], BlobWriter],
    progress: Progress,
) -> KnownLayer:
    progress.state = "packing"
    with _blob(open_blob_writer) as writer:
        diff_id = write_archive(context, layer, form, writer.write, progress)
        digest, size = writer.commit()
    return KnownLayer(digest, size, diff_id or digest)


def write_archive(
    context: Path,
    layer: PlannedLayer,
    form: PackForm,
    write: Callable[[memoryview], object],
    progress: Progress,
) -> Digest | None:
    """Write a layer's bytes; returns the diffId where it is another digest than the blob's."""
    hashed = None if form.compression == "none" else hashlib.sha256()

    def counted() -> Iterator[memoryview]:
        done = 0
        for chunk in layer_chunks(context, layer.entries):
            progress.check()
            if hashed is not None:
                hashed.update(chunk)
            yield chunk
            # Headers and padding are no content: not more is done than was expected.
            step = min(len(chunk), layer.content_size - done)
            progress.advance(step)
            done += step

    for piece in compressed(form.compression, counted()):
        write(piece)
    return Digest("sha256:" + hashed.hexdigest()) if hashed is not None else None

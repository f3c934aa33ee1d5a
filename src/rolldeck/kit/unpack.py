"""Unpacking a version: every layer, verified, into a directory that appears complete or not at all.

Follows what ``kit unpack`` writes (names, bytes, modes under the umask, the Kitfile), but stages
first, verifies every digest, and refuses where kit would overwrite.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from io import FileIO, UnsupportedOperation
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

from rolldeck import fsops
from rolldeck.errors import RefusedError, UsageError
from rolldeck.kit.layer_sink import LayerSink
from rolldeck.kit.layer_stream import open_layer
from rolldeck.kit.member_path import member_parts
from rolldeck.kit.model import Kit, Layer
from rolldeck.kit.placement import place
from rolldeck.kit.read import remote_data
from rolldeck.kit.skeleton import Skeleton, SkeletonRecord, pack_skeleton, save_skeleton
from rolldeck.kit.staging import Staging
from rolldeck.kit.staging_place import SKELETON, StagingPlace
from rolldeck.kit.tar_reader import CHUNK, Readable, TarLimits, read_tar
from rolldeck.kit.tree import Stamp, Tree, TreeEntry, stamp_tree, verify_tree
from rolldeck.oci import SMALL_BLOB, Descriptor, Digest
from rolldeck.progress import Progress
from rolldeck.text import clean_line

if TYPE_CHECKING:
    from rolldeck.kit.destination import Found
    from rolldeck.kit.merge import MergeRules

KITFILE_NAME = "Kitfile"

_REMOTE = "a data set that lies elsewhere: remotePath in the Kitfile says where"

OpenBlob = Callable[[Descriptor], BinaryIO]
"""Opens a blob for reading from its start; unpack closes it."""


def unpack(kit: Kit, open_blob: OpenBlob, destination: Path, progress: Progress) -> Tree:
    """Unpack all layers of ``kit`` into ``destination``, which must be absent or empty.

    The tree appears under its name in one step, durable and verified, or not at all. Layers of
    unknown types and data sets that lie elsewhere are skipped and named in the result. Raises
    UsageError for a destination in use or a version that is no kit, RefusedError for unsafe
    content, IntegrityError for a blob that is not what the manifest says, StorageError for errors
    of the disk, CancelledError when asked.
    """
    with Unpacking(kit, destination, progress) as unpacking:
        for layer in unpacking.layers:
            unpacking.add(layer, open_blob(layer.blob))
        return unpacking.finish()


class Unpacking:
    """One version on its way into one directory; its layers come in any order, or at once.

    A context manager: what was received in one pass stays for the next time when the block ends
    with an error, unless that was a refusal; everything else goes.
    """

    def __init__(
        self,
        kit: Kit,
        destination: Path,
        progress: Progress,
        one_pass: Callable[[Layer], bool] = lambda layer: False,
        rules: MergeRules | None = None,
    ) -> None:
        """``one_pass`` says which layers will come through ``sink``; raises UsageError.

        With ``rules`` the destination is a directory in use, which the files are merged into.
        """
        if not kit.unpackable:
            raise UsageError(
                f"Nothing to unpack: this version is an {kit.kind}, no ModelKit or ModelPack",
                reference=kit.digest,
            )
        self.layers = tuple(layer for layer in kit.layers if layer.form != "unknown")
        self._kit = kit
        self._progress = progress
        self.merged: tuple[Found, ...] = ()
        self._rules = rules
        self._place = StagingPlace(destination, kit.digest, occupied=rules is not None)
        self._numbers = {id(layer): number for number, layer in enumerate(self.layers)}
        times = Counter(layer.digest for layer in self.layers)
        self._streamed = [
            layer
            for layer in self.layers
            # Two layers of one digest would share their skeleton.
            if layer.compression == "none" and times[layer.digest] == 1 and one_pass(layer)
        ]
        self._sinks: dict[Digest, LayerSink] = {}
        self._times = times
        self._recorded: dict[Digest, tuple[Layer, bytes]] = {}
        self._has_kitfile = self._finished = False

    def __enter__(self) -> Unpacking:
        self._place.take()
        try:
            with fsops.storage(self._place.path):
                self._staging = Staging(self._place.tree, self._place.umask())
            try:
                self._open()
            except BaseException:
                self._staging.close()
                raise
        except BaseException as error:
            self._leave(error)
            raise
        return self

    def _open(self) -> None:
        for layer in self._streamed:
            number = self._numbers[id(layer)]
            self._sinks[layer.digest] = LayerSink(layer, number, self._staging, self._place)
        with fsops.storage(self._place.path):
            self._staging.prune()
        size = sum(layer.size for layer in self.layers)
        came = sum(sink.offset for sink in self._sinks.values())
        # Compressed layers may need more than their size; that is seen when it is written.
        with fsops.storage(self._place.path):
            fsops.require_space(self._place.path.parent, size - came)

    def sink(self, layer: Layer) -> LayerSink | None:
        """What receives a layer in one pass; None for one that must come through ``add``."""
        return self._sinks.get(layer.digest)

    def forgo(self, layer: Layer) -> None:
        """Forget what came of a layer in one pass: it will come through ``add``."""
        self._sinks.pop(layer.digest).discard()

    def add(self, layer: Layer, blob: BinaryIO) -> None:
        """Unpack a layer from its blob, which is closed; verified when this returns."""
        number = self._numbers[id(layer)]
        self._progress.expect(layer.size)
        self._progress.note = clean_line(layer.path or layer.kind)
        with fsops.storage(self._place.path):
            if layer.form == "raw":
                self._add_raw(number, layer, blob)
            else:
                self._add_archive(number, layer, blob)
            self._staging.sync(number)

    def _add_archive(self, number: int, layer: Layer, blob: BinaryIO) -> None:
        record = self._record(layer)
        between = record.add if record else None
        with open_layer(layer, blob, self._progress) as stream:
            limits = TarLimits(capacity=stream.capacity)
            for member in read_tar(stream, limits, between=between):
                parts = place(layer, member_parts(member.path), is_dir=member.is_dir)
                if member.is_dir:
                    self._staging.add_directory(number, parts, member.mode)
                else:
                    self._staging.add_file(number, parts, member.mode, member.chunks)
        self._keep(layer, record)

    def _record(self, layer: Layer) -> SkeletonRecord | None:
        """What takes the skeleton of a layer that is unpacked from its blob; None for small ones.

        A compressed blob cannot be rebuilt from what it holds.
        """
        is_large = layer.size > SMALL_BLOB and layer.compression == "none"
        return SkeletonRecord() if is_large and self._times[layer.digest] == 1 else None

    def _keep(self, layer: Layer, record: SkeletonRecord | None) -> None:
        packed = record.finish() if record else None
        if packed is not None:
            self._recorded[layer.digest] = (layer, packed)

    def _add_raw(self, number: int, layer: Layer, blob: BinaryIO) -> None:
        """Unpack a layer that is one file; where it can, that shares the blob's disk blocks."""
        with closing(blob):
            parts = place(layer, member_parts(layer.path or ""), is_dir=False)
            descriptor = self._staging.create(number, parts, layer.mode)
            try:
                shares = layer.compression == "none" and _clone(blob, descriptor)
                # Of a blob that changes meanwhile only what is in the tree counts.
                source = FileIO(self._staging.open_file(number, parts)) if shares else blob
                with open_layer(layer, source, self._progress) as stream:
                    chunks = _chunks(stream)
                    self._staging.fill(descriptor, parts, layer.mode, chunks, is_there=shares)
            finally:
                os.close(descriptor)
        if not shares:
            self._keep(layer, self._record(layer))

    def add_kitfile(self) -> None:
        """Write the Kitfile, where the version has one; at any time, and ``finish`` at the latest.

        Raises RefusedError where a layer brings a file of its name.
        """
        if self._has_kitfile or self._kit.kitfile is None or not self._kit.brings_kitfile:
            return
        # Imported here: only whoever writes one needs it.
        from rolldeck.kit.kitfile_yaml import kitfile_yaml

        with fsops.storage(self._place.path):
            owner = len(self.layers)
            text = kitfile_yaml(self._kit.kitfile)
            self._staging.add_file(owner, (KITFILE_NAME,), 0o644, [text])
            self._staging.sync(owner)
        self._has_kitfile = True

    def finish(
        self, before_visible: Callable[[Tree, dict[str, Stamp]], None] | None = None
    ) -> Tree:
        """Make the tree durable and show it under its name; every layer must have come.

        ``before_visible`` gets the complete tree and its stamps one rename before that. What was
        merged is in ``merged``; raises as ``merge``.
        """
        self.add_kitfile()
        with fsops.storage(self._place.destination):
            self._staging.seal()
            tree = Tree(self._staging.entries, left_out(self._kit))
            if before_visible is not None:
                before_visible(tree, stamp_tree(self._place.tree))
            if self._rules is None:
                self._place.publish()
            else:
                # Imported here: most directories are new.
                from rolldeck.kit.merge import merge

                place = self._place
                self.merged = merge(
                    tree, place.tree, place.destination, self._rules, self._progress
                )
                place.merged()
        self._finished = True
        return tree

    def save_skeletons(self, directory: Path) -> list[Skeleton]:
        """Keep the skeletons of the large layers, so that their blobs can be rebuilt.

        But for layers whose files share the blocks of their blobs.
        """
        came = [
            save_skeleton(
                sink.layer,
                sink.prefixes,
                pack_skeleton(self._place.file(digest, SKELETON)),
                directory,
            )
            for digest, sink in self._sinks.items()
        ]
        unpacked = self._recorded.values()
        return came + [save_skeleton(layer, {}, [data], directory) for layer, data in unpacked]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._staging.close()
        self._leave(error)

    def _leave(self, error: BaseException | None) -> None:
        kept = 0
        for sink in self._sinks.values():
            kept += sink.offset
            sink.close()
        kept = kept if self._place.lasting else 0
        if not self._finished and (not kept or isinstance(error, RefusedError)):
            self._place.give_up()
        self._place.close()


def left_out(kit: Kit) -> tuple[tuple[str, str], ...]:
    """Return (path, reason) of what unpacking cannot write: unknown layers, data elsewhere."""
    unknown = [layer for layer in kit.layers if layer.form == "unknown"]
    found = [
        (layer.path or layer.digest, f"unknown layer type {layer.blob.media_type}")
        for layer in unknown
    ] + [(path, _REMOTE) for path in remote_data(kit.kitfile, kit.filters)]
    return tuple((clean_line(path), reason) for path, reason in found)


def _clone(blob: BinaryIO, descriptor: int) -> bool:
    """Whether a file now shares the disk blocks of a blob; not where that is no file."""
    try:
        source = blob.fileno()
    except UnsupportedOperation:
        return False
    return fsops.clone(source, descriptor)


def _chunks(stream: Readable) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(CHUNK))
    while count := stream.readinto(buffer):
        yield buffer[:count]


__all__ = ["OpenBlob", "Tree", "TreeEntry", "Unpacking", "unpack", "verify_tree"]

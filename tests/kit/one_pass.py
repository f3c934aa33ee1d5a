"""One layer received in one pass, as a transfer does it, but from bytes at hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rolldeck.kit.layer_sink import LayerSink
from rolldeck.kit.model import Kit, Layer
from rolldeck.kit.staging import Staging
from rolldeck.kit.staging_place import StagingPlace
from rolldeck.kit.unpack import Unpacking
from rolldeck.progress import Progress
from tests.kit.archives import Payload, kit_of

Payloads = tuple[Payload | bytes, ...]


def layer_of(payload: Payload | bytes) -> Layer:
    """Return the only layer of a kit."""
    return kit_of(payload)[0].layers[0]


def stored_of(payload: Payload | bytes) -> bytes:
    """Return the bytes of a layer's blob."""
    return payload.stored if isinstance(payload, Payload) else payload


@contextmanager
def opened(layer: Layer, destination: Path) -> Iterator[LayerSink]:
    """Open the staging place of a version with one layer, as every run does; leave all there."""
    place = StagingPlace(destination, kit_of(b"")[0].digest)
    place.take()
    staging = Staging(place.tree, place.umask())
    sink = LayerSink(layer, 0, staging, place)
    staging.prune()
    try:
        yield sink
    finally:
        sink.close()
        staging.close()
        place.close()


def feed(sink: LayerSink, data: bytes, step: int) -> None:
    """Write the rest of a blob in pieces; large content past ``write``, as splice does."""
    while sink.offset < len(data):
        at = sink.offset
        target, room = sink.room()
        if room:
            count = min(room, step, len(data) - at)
            with open(target, "ab", buffering=0, closefd=False) as file:
                file.write(data[at : at + count])
            sink.appended(count)
        else:
            sink.write(memoryview(data)[at : at + step])


def received(kit: Kit, blobs: dict[str, bytes], unpacking: Unpacking, step: int = 4096) -> None:
    """Bring every layer of a kit into an opened unpacking, in one pass where it allows that."""
    import io

    for layer in unpacking.layers:
        sink = unpacking.sink(layer)
        if sink is None:
            unpacking.add(layer, io.BytesIO(blobs[layer.digest]))
        else:
            feed(sink, blobs[layer.digest], step)
            sink.commit()


def in_one_pass(destination: Path, *payloads: Payload | bytes, step: int = 4096) -> Unpacking:
    """Unpack a kit in one pass; returns the unpacking, finished."""
    kit, _ = kit_of(*payloads)
    blobs = {
        layer.digest: stored_of(payload)
        for layer, payload in zip(kit.layers, payloads, strict=True)
    }
    unpacking = Unpacking(kit, destination, Progress(), lambda layer: True)
    with unpacking:
        received(kit, blobs, unpacking, step)
        unpacking.finish()
    return unpacking

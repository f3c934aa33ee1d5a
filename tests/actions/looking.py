"""What the tests of looking into layers share: large content, and what it cost."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable

from rolldeck.actions import (
    VersionFiles,
    Workspace,
    copy_out,
)
from rolldeck.actions.kit import load_kit
from rolldeck.oci import SMALL_BLOB, Reference
from rolldeck.oci.http import HttpRegistry
from rolldeck.oci.retry import Clocks
from rolldeck.progress import Progress
from tests.servers.fault_proxy import FaultProxy

KIB = 1024
BODY = random.Random(3).randbytes(SMALL_BLOB + 4096)
TENSORS = json.dumps(
    {
        f"w{n}": {"dtype": "U8", "shape": [10], "data_offsets": [n * 10, n * 10 + 10]}
        for n in range(900)
    }
).encode()
WEIGHTS = struct.pack("<Q", len(TENSORS)) + TENSORS + BODY

Serve = Callable[..., Reference]


async def one_layer(workspace: Workspace, reference: Reference) -> Reference:
    """Resolve a version so that only what its layer costs is counted."""
    resolved = await workspace.resolve(reference)
    await load_kit(workspace, resolved)
    return resolved


def without_waiting(workspace: Workspace, reference: Reference) -> None:
    """Let the registry try again at once."""
    registry = workspace.registry(reference)
    assert isinstance(registry, HttpRegistry)
    registry._transport.clocks = Clocks(sleep=lambda seconds: None)


def layer_requests(proxy: FaultProxy) -> list[str | None]:
    """What was asked of the layer: its requests have a Range."""
    return [asked for _, asked in proxy.requests if asked is not None]


def paths(found: VersionFiles) -> list[str]:
    """Return the files of the layers."""
    return [item.path for _, listing in found.layers for item in listing.files]


async def cat(workspace: Workspace, reference: Reference, path: str) -> tuple[bytes, bool]:
    """Return a file's bytes and whether they were verified."""
    out = bytearray()
    copied = await copy_out(workspace, reference, path, out.extend, Progress())
    assert copied.size == len(out)
    return bytes(out), copied.verified

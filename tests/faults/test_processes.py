"""Several processes and one library: nothing is fetched twice, and nothing of a killed one lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rolldeck.oci import MANIFEST, Descriptor, digest_of
from rolldeck.oci.follow import PREFIX_STEP
from rolldeck.store import Library
from tests.faults.conftest import REPOSITORY, held, leftovers
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.registry import RunningRegistry, push_blob, push_manifest

Push = Callable[[int], tuple[Descriptor, bytes]]

SIZE = 16 * 1024 * 1024 + 5
CONFIG = b'{"manifestVersion":"1.0.0","package":{},"model":{"path":"m"}}'
UNDER_WAY = 1024 * 1024
"""Bytes that may be in buffers of the system when a process dies."""


@pytest.fixture
def version(
    docker_registry: RunningRegistry, proxy: FaultProxy, push: Push
) -> Callable[[int], Descriptor]:
    """Push a ModelKit with one layer of that size as ``v1``; returns the layer."""

    def make(size: int) -> Descriptor:
        layer, _ = push(size)
        proxy.only = layer.digest
        push_blob(docker_registry.url, REPOSITORY, digest_of(CONFIG), CONFIG)
        kind = "application/vnd.kitops.modelkit"
        config = Descriptor(f"{kind}.config.v1+json", digest_of(CONFIG), len(CONFIG))
        layer = Descriptor(f"{kind}.model.v1.tar", layer.digest, size)
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config.to_json(),
            "layers": [layer.to_json()],
        }
        raw = json.dumps(document).encode()
        push_manifest(docker_registry.url, REPOSITORY, "v1", raw, MANIFEST)
        return layer

    return make


@pytest.fixture
def start(proxy: FaultProxy, library: Library) -> Callable[[], subprocess.Popen[str]]:
    """Start ``rolldeck pull`` in a process of its own."""

    def run() -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "rolldeck", "pull", f"{proxy.host}/{REPOSITORY}:v1"]
        return subprocess.Popen(
            [*command, "--library", str(library.root), "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def came(library: Library, layer: Descriptor, size: int) -> Callable[[], bool]:
    """Whether a partial file has ``size`` bytes."""
    path = library.partial_path(layer.digest)
    return lambda: path.exists() and path.stat().st_size >= size


def finished(process: subprocess.Popen[str]) -> dict[str, object]:
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    found: dict[str, object] = json.loads(out)
    return found


def test_eight_processes_fetch_a_version_once(
    proxy: FaultProxy,
    library: Library,
    version: Callable[[int], Descriptor],
    start: Callable[[], subprocess.Popen[str]],
) -> None:
    """The others wait and adopt what the first brought."""
    layer = version(SIZE)
    results = [finished(process) for process in [start() for _ in range(8)]]
    assert len({str(result["digest"]) for result in results}) == 1
    assert proxy.blob_bytes <= 1.05 * SIZE
    assert digest_of(held(library, layer) or b"") == layer.digest
    assert leftovers(library) == []


@pytest.mark.parametrize("size", [SIZE, PREFIX_STEP + SIZE])
def test_a_killed_pull_goes_on_where_it_was(
    proxy: FaultProxy,
    library: Library,
    version: Callable[[int], Descriptor],
    start: Callable[[], subprocess.Popen[str]],
    size: int,
) -> None:
    """SIGKILL three times; only what was under way in the system's buffers comes again."""
    layer = version(size)
    for part in (1, 2, 3):
        proxy.faults.append(Fault(stall=size // 4))
        process = start()
        until(came(library, layer, part * (size // 4)))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert held(library, layer) is None
    finished(start())
    assert digest_of(held(library, layer) or b"") == layer.digest
    assert proxy.blob_bytes <= size + 3 * UNDER_WAY
    assert leftovers(library) == []


def test_whoever_waits_goes_on_when_the_holder_dies(
    proxy: FaultProxy,
    library: Library,
    version: Callable[[int], Descriptor],
    start: Callable[[], subprocess.Popen[str]],
) -> None:
    """The lock ends with the process, and its part is taken over."""
    layer = version(SIZE)
    proxy.faults = [Fault(stall=SIZE // 2)]
    holder = start()
    until(came(library, layer, SIZE // 2))
    waiting = start()
    time.sleep(0.5)
    assert waiting.poll() is None
    assert len(proxy.requests) == 1
    holder.kill()
    holder.communicate()
    finished(waiting)
    assert proxy.requests[-1][1] == f"bytes={SIZE // 2}-"
    assert proxy.blob_bytes <= 1.05 * SIZE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_keeps_what_came(
    proxy: FaultProxy,
    library: Library,
    version: Callable[[int], Descriptor],
    start: Callable[[], subprocess.Popen[str]],
    number: signal.Signals,
) -> None:
    """The process ends by itself with the signal's code, and the next one goes on."""
    layer = version(SIZE)
    proxy.faults = [Fault(stall=SIZE // 2)]
    process = start()
    until(came(library, layer, SIZE // 2))
    process.send_signal(number)
    process.communicate(timeout=10)
    assert process.returncode == 128 + number
    found = finished(start())
    assert found["bytes_transferred"] == SIZE - SIZE // 2
    assert proxy.requests[-1][1] == f"bytes={SIZE // 2}-"


def test_a_suspended_pull_goes_on(
    proxy: FaultProxy,
    library: Library,
    version: Callable[[int], Descriptor],
    start: Callable[[], subprocess.Popen[str]],
) -> None:
    """Ctrl-Z for so long that the registry hangs up, then fg: only the rest is fetched."""
    layer = version(SIZE)
    proxy.faults = [Fault(stall=SIZE // 2)]
    process = start()
    until(came(library, layer, SIZE // 2))
    # What Ctrl-Z sends is ignored where no shell waits for the process.
    process.send_signal(signal.SIGSTOP)
    until(lambda: " T " in Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2])
    proxy.release.set()
    process.send_signal(signal.SIGCONT)
    finished(process)
    assert proxy.requests[-1][1] == f"bytes={SIZE // 2}-"
    assert proxy.blob_bytes == SIZE + len(CONFIG)


def test_locks_leave_no_file(tmp_path: Path, library: Library) -> None:
    """What is locked is the partial file itself; a second claim in one process waits, too."""
    blob = Descriptor("x/y", digest_of(b"data"), 4)
    first = library.claim(blob)
    assert first is not None
    assert Library(library.root).claim(blob) is None
    first.write(memoryview(b"data"))
    first.commit()
    assert library.claim(blob) is None
    assert library.has(blob)
    assert leftovers(library) == []
    assert os.listdir(library.root / "partial") == []

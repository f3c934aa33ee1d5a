"""What a pull says while it runs: bars on a terminal, events as lines elsewhere."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.oci.bench import blob_of, manifest_bytes
from tests.servers.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.servers.registry import RunningRegistry, push_blob, push_manifest
from tests.terminal.terminal import Terminal, environment

SIZE = 1_000_000
REPOSITORY = "progress/x"

Start = Callable[..., Terminal]


@pytest.fixture(scope="module")
def pushed(docker_registry: RunningRegistry) -> RunningRegistry:
    """A version with one layer of SIZE bytes."""
    data = random.Random(SIZE).randbytes(SIZE)
    layer = blob_of(data).to_json()
    url = docker_registry.url
    push_blob(url, REPOSITORY, layer["digest"], data)
    push_blob(url, REPOSITORY, blob_of(b"{}").digest, b"{}")
    raw = manifest_bytes(layers=[layer])
    push_manifest(url, REPOSITORY, "v1", raw, "application/vnd.oci.image.manifest.v1+json")
    return docker_registry


@pytest.fixture
def proxy(pushed: RunningRegistry) -> Iterator[FaultProxy]:
    """A proxy whose faults meet the layer alone."""
    with fault_proxy(pushed.host) as running:
        running.only = f"/blobs/{blob_of(random.Random(SIZE).randbytes(SIZE)).digest}"
        yield running


@pytest.fixture
def start(proxy: FaultProxy, tmp_path: Path) -> Iterator[Start]:
    """Start a pull in a terminal; it is ended with the test."""
    terminals: list[Terminal] = []

    def begin(size: tuple[int, int] = (80, 24), **more: str) -> Terminal:
        terminal = Terminal(command(proxy), environment(tmp_path, **more), size)
        terminals.append(terminal)
        return terminal

    yield begin
    for terminal in terminals:
        terminal.close()


def command(proxy: FaultProxy, *more: str) -> list[str]:
    """The command line of the pull."""
    reference = f"{proxy.host}/{REPOSITORY}:v1"
    return [sys.executable, "-m", "rolldeck", "pull", reference, *more]


def piped(proxy: FaultProxy, home: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the pull without a terminal."""
    return subprocess.run(
        command(proxy, *more), env=environment(home), capture_output=True, text=True, check=False
    )


def test_bars_show_each_part_and_the_total(proxy: FaultProxy, start: Start) -> None:
    """Digest, share and amount in 80 columns; the bars are gone at the end."""
    proxy.faults = [Fault(stall=610_000)]
    terminal = start()
    terminal.wait_for("61 %")
    terminal.wait_for("100 %")
    lines = [line for line in terminal.text.splitlines() if " %" in line]
    assert len(lines) == 3
    config, layer, total = lines
    assert "━" in config
    assert "done" in config
    assert " 61 %  595.7 of 976.6 KiB" in layer
    assert total.startswith("total ")
    assert max(map(len, lines)) <= 80
    proxy.release.set()
    assert terminal.wait() == 0
    assert "━" not in terminal.text
    assert "fetched in" in terminal.text


def test_a_resumed_pull_says_where_it_goes_on(proxy: FaultProxy, start: Start) -> None:
    """Interrupted at 61 %, the next one begins there."""
    proxy.faults = [Fault(stall=610_000), Fault(stall=100_000)]
    first = start()
    first.wait_for("61 %")
    first.signal(signal.SIGINT)
    assert first.wait() == 128 + signal.SIGINT
    second = start(size=(120, 24))
    second.wait_for("71 %")
    second.wait_for("resumed at 61 %")
    proxy.release.set()
    assert second.wait() == 0


def test_a_wait_that_the_registry_asked_for_counts_down(proxy: FaultProxy, start: Start) -> None:
    """With what it is waited for."""
    asked = {"status": "429 Too Many Requests", "Retry-After": "12"}
    proxy.faults = [Fault(headers=dict(asked))]
    terminal = start()
    terminal.wait_for("waiting 12 s as the registry asked")
    terminal.wait_for("waiting 11 s as the registry asked")
    terminal.signal(signal.SIGTERM)
    assert terminal.wait() == 128 + signal.SIGTERM
    assert terminal.output.rfind(b"\x1b[?25h") > terminal.output.rfind(b"\x1b[?25l")


@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_who_wants_no_bars_gets_lines(
    proxy: FaultProxy, start: Start, plain: dict[str, str]
) -> None:
    """Not one escape sequence."""
    proxy.faults = [Fault(cut=610_000)]
    terminal = start(**plain)
    terminal.wait_for("at 61 %")
    assert terminal.wait() == 0
    assert b"\x1b" not in terminal.output


def test_without_a_terminal_events_are_lines(proxy: FaultProxy, tmp_path: Path) -> None:
    """What broke, and that it goes on; one line each, no escape sequence."""
    proxy.faults = [Fault(cut=610_000)]
    ran = piped(proxy, tmp_path)
    assert ran.returncode == 0
    waited, resumed = ran.stderr.splitlines()
    assert waited.startswith("waiting ")
    assert waited.endswith(f": {proxy.host} ended the connection after 610000 of 1000000 bytes")
    assert " s for try 2 of 6: " in waited
    assert resumed.startswith("resuming ")
    assert resumed.endswith(" at 61 %")
    assert "\x1b" not in ran.stderr + ran.stdout


def test_a_pull_without_events_is_silent(proxy: FaultProxy, tmp_path: Path) -> None:
    """Its result stands on stdout."""
    ran = piped(proxy, tmp_path)
    assert ran.stderr == ""
    assert "fetched in" in ran.stdout


def test_with_json_stderr_is_for_errors_alone(proxy: FaultProxy, tmp_path: Path) -> None:
    """A script reads it as a document."""
    proxy.faults = [Fault(cut=610_000)]
    ran = piped(proxy, tmp_path, "--json")
    assert ran.returncode == 0
    assert ran.stderr == ""

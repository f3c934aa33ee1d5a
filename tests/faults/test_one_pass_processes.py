"""Processes that receive a version in one pass: killed, or several at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rolldeck.oci import Digest
from rolldeck.oci.follow import PREFIX_STEP
from rolldeck.release import Target
from tests.faults.test_processes import until
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.kits import PushedKit, files_below, push_kit
from tests.servers.registry import RunningRegistry

MIB = 1024 * 1024
UNDER_WAY = MIB
"""Bytes that may be in buffers of the system when a process dies."""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(proxy: FaultProxy, tmp_path: Path) -> Start:
    """Start a verb in a process of its own; ``REF`` stands for the reference."""

    def run(repository: str, *words: object) -> subprocess.Popen[str]:
        reference = f"{proxy.host}/{repository}:v1"
        said = [reference if word == "REF" else str(word) for word in words]
        environment = {**os.environ, "HOME": str(tmp_path / "home")}
        environment |= {"ROLLDECK_LIBRARY": str(tmp_path / "library")}
        return subprocess.Popen(
            [sys.executable, "-m", "rolldeck", *said, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )

    return run


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    found: dict[str, Any] = json.loads(out)
    return found


def fetched(proxy: FaultProxy, kit: PushedKit) -> int:
    """Bytes of the model's layer that were sent."""
    return sum(count for path, count in proxy.sent.items() if kit.model.digest in path)


WAYS = {
    "pull": (("pull", "--unpack", "DIR", "REF"), ""),
    "unpack": (("unpack", "REF", "-d", "DIR"), ""),
    "pin": (("pin", "REF", "DIR"), "current"),
}


@pytest.mark.parametrize("size", [14 * MIB, PREFIX_STEP + 14 * MIB])
@pytest.mark.parametrize("way", WAYS)
def test_a_killed_run_goes_on_where_it_was(
    docker_registry: RunningRegistry,
    proxy: FaultProxy,
    start: Start,
    tmp_path: Path,
    way: str,
    size: int,
) -> None:
    """SIGKILL three times; only what was in the system's buffers comes again."""
    kit = push_kit(docker_registry, tmp_path / "context", f"killed/{size}", {"a": size, "b": 100})
    proxy.only = kit.model.digest
    words, inside = WAYS[way]
    said = [str(tmp_path / "dest") if word == "DIR" else word for word in words]
    for part in (1, 2, 3):
        proxy.faults.append(Fault(stall=size // 4))
        process = start(kit.repository, *said)
        until(lambda wanted=part * (size // 4): fetched(proxy, kit) >= wanted)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not (tmp_path / "dest" / inside).is_dir() or not inside
        assert not files_below(tmp_path / "dest" / inside)
    document = finished(start(kit.repository, *said))
    assert document["digest"] == kit.manifest.digest
    assert files_below(tmp_path / "dest" / inside) == kit.files
    assert fetched(proxy, kit) <= kit.size + 3 * UNDER_WAY
    hidden = [path for path in tmp_path.rglob(".rolldeck-*") if path.name != ".rolldeck"]
    assert hidden == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_what_came(
    docker_registry: RunningRegistry,
    proxy: FaultProxy,
    start: Start,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    """The process ends by itself with the signal's code, and the next one goes on."""
    kit = push_kit(docker_registry, tmp_path / "context", "killed/signal", {"a": 12 * MIB})
    proxy.only = kit.model.digest
    proxy.faults = [Fault(stall=5 * MIB)]
    process = start(kit.repository, "pull", "--unpack", tmp_path / "dest", "REF")
    until(lambda: fetched(proxy, kit) == 5 * MIB)
    process.send_signal(number)
    process.communicate(timeout=10)
    assert process.returncode == 128 + number
    document = finished(start(kit.repository, "pull", "--unpack", tmp_path / "dest", "REF"))
    assert document["directory"] == str(tmp_path / "dest")
    assert document["kept"] is False
    assert fetched(proxy, kit) <= kit.size + UNDER_WAY
    assert files_below(tmp_path / "dest") == kit.files


def test_pins_of_one_version_fetch_it_once(
    docker_registry: RunningRegistry, proxy: FaultProxy, start: Start, tmp_path: Path
) -> None:
    """Four targets and a pull at the same time: the others wait, and use the first's release."""
    kit = push_kit(docker_registry, tmp_path / "context", "once/pins", {"a": 16 * MIB})
    proxy.only = kit.model.digest
    targets = [tmp_path / f"target-{number}" for number in range(4)]
    pins = [start(kit.repository, "pin", "REF", target) for target in targets]
    finished(start(kit.repository, "pull", "REF"))
    for pin, target in zip(pins, targets, strict=True):
        assert finished(pin)["digest"] == kit.manifest.digest
        assert files_below(target / "current") == kit.files
    assert fetched(proxy, kit) <= 1.05 * kit.size
    assert list((tmp_path / "library/partial").iterdir()) == []


def test_a_crash_between_release_and_switch_costs_nothing(
    docker_registry: RunningRegistry, proxy: FaultProxy, start: Start, tmp_path: Path
) -> None:
    """The release is there, so the next pin only switches."""
    kit = push_kit(docker_registry, tmp_path / "context", "killed/switch", {"a": 10 * MIB})
    finished(start(kit.repository, "pin", "REF", tmp_path / "target"))
    target = Target(tmp_path / "target")
    target.link.unlink()
    (tmp_path / "target/.rolldeck/history.jsonl").unlink()
    proxy.sent.clear()
    finished(start(kit.repository, "pin", "REF", tmp_path / "target"))
    assert fetched(proxy, kit) == 0
    assert target.current() == Digest(kit.manifest.digest)

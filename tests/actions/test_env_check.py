"""Reading this host and other interpreters, and the judgement of real versions."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rolldeck import actions
from rolldeck.actions import Workspace
from rolldeck.actions import gpus as gpus_module
from rolldeck.actions.gpus import Gpus, read_gpus
from rolldeck.actions.host_reading import read_host
from rolldeck.actions.interpreter import choose_interpreter, read_interpreter
from rolldeck.errors import UsageError
from rolldeck.fit import Gpu
from rolldeck.oci import Reference
from rolldeck.settings import Settings
from tests.fit.readings import a_host


def script(path: Path, text: str) -> Path:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


# Interpreters.


def test_the_running_interpreter_tells_what_it_is() -> None:
    """Version, tag of its ABI, and what is installed, under normalized names."""
    found = read_interpreter(Path(sys.executable))
    assert found.release == sys.version_info[:2]
    assert found.abi.startswith(f"cp{sys.version_info[0]}{sys.version_info[1]}")
    assert {"packaging", "pyyaml", "pytest-asyncio"} <= set(found.packages)
    assert found.markers["sys_platform"] == sys.platform


def test_variables_here_do_not_change_what_an_interpreter_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a module on PYTHONPATH would do is not run."""
    (tmp_path / "json.py").write_text("raise SystemExit('taken over')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert read_interpreter(Path(sys.executable)).implementation == "cpython"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo broken >&2; exit 3", "broken"),
        ("echo '[1]'", "does not answer as a Python interpreter does"),
        ("echo", "does not answer as a Python interpreter does"),
    ],
)
def test_what_is_no_interpreter_is_said(tmp_path: Path, text: str, said: str) -> None:
    """One line; chosen by hand it is a mistake of the caller."""
    path = script(tmp_path / "python", text)
    with pytest.raises(ValueError, match=said):
        read_interpreter(path)
    with pytest.raises(UsageError, match=said):
        read_host(path)


def test_an_interpreter_that_hangs_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is bounded."""
    monkeypatch.setattr("rolldeck.actions.interpreter.SECONDS", 0.05)
    with pytest.raises(ValueError, match="did not answer"):
        read_interpreter(script(tmp_path / "python", "exec sleep 60"))


def test_which_interpreter_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chosen one, the active environment's, the one on the path, in this order."""
    venv = script(tmp_path / "venv" / "bin" / "python", "true")
    conda = script(tmp_path / "conda" / "bin" / "python", "true")
    plain = script(tmp_path / "bin" / "python3", "true")
    monkeypatch.setenv("PATH", str(plain.parent))
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "venv"))
    monkeypatch.setenv("CONDA_PREFIX", str(tmp_path / "conda"))
    assert choose_interpreter(tmp_path / "conda") == conda
    assert choose_interpreter(Path("python3")) == plain
    assert choose_interpreter(None) == venv
    monkeypatch.delenv("VIRTUAL_ENV")
    assert choose_interpreter(None) == conda
    monkeypatch.delenv("CONDA_PREFIX")
    assert choose_interpreter(None) == plain
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose_interpreter(None) is None
    assert read_host().python_problem == "there is no python3 on the path"
    with pytest.raises(UsageError, match="no interpreter"):
        choose_interpreter(tmp_path / "nowhere")


# GPUs.


@pytest.fixture
def no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host without bindings, tool and driver; returns the directory for programs."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    monkeypatch.setattr(gpus_module, "_DRIVER", tmp_path / "version")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_without_a_driver_there_is_nothing_and_no_error(no_gpu: Path) -> None:
    """It says why."""
    assert read_gpus() == Gpus(problem="no NVIDIA driver is visible")


def test_the_driver_s_tool(no_gpu: Path) -> None:
    """What it does not know of a GPU stays unknown."""
    script(
        no_gpu / "nvidia-smi",
        "echo '570.86.15, NVIDIA H100 80GB HBM3, 81559, 9.0';"
        "echo '570.86.15, NVIDIA Other, [N/A], [N/A]'",
    )
    expected = (Gpu("NVIDIA H100 80GB HBM3", 81559 * 1024**2, "9.0"), Gpu("NVIDIA Other"))
    assert read_gpus() == Gpus("570.86.15", expected)


def test_a_tool_that_fails_leaves_the_kernel(no_gpu: Path) -> None:
    """The driver alone is known then."""
    script(no_gpu / "nvidia-smi", "echo 'NVIDIA-SMI has failed'; exit 9")
    (no_gpu / "version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.82.01  Wed Oct 27 2021\n"
    )
    found = read_gpus()
    assert (found.driver, found.gpus) == ("470.82.01", ())
    assert "nvidia-smi" in found.problem


class FakeNvml(SimpleNamespace):
    """The bindings as far as they are used, over made-up GPUs."""

    class NVMLError(Exception):
        """What the bindings raise."""

    def __init__(self, gpus: list[Any], broken: bool = False) -> None:
        super().__init__(shut=0)
        self.gpus, self.broken = gpus, broken

    def nvmlInit(self) -> None:
        """Begin."""
        if self.broken:
            raise self.NVMLError("library not found")

    def nvmlShutdown(self) -> None:
        """End."""
        self.shut += 1

    def nvmlSystemGetDriverVersion(self) -> bytes:
        """Old bindings give bytes."""
        return b"580.65.06"

    def nvmlDeviceGetCount(self) -> int:
        """How many there are."""
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any:
        """One of them."""
        return self.gpus[index]

    def nvmlDeviceGetName(self, handle: Any) -> str:
        """Its name."""
        return str(handle["name"])

    def nvmlDeviceGetMemoryInfo(self, handle: Any) -> Any:
        """Its memory, which a part of a GPU may not tell."""
        if "memory" not in handle:
            raise self.NVMLError("not supported")
        return SimpleNamespace(total=handle["memory"])

    def nvmlDeviceGetCudaComputeCapability(self, handle: Any) -> tuple[int, int]:
        """Its compute capability."""
        return 9, 0


def test_nvml_s_bindings_come_first_and_are_closed(
    no_gpu: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tool is not run then."""
    script(no_gpu / "nvidia-smi", f"touch {no_gpu}/ran")
    nvml = FakeNvml([{"name": "H200", "memory": 2**37}, {"name": "part"}])
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    expected = (Gpu("H200", 2**37, "9.0"), Gpu("part", None, "9.0"))
    assert read_gpus() == Gpus("580.65.06", expected)
    assert nvml.shut == 1
    assert not (no_gpu / "ran").exists()


def test_bindings_without_a_driver(no_gpu: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They raise, which is no error."""
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml([], broken=True))
    assert read_gpus().problem == "no NVIDIA driver is visible"


# Versions.


async def test_a_real_version_against_recorded_hosts(golden: Path, tmp_path: Path) -> None:
    """By reference, or as it was read; the golden kits were made with Python 3.11.7."""
    workspace = Workspace(Settings(library=tmp_path))
    reference = Reference.parse(f"oci:{golden}/layouts/wdbc:v1.0.0")
    version = await actions.load_version(workspace, reference)
    by_reference = await actions.fit(workspace, reference, a_host("no-gpu"))
    assert by_reference == await actions.fit(workspace, version, a_host("no-gpu"))
    assert by_reference.fits is False
    details = {item.what: item.detail for item in by_reference.findings}
    assert details["joblib"] == "is not installed"

"""Reading the NVIDIA driver and GPUs of this host, through the driver's own library. Blocks."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rolldeck.fit import Gpu
from rolldeck.text import clean_line

SECONDS = 15.0
"""Longest time that the driver's own tool may take."""

_DRIVER = Path("/proc/driver/nvidia/version")
_MOST = 64
_FIELDS = "driver_version,name,memory.total,compute_cap"
_MIB = 1024**2


@dataclass(frozen=True, slots=True)
class Gpus:
    """The driver's version and the GPUs; ``problem`` says why there are none."""

    driver: str | None = None
    gpus: tuple[Gpu, ...] = ()
    problem: str = ""


def read_gpus() -> Gpus:
    """Ask NVML through nvidia-ml-py where that is installed, else the tool that is part of the
    driver, else the kernel, which knows the driver alone. Never raises."""
    if (found := _through_nvml()) is not None:
        return found
    if (found := _through_tool()) is not None:
        return found
    if driver := _of_kernel():
        return Gpus(driver, problem="neither nvidia-smi nor nvidia-ml-py is here")
    return Gpus(problem="no NVIDIA driver is visible")


def _through_nvml() -> Gpus | None:
    """Return what NVML says; None where its bindings or the library are not here."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError, OSError):
        return None
    try:
        driver = _text(pynvml.nvmlSystemGetDriverVersion())
        count = min(int(pynvml.nvmlDeviceGetCount()), _MOST)
        return Gpus(driver, *_told([_device(pynvml, index) for index in range(count)]))
    except (pynvml.NVMLError, OSError, ValueError):
        return None
    finally:
        with suppress(pynvml.NVMLError, OSError):
            pynvml.nvmlShutdown()


def _device(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = capability = None
    with suppress(nvml.NVMLError):  # a part of a GPU may not tell
        memory = int(nvml.nvmlDeviceGetMemoryInfo(handle).total)
    with suppress(nvml.NVMLError):
        major, minor = nvml.nvmlDeviceGetCudaComputeCapability(handle)
        capability = f"{major}.{minor}"
    return Gpu(_text(nvml.nvmlDeviceGetName(handle)), memory, capability)


def _through_tool() -> Gpus | None:
    """Return what the driver's own tool says; None where it is not here or fails."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    try:
        done = subprocess.run(
            [tool, f"--query-gpu={_FIELDS}", "--format=csv,noheader,nounits"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    rows = [
        [cell.strip() for cell in line.split(",")]
        for line in done.stdout.decode("utf-8", "replace").splitlines()[:_MOST]
    ]
    rows = [row for row in rows if len(row) == 4]
    if not rows:
        return None
    return Gpus(clean_line(rows[0][0], 40), *_told([_gpu(*row[1:]) for row in rows]))


def _gpu(name: str, memory: str, capability: str) -> Gpu:
    known = re.fullmatch(r"\d+\.\d+", capability, re.ASCII) is not None
    size = int(memory) * _MIB if memory.isascii() and memory.isdecimal() else None
    return Gpu(clean_line(name, 100), size, capability if known else None)


def _of_kernel() -> str | None:
    with suppress(OSError):
        found = re.search(r"\b\d{3,4}\.\d+(\.\d+)?\b", _DRIVER.read_text("ascii", "replace")[:4096])
        return found[0] if found else None
    return None


def _told(gpus: list[Gpu]) -> tuple[tuple[Gpu, ...], str]:
    return tuple(gpus), "" if gpus else "the driver sees none"


def _text(value: str | bytes) -> str:
    found = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return clean_line(found, 100)

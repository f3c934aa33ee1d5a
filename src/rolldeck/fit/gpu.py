"""CUDA, driver and GPUs of a version against those of a host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rolldeck.facts import Facts
from rolldeck.facts.package_versions import exact_versions
from rolldeck.fit.cuda import (
    first_cuda,
    full_driver,
    oldest_capability,
    oldest_driver,
    surely_too_old,
)
from rolldeck.fit.host import Gpu, Host, numbers
from rolldeck.fit.model import Finding
from rolldeck.fit.system import Recorded
from rolldeck.units import human_size

_LOCAL = re.compile(r"\+cu(\d{2,3})\b")
_RUNTIME = re.compile(r"nvidia-cuda-runtime(?:-cu\d+)?")
_SIZE = re.compile(r"([\d.]+) (B|KiB|MiB|GiB|TiB|PiB)")
_BYTES = {"B": 0, "KiB": 1, "MiB": 2, "GiB": 3, "TiB": 4, "PiB": 5}


@dataclass(frozen=True, slots=True)
class Cuda:
    """The CUDA that a version asks for: ``what`` with ``version`` asks for ``release``."""

    what: str
    version: str
    release: tuple[int, ...]

    @property
    def text(self) -> str:
        """The toolkit as people write it: ``CUDA 12.8``."""
        return f"CUDA {_dotted(self.release)}"


def wanted_cuda(facts: Facts, host: Host) -> Cuda | None:
    """Return the CUDA that would be used here, None where nothing asks for any.

    A build of a package names it most exactly (``2.7.0+cu128``), and what is installed here counts
    before what the version recorded; then the runtime that a lock names, the base image, and what
    the run had.
    """
    installed = host.python.packages if host.python else {}
    runtimes = []
    for package in facts.packages:
        here = installed.get(package.name, "")
        version = here if "+" in here else (exact_versions(package.value) or ("",))[0]
        if found := _LOCAL.search(version):
            digits = found[1]
            return Cuda(package.name, version, (int(digits[:-1]), int(digits[-1])))
        if _RUNTIME.fullmatch(package.name):
            runtimes.append(Cuda(package.name, version, numbers(version, 2)))
    recorded = Recorded.of(facts)
    for what, group in (("base image with CUDA", "image"), ("CUDA", "hardware")):
        if stated := recorded.get(group, "cuda"):
            runtimes.append(Cuda(what, stated, numbers(stated, 2)))
    return next((item for item in runtimes if item.release), None)


def gpu_findings(facts: Facts, weights: int, host: Host) -> Iterator[Finding]:
    """Yield what speaks for or against this host's GPUs; without any it says so."""
    cuda, recorded = wanted_cuda(facts, host), Recorded.of(facts)
    had_gpu = recorded.get("hardware", "gpu 0")
    if host.driver is None:
        what = cuda.what if cuda else "GPU"
        version = cuda.version if cuda else had_gpu
        if cuda or had_gpu:
            words = "finds no GPU here" if cuda else "is not here"
            detail = f"{words}: {host.gpu_problem}"
            yield Finding(what, version, None, "warn", detail)
        else:
            yield Finding("GPU", None, None, "info", f"is not here: {host.gpu_problem}")
        return
    if cuda is not None:
        yield from _driver(cuda, host.driver)
        for gpu in dict.fromkeys(host.gpus):
            yield from _capability(cuda, gpu)
    if not host.gpus:
        yield Finding("GPU", None, host.driver, "info", f"was not read: {host.gpu_problem}")
        return
    yield from _memory(recorded, weights, host.gpus)
    yield from _recorded_gpus(recorded, host.gpus)


def _driver(cuda: Cuda, driver: str) -> Iterator[Finding]:
    here, oldest, full = numbers(driver), oldest_driver(cuda.release), full_driver(cuda.release)
    if oldest is None:
        detail = f"asks for {cuda.text}; which driver that needs is not known, here {driver}"
        yield Finding(cuda.what, cuda.version, driver, "info", detail)
    elif surely_too_old(cuda.release, here):
        detail = (
            f"wants driver ≥ {_dotted(oldest)}, here {driver}; blocked unless cuda-compat is here"
        )
        yield Finding(cuda.what, cuda.version, driver, "blocker", detail)
    elif here < oldest:
        detail = f"wants driver ≥ {_dotted(oldest)}, here {driver} of the same branch: may fail"
        yield Finding(cuda.what, cuda.version, driver, "warn", detail)
    elif full is not None and here < full:
        detail = (
            f"has all features of {cuda.text} from driver {_dotted(full)} on, here {driver}: code"
            " that is compiled when it runs may fail"
        )
        yield Finding(cuda.what, cuda.version, driver, "warn", detail)


def _capability(cuda: Cuda, gpu: Gpu) -> Iterator[Finding]:
    here = numbers(gpu.capability, 2)
    if not here:
        return
    oldest, first = oldest_capability(cuda.release), first_cuda(here)
    shown = f"{gpu.name} with compute capability {gpu.capability}"
    if oldest is not None and here < oldest:
        detail = f"supports GPUs from compute capability {_dotted(oldest)} on, here {shown}"
        yield Finding(cuda.what, cuda.version, shown, "blocker", detail)
    elif first is not None and len(cuda.release) > 1 and cuda.release[:2] < first:
        detail = f"is older than {shown}, which CUDA {_dotted(first)} is the first to know"
        yield Finding(cuda.what, cuda.version, shown, "warn", detail)


def _memory(recorded: Recorded, weights: int, gpus: tuple[Gpu, ...]) -> Iterator[Finding]:
    sizes = [gpu.memory for gpu in gpus if gpu.memory is not None]
    if not sizes:
        return
    shown = (
        human_size(max(sizes)) if len(sizes) == 1 else f"{human_size(sum(sizes))} in {len(sizes)}"
    )
    if weights > sum(sizes):
        detail = f"are more than the GPU memory here, {shown}"
        yield Finding("weights of", human_size(weights), shown, "warn", detail)
    elif weights > max(sizes):
        detail = f"are more than one GPU has here, {shown}"
        yield Finding("weights of", human_size(weights), shown, "info", detail)
    had = recorded.get("hardware", "gpu 0 memory")
    if had and (there := _bytes(had)) is not None and max(sizes) < 0.95 * there:
        detail = f"is {human_size(max(sizes))} here"
        yield Finding("GPU memory", had, human_size(max(sizes)), "info", detail)


def _recorded_gpus(recorded: Recorded, gpus: tuple[Gpu, ...]) -> Iterator[Finding]:
    had = recorded.get("hardware", "gpu 0 compute capability")
    best = max((numbers(gpu.capability, 2) for gpu in gpus), default=())
    if had and best and best < numbers(had, 2):
        detail = f"is {_dotted(best)} here"
        yield Finding("compute capability", had, _dotted(best), "warn", detail)
    count = sum(
        group == "hardware" and re.fullmatch(r"gpu \d+", name) is not None
        for group, name in recorded.values
    )
    if count > len(gpus):
        yield Finding("GPUs", str(count), str(len(gpus)), "info", f"are {len(gpus)} here")


def _bytes(text: str) -> float | None:
    found = _SIZE.fullmatch(text)
    if found is None or found[1].count(".") > 1 or found[1] == ".":
        return None
    return float(found[1]) * 1024.0 ** _BYTES[found[2]]


def _dotted(version: tuple[int, ...]) -> str:
    if len(version) > 2:
        return ".".join((str(version[0]), *(f"{part:02d}" for part in version[1:])))
    return ".".join(map(str, version))

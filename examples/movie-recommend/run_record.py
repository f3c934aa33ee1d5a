"""Describe a training run: what the `modelrun` record of a kit holds.

Standard library only, so that recording a run adds nothing to the environment it records.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

CAPTURED_BY = "movie-recommend/train"
RECORDED_VARIABLES = ("OMP_NUM_THREADS",)
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
SIGNATURE = {
    "inputs": [
        {"name": "user", "type": "long", "required": True},
        {"name": "n", "type": "long", "required": False},
    ],
    "outputs": [
        {"name": "movie_id", "type": "long"},
        {"name": "title", "type": "string"},
        {"name": "score", "type": "double"},
    ],
}


def now() -> str:
    """The clock, in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def sha256(data: bytes) -> str:
    """A digest in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def processor_name() -> str | None:
    """The processor's name as Linux gives it; None elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, None)


def hardware() -> dict[str, Any]:
    """Processor and memory; the training uses no GPU, so nothing is said about one."""
    found: dict[str, Any] = {}
    if name := processor_name():
        found["host.cpu.model.name"] = name
    if sys.platform == "linux":
        found["memoryBytes"] = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return found


def system_description() -> str:
    """The operating system's own name for itself."""
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"


def environment() -> dict[str, Any]:
    """What the interpreter that runs this can say about where it runs."""
    found: dict[str, Any] = {
        "completeness": "freeze",
        "process.runtime.name": platform.python_implementation().lower(),
        "process.runtime.version": platform.python_version(),
        "os.type": platform.system().lower(),
        "os.description": system_description(),
        "host.arch": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "environmentVariables": [
            {"name": name, "value": os.environ[name]}
            for name in RECORDED_VARIABLES
            if name in os.environ
        ],
        "hardware": hardware(),
    }
    library, version = platform.libc_ver()
    if library:
        found["libc"] = {"name": library, "version": version}
    return found


def packages() -> list[dict[str, str]]:
    """Every installed distribution as a package URL."""
    names = {
        f"pkg:pypi/{found.name.lower().replace('_', '-')}@{found.version}"
        for found in metadata.distributions()
    }
    return [{"purl": purl} for purl in sorted(names)]


def data_dependency(root: Path, name: str, role: str) -> dict[str, Any]:
    """A packed CSV file as something that the run read."""
    path = f"data/{name}.csv"
    return {
        "role": role,
        "name": name,
        "uri": f"file:{path}",
        "mediaType": "text/csv",
        "digest": {"sha256": sha256((root / path).read_bytes())},
    }


def record(
    root: Path,
    run: dict[str, str],
    training: dict[str, Any],
    metrics: list[dict[str, Any]],
    data_seed: int,
) -> dict[str, Any]:
    """The full record of one run, to be written as modelrun/run.json."""
    histories = training.get("history", {})
    seeds: dict[str, Any] = {"data": data_seed} | training["seeds"]
    if "PYTHONHASHSEED" in os.environ:
        seeds["PYTHONHASHSEED"] = os.environ["PYTHONHASHSEED"]
    return {
        "schemaVersion": "1.0",
        "capturedAt": now(),
        "capturedBy": CAPTURED_BY,
        "run": run,
        "metrics": [with_history(entry, histories.get(entry["name"])) for entry in metrics],
        "parameters": training["parameters"],
        "seeds": seeds,
        "resolvedDependencies": [
            data_dependency(root, "ratings", "training"),
            data_dependency(root, "ratings", "evaluation"),
            data_dependency(root, "movies", "evaluation"),
        ],
        "environment": environment(),
        "signature": SIGNATURE,
        "packages": packages(),
    }


def with_history(entry: dict[str, Any], history: list[list[float]] | None) -> dict[str, Any]:
    """A metric with the values it had on the way, where there are any."""
    if history is None:
        return entry
    return entry | {"step": history[-1][0], "aggregation": "last", "history": history}


def to_bytes(full: dict[str, Any]) -> bytes:
    """The bytes of run.json: strict JSON, sorted, so that its digest can be checked."""
    return (json.dumps(full, allow_nan=False, sort_keys=True, indent=1) + "\n").encode()


def without_bulk(full: dict[str, Any], path: str) -> dict[str, Any]:
    """The record as the Kitfile carries it: no packages, no histories, but where they are."""
    slim = {key: value for key, value in full.items() if key != "packages"}
    slim["metrics"] = [
        {key: value for key, value in entry.items() if key != "history"}
        for entry in full["metrics"]
    ]
    return slim | {"full": {"path": path, "digest": {"sha256": sha256(to_bytes(full))}}}

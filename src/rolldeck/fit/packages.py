"""The packages of a version against those that are installed in an interpreter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rolldeck.facts import Facts
from rolldeck.facts.package_versions import is_pinned, same_version, step
from rolldeck.facts.packages import UNKNOWN, UNPINNED
from rolldeck.fit.host import Interpreter, numbers
from rolldeck.fit.markers import in_range, marker_holds
from rolldeck.fit.model import Finding, Severity
from rolldeck.fit.words import some

_FORMAT_LIBRARIES = frozenset(
    {
        "catboost", "cloudpickle", "joblib", "jax", "keras", "lightgbm", "mlflow", "numpy", "onnx",
        "onnxruntime", "pandas", "safetensors", "scikit-learn", "scipy", "skops", "tensorflow",
        "tokenizers", "torch", "transformers", "xgboost",
    }
)  # fmt: skip
"""Packages that read what was saved: another minor version may read it in another way,
another major one not at all."""

_SAME_PACKAGE = {"pytorch": "torch", "pytorch-gpu": "torch", "pytorch-cpu": "torch"}
"""Names in conda's channels where Python's metadata has another one."""

_TOOLS = frozenset({"pip", "setuptools", "wheel", "python"})
_ALTERNATIVE = re.compile(r" or (?=[\d@<>=!~]|unpinned\b|unknown\b)")
_CONDA = re.compile(r"(conda|pixi|environment|explicit|spec-(file|list))", re.IGNORECASE)

_SUBDIRS = {
    ("linux", "x86_64"): "linux-64",
    ("linux", "aarch64"): "linux-aarch64",
    ("darwin", "arm64"): "osx-arm64",
    ("darwin", "x86_64"): "osx-64",
}


@dataclass(frozen=True, slots=True)
class _Wanted:
    name: str
    version: str


def package_findings(facts: Facts, python: Interpreter) -> Iterator[Finding]:
    """Yield what is missing, what differs, and what else is installed, in the order of the list.

    Packages of other systems than Python's are not compared. A list that tells what was installed
    names more than is needed, so that what is missing of it is a warning.
    """
    source = facts.packages_source or ""
    conda = bool(_CONDA.search(source.rpartition("/")[2]))
    needed = facts.completeness not in ("freeze", "sbom")
    wanted = list(_wanted(facts, python))
    unknown: list[str] = []
    for item in wanted:
        installed = python.packages.get(item.name)
        if installed is not None:
            yield from _version(item, installed)
        elif conda and item.name not in _FORMAT_LIBRARIES:
            unknown.append(item.name)
        else:
            blocks = needed or item.name in _FORMAT_LIBRARIES
            severity: Severity = "blocker" if blocks else "warn"
            version = item.version if is_pinned(item.version) else None
            yield Finding(item.name, version, None, severity, "is not installed")
    if unknown:
        detail = f"of {source} that Python does not know are not compared: {some(unknown)}"
        yield Finding("packages", None, None, "info", detail)
    if facts.packages_complete and wanted:
        yield from _extra({item.name for item in wanted}, python)


def _wanted(facts: Facts, python: Interpreter) -> Iterator[_Wanted]:
    for package in facts.packages:
        name = _SAME_PACKAGE.get(package.name, package.name)
        if ":" in name or name.startswith("_") or name in _TOOLS:
            continue
        for alternative in _ALTERNATIVE.split(package.value):
            version, _, where = alternative.partition(" ")
            if _is_here(where, python):
                yield _Wanted(name, version)
                break


def _is_here(where: str, python: Interpreter) -> bool:
    """Whether a package is needed here, told from what stands behind its version."""
    if where.startswith("if "):
        return marker_holds(where[3:], python.markers)
    if where.startswith("in "):
        return False
    if where.startswith("on "):
        system = python.markers.get("sys_platform", "")
        subdir = _SUBDIRS.get((system, python.markers.get("platform_machine", "")))
        places = [place.strip().removeprefix("on ") for place in where.split(",")]
        return subdir is None or subdir in places
    return True


def _version(item: _Wanted, installed: str) -> Iterator[Finding]:
    wanted = item.version
    if wanted in (UNPINNED, UNKNOWN) or wanted.startswith("@"):
        return
    if not is_pinned(wanted):
        if in_range(installed, wanted) is False:
            detail = f"is required, here {installed}"
            yield Finding(item.name, wanted, installed, "blocker", detail)
        return
    moved = None if same_version(wanted, installed) else step(wanted, installed)
    if moved is None:
        return
    if moved == "other build":
        if "+" in wanted:
            detail = f"is {installed} here, another build"
            yield Finding(item.name, wanted, installed, "warn", detail)
        return
    detail = f"is {installed} here, {moved}"
    yield Finding(item.name, wanted, installed, _severity(item, installed), detail)


def _severity(item: _Wanted, installed: str) -> Severity:
    there, here = numbers(item.version, 2), numbers(installed, 2)
    if there[:1] != here[:1]:
        return "blocker" if item.name in _FORMAT_LIBRARIES else "warn"
    if there != here:
        return "warn" if item.name in _FORMAT_LIBRARIES else "info"
    return "info"


def _extra(wanted: set[str], python: Interpreter) -> Iterator[Finding]:
    extra = sorted(set(python.packages) - wanted - _TOOLS)
    if extra:
        detail = f"that the version does not name are installed here: {some(extra)}"
        yield Finding("packages", None, None, "info", detail)

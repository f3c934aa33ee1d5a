"""Readings of several machines, as the host reader would give them, and facts to hold against."""

from __future__ import annotations

import json
from pathlib import Path

from rolldeck.facts import EnvironmentFact, Facts
from rolldeck.facts.model import LISTING
from rolldeck.fit import Gpu, Host, Interpreter

HOSTS = Path(__file__).parent / "hosts"


def a_host(name: str) -> Host:
    """Return a recorded reading."""
    document = json.loads((HOSTS / f"{name}.json").read_text("utf-8"))
    python, features = document.pop("python"), document.pop("cpu_features")
    gpus = tuple(Gpu(**gpu) for gpu in document.pop("gpus", ()))
    return Host(
        **document,
        gpus=gpus,
        cpu_features=None if features is None else frozenset(features),
        python=Interpreter(**python) if python else None,
    )


def a_version(
    packages: dict[str, str] | None = None,
    completeness: str = "pins",
    source: str = "requirements.txt",
    **recorded: str,
) -> Facts:
    """Return facts: packages, and other things as ``group__name="value"``."""
    found = [
        EnvironmentFact("package", name, value, source) for name, value in (packages or {}).items()
    ]
    if found:
        found.append(EnvironmentFact(LISTING, "completeness", completeness, source))
    for key, value in recorded.items():
        group, _, name = key.partition("__")
        found.append(EnvironmentFact(group, name.replace("_", " "), value, "run.json"))
    return Facts(environment=tuple(found))

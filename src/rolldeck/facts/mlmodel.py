"""``MLmodel``, the description that MLflow writes beside a model."""

from __future__ import annotations

import re

from rolldeck.facts.document import text
from rolldeck.facts.model import EnvironmentFact, Facts
from rolldeck.text import clean_line

_LIMIT = 1024 * 1024
_PYTHON_VERSION = re.compile(rb"^[ \t]*python_version:[ \t]*['\"]?([0-9][\w.+-]*)", re.MULTILINE)


def read(path: str, data: bytes) -> Facts:
    """Return the Python version."""
    match = _PYTHON_VERSION.search(data[:_LIMIT])
    version = text(match[1].decode("ascii", errors="replace")) if match else None
    if version is None:
        return Facts()
    return Facts(environment=(EnvironmentFact("python", "version", version, clean_line(path)),))

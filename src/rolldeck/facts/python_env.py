"""``python_env.yaml``, the Python environment that MLflow writes beside a model."""

from __future__ import annotations

from rolldeck.facts.document import items, mapping, text
from rolldeck.facts.load import UnreadableFile, load_yaml
from rolldeck.facts.model import Facts
from rolldeck.facts.packages import PackageList, listed, unreadable
from rolldeck.facts.requirements import read_requirements


def read(path: str, data: bytes) -> Facts:
    """Return the Python version, and the packages where they stand in the file itself."""
    try:
        document = mapping(load_yaml(data, as_text=True))
    except UnreadableFile as error:
        return unreadable(path, error)
    found = read_requirements(str(line) for line in items(document.get("dependencies")))
    stated = listed(item.version for item in found.packages)
    python = text(document.get("python"))
    exact = python is not None and python.count(".") >= 2
    return PackageList(
        path,
        stated,
        found.packages,
        python=python if exact else None,
        requires_python=f"=={python}.*" if python and not exact else None,
    ).facts()

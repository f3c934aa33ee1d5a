"""One package as conda writes it: a spec, or the URL of a package file.

``numpy=2.2``, ``numpy=2.2.1=py311_0``, ``conda-forge/linux-64::numpy >=2``,
``numpy[version='>=2',build=*cuda*]``; what ``conda`` calls a MatchSpec.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from rolldeck.facts.packages import UNPINNED, Package

_SPEC = re.compile(r"(?:[^\s\[\]]*::)?([A-Za-z0-9_][\w.-]*)\s*([^\[]*)(?:\[([^\]]*)\])?", re.DOTALL)
_FIELD = re.compile(r"(version|build)\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|([^,\s]*))")
_ONE = re.compile(r"(={0,2})\s*([^=<>!~,|\s]+)(?:[=\s]\s*(\S+))?")
_FILE = re.compile(r"(.+)-([^-]+)-([^-]+?)(?:\.conda|\.tar\.bz2)")
_VARIANT = re.compile(r"cuda|cpu|gpu|rocm", re.IGNORECASE)
_LIMIT = 1000
"""Longest spec read, in characters."""


def read_spec(spec: str) -> tuple[Package, bool] | None:
    """Return the package that a spec asks for, and whether it names the build too."""
    match = _SPEC.fullmatch(spec[:_LIMIT].partition("#")[0].strip())
    if match is None:
        return None
    fields = {key: a or b or c for key, a, b, c in _FIELD.findall(match[3] or "")}
    version, build = _version(match[2].strip() or fields.get("version", ""))
    build = build or fields.get("build")
    return Package(match[1], with_variant(version, build)), bool(build)


def _version(text: str) -> tuple[str, str | None]:
    """Return version and build of what stands behind a name; ``=3.11`` means ``3.11.*``."""
    text = text.strip()
    if not text or text == "*":
        return UNPINNED, None
    one = _ONE.fullmatch(text)
    if one is None:
        text = "".join(text.split())
        return f"={text}" if text[0].isdigit() else text, None
    operator, version, build = one.groups()
    stem = version.removesuffix("*").removesuffix(".")
    starred = stem != version
    if not stem:
        return UNPINNED, build
    exact = operator == "==" or not operator or build or stem.count(".") >= 2
    return (f"=={stem}.*" if starred or not exact else stem), build


def read_file_name(address: str) -> tuple[str, str, str] | None:
    """Return name, version and build of the package file that a URL ends with."""
    base = unquote(address.partition("#")[0].rstrip("/").rpartition("/")[2])
    match = _FILE.fullmatch(base)
    return (match[1], match[2], match[3]) if match else None


def platform_of(address: str) -> str | None:
    """Return the platform in whose directory the package file of a URL lies."""
    parts = address.split("/")
    return parts[-2] if len(parts) > 1 else None


def with_variant(version: str, build: str | None) -> str:
    """Return the version, with the build where that says which hardware it is for.

    Other builds differ on every platform and would hide what matters.
    """
    return f"{version} {build}" if build and _VARIANT.search(build) else version

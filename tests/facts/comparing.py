"""What a comparison shows of files, for tests that change one of them."""

from __future__ import annotations

from collections.abc import Mapping

from rolldeck.compare import Row, SectionName, Version, compare
from rolldeck.facts import collect
from tests.facts.kits import make_kit

Files = Mapping[str, bytes]


def differing(a: Files, b: Files, section: SectionName) -> dict[str, Row]:
    """Return the rows of a section that differ between two kits that hold only these files."""
    versions = []
    for label, files in (("a", a), ("b", b)):
        kit = make_kit(None, {"side": label})
        versions.append(Version(label, label, kit, collect(kit, files), files))
    rows = compare(*versions).section(section).rows
    return {row.key: row for row in rows if row.status != "equal"}


def changed(path: str, before: bytes, old: bytes, new: bytes) -> tuple[Files, Files]:
    """Return a file as it is and with ``old`` replaced by ``new``, which must be in it."""
    assert old in before
    return {path: before}, {path: before.replace(old, new)}

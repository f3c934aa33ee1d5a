"""The environments of two versions: packages by version, and what else is known of either."""

from __future__ import annotations

from dataclasses import replace

from rolldeck.compare.model import Cell, Row
from rolldeck.compare.values import rows_by_key
from rolldeck.facts.model import Facts
from rolldeck.facts.package_versions import same_version, step


def environment_rows(a: Facts, b: Facts) -> list[Row]:
    """Return rows for the environment: packages under their name, the rest behind its group.

    Versions are equal as PEP 440 says (``1.0`` is ``1.0.0``). A package that only one side names
    was added or removed only where the other side's list is complete; else that is unknown.
    """
    packages = {item.name for facts in (a, b) for item in facts.packages}
    rows = rows_by_key(_environment(a), _environment(b))
    return [_package_row(row, a, b) if row.key in packages else row for row in rows]


def _environment(facts: Facts) -> dict[str, Cell]:
    return {
        item.name if item.group == "package" else f"{item.group} {item.name}": item.value
        for item in facts.environment
    }


def _package_row(row: Row, a: Facts, b: Facts) -> Row:
    if row.status == "changed":
        before, after = str(row.a), str(row.b)
        if same_version(before, after):
            return Row(row.key, "equal", row.a, row.b)
        return replace(row, note=step(before, after) or "")
    if row.status == "equal":
        return row
    side, other = ("A", a) if row.status == "added" else ("B", b)
    if other.packages_complete:
        return row
    source = other.packages_source
    note = f"{source} of {side} does not list all" if source else f"no packages known of {side}"
    return replace(row, verdict="unknown", note=note)

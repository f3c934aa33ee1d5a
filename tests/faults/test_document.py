"""docs/faults.md names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_fault_has_its_test() -> None:
    """A renamed test must not leave a promise without proof."""
    rows = [line for line in (ROOT / "docs" / "faults.md").read_text().splitlines() if "::" in line]
    assert len(rows) > 50
    for row in rows:
        place, name = re.findall(r"`([\w/]+\.py)::(\w+)`", row)[0]
        file = ROOT / "tests" / (place if "/" in place else f"faults/{place}")
        assert f"def {name}(" in file.read_text(), row

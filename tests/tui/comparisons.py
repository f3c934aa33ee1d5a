"""A made-up comparison with a section of every kind."""

from __future__ import annotations

from dataclasses import replace

from rolldeck.compare import Comparison, Row, Section, Side, Version
from tests.golden_kits import load_version

HOSTILE = "[/][@click=app.quit]x[/]\x1b]52;c;aGk=\x07\u202e\r\n"

A = Side("host/team/fraud:v2.4.0", "sha256:77ab90c1f2d4" + "0" * 52, "v2.4.0")
B = Side("host/team/fraud:v2.4.1", "sha256:9f3c2ab1d0e7" + "1" * 52, "v2.4.1")

METRICS = Section(
    "metrics",
    (
        Row("f1", "changed", 0.912, 0.884, -0.028, -0.0307, "worse", None, True, "within noise"),
        Row("p95", "changed", 41, 63, 22.0, 0.5366, "worse", "ms", False),
        Row("auc", "changed", 0.951, 0.955, 0.004, 0.0042, "better", None, True),
        Row("fresh", "added", None, 0.2, verdict="unknown"),
        Row("drift", "equal", 0.5, 0.5, 0.0, 0.0),
    ),
)
PARAMETERS = Section(
    "parameters",
    (
        Row("epochs", "changed", 12, 20, 8.0, 0.6667),
        Row(
            "prompt",
            "changed",
            "answer briefly and never speak about the weather of yesterday, only today " * 2 + "a",
            "answer briefly and never speak about the weather of yesterday, only today " * 2 + "b",
        ),
        *(Row(f"p{number}", "equal", 1, 1) for number in range(115)),
    ),
)
KITFILE = Section("kitfile", (Row("package.version", "changed", "2.4.0", "2.4.1"),))
DATA = Section("data", (Row("rows", "equal", "sha256:" + "a" * 64, "sha256:" + "a" * 64),))
CODE = Section(
    "code",
    (
        Row("train.py", "changed", "sha256:" + "a" * 64, "sha256:" + "b" * 64, note="+1 -1"),
        Row("old.py", "removed", "sha256:" + "a" * 64, None, note="-7"),
    ),
)


def comparison(*sections: Section, summary: str = "2 metrics worse · data same") -> Comparison:
    """Return a comparison of the sections."""
    return Comparison(A, B, False, summary, sections)


ALL = comparison(KITFILE, METRICS, PARAMETERS, CODE, DATA, Section("signature", ()))

TRAIN = """import torch

def optimizer(model):
    return AdamW(model.parameters(), lr=3e-4)
"""


def versions() -> tuple[Version, Version]:
    """Return two versions with the files that the comparison lists."""
    a, b = load_version("wdbc:v1.0.0"), load_version("wdbc:v1.2.0")
    files = {"train.py": TRAIN.encode(), "old.py": b"1\n" * 7}
    changed = {"train.py": TRAIN.replace("3e-4", "1e-4").encode()}
    return replace(a, files=files), replace(b, files=changed)

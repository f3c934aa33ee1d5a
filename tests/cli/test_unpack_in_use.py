"""``unpack`` with filters and into a directory in use, as people and scripts see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.servers.kits import files_below


@pytest.fixture
def era(golden: Path) -> str:
    return f"oci:{golden}/layouts/era:v1.11-none"


def test_filters(rolldeck: Run, era: str, tmp_path: Path) -> None:
    ran = rolldeck("unpack", era, "-d", tmp_path / "a", "-f", "code", "--filter=docs", "--json")
    assert ran.code == 0, ran.err
    assert ran.document["files"] == len(files_below(tmp_path / "a"))
    assert not (tmp_path / "a/Kitfile").exists()
    pulled = rolldeck("pull", "--unpack", tmp_path / "b", era, "-f", "code,docs", "--json")
    assert pulled.code == 0, pulled.err
    assert pulled.document["kept"] is False
    assert files_below(tmp_path / "a") == files_below(tmp_path / "b")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("unpack", "-d", "d", "-f", "modelpart"), 2),
        (("unpack", "-d", "d", "-f", "model:a:b"), 2),
        (("unpack", "-d", "d", "-f", "datasets:nobody"), 3),
        (("unpack", "-d", "d", "-o", "-i"), 2),
        (("pull", "-f", "model"), 2),
    ],
)
def test_bad_use(
    words: tuple[str, ...], code: int, rolldeck: Run, era: str, tmp_path: Path
) -> None:
    verb, *rest = (str(tmp_path / "d") if word == "d" else word for word in words)
    assert rolldeck(verb, era, *rest).code == code
    assert not (tmp_path / "d").exists()


def test_a_dry_run(rolldeck: Run, era: str, tmp_path: Path) -> None:
    """Every file, how it stands, and why it would be refused; nothing is written."""
    goal = tmp_path / "d"
    new = rolldeck("unpack", era, "-d", goal, "--dry-run", "--json").document
    assert new["new"]["files"] == len(new["files"]) > 3
    assert new["problem"] is None
    assert not goal.exists()
    goal.mkdir()
    (goal / "Kitfile").write_text("mine")
    ran = rolldeck("unpack", era, "-d", goal, "--dry-run", "--json")
    assert ran.code == 0
    document = ran.document
    assert set(document) == {
        *("reference", "digest", "directory", "filters", "new", "identical", "changed"),
        *("in_the_way", "files", "unknown", "problem", "applied"),
    }
    assert document["changed"]["files"] == 1
    assert "Kitfile" in document["problem"]
    changed = [item for item in document["files"] if item["standing"] == "changed"]
    assert [(item["path"], item["there"]) for item in changed] == [("Kitfile", "4 bytes")]
    told = rolldeck("unpack", era, "-d", goal, "--dry-run", "-o", "--json")
    assert told.document["problem"] is None
    words = rolldeck("unpack", era, "-d", goal, "--dry-run")
    assert "changed     1 file" in words.out
    assert "there: 4 bytes" in words.out
    assert [path.name for path in goal.iterdir()] == ["Kitfile"]


def test_files_that_are_there(rolldeck: Run, era: str, tmp_path: Path) -> None:
    """Refused; told to overwrite it needs a terminal or --yes; the rest of the story in JSON."""
    goal = tmp_path / "d"
    assert rolldeck("unpack", era, "-d", goal).code == 0
    whole = files_below(goal)
    again = rolldeck("unpack", era, "-d", goal, "--json")
    assert again.code == 0
    assert again.document["identical"]["files"] == again.document["files"]
    assert again.document["new"]["files"] == 0
    (goal / "Kitfile").write_text("mine")
    refused = rolldeck("unpack", era, "-d", goal, "--json")
    assert refused.code == 2
    assert "--overwrite" in refused.error["hint"]
    asked = rolldeck("unpack", era, "-d", goal, "--overwrite", "--json")
    assert asked.code == 2
    assert "--yes" in asked.error["hint"]
    assert (goal / "Kitfile").read_text() == "mine"
    left = rolldeck("unpack", era, "-d", goal, "-i", "--json")
    assert left.code == 0
    assert (goal / "Kitfile").read_text() == "mine"
    done = rolldeck("unpack", era, "-d", goal, "-o", "--yes", "--json")
    assert done.code == 0
    assert done.document["changed"]["files"] == 1
    assert (goal / "Kitfile").read_text() != "mine"
    assert files_below(goal) == whole

"""``rolldeck init`` and ``rolldeck check``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.kit.layouts import LAYOUTS, lay_out


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A usual project without a Kitfile."""
    return lay_out(tmp_path / "project", LAYOUTS["sklearn"])


def test_init_writes_what_check_finds_sound(rolldeck: Run, project: Path) -> None:
    """The Kitfile, and a .kitignore for what lies inside the elements."""
    ran = rolldeck("init", project)
    assert ran.code == 0
    assert "model.joblib" in ran.out
    assert "! " in next(line for line in ran.out.split("\n") if ".env" in line)
    assert (project / ".kitignore").read_text().endswith("**/__pycache__\n")
    assert rolldeck("check", project).out == f"{project}/Kitfile: no mistakes\n"


def test_init_overwrites_only_when_told(rolldeck: Run, project: Path) -> None:
    """Whatever name the Kitfile has."""
    (project / "kitfile").write_text("mine")
    ran = rolldeck("init", project)
    assert ran.code == 2
    assert "--force" in ran.err
    assert (project / "kitfile").read_text() == "mine"
    assert rolldeck("init", project, "--force").code == 0
    assert (project / "kitfile").read_text().startswith("# Proposed by rolldeck init")
    assert not (project / "Kitfile").exists()


def test_init_leaves_a_kitignore_alone(rolldeck: Run, project: Path) -> None:
    """It tells what to add."""
    (project / ".kitignore").write_text("*.tmp\n")
    ran = rolldeck("init", project)
    assert (project / ".kitignore").read_text() == "*.tmp\n"
    assert "add to it: **/__pycache__" in ran.err
    assert "src packs src/__pycache__" in ran.out


@pytest.mark.parametrize("option", ["--stdout", "--dry-run"])
def test_init_that_only_shows(rolldeck: Run, project: Path, option: str) -> None:
    """Nothing is written, also where a Kitfile is."""
    before = sorted(project.rglob("*"))
    ran = rolldeck("init", project, option)
    assert ran.code == 0
    assert sorted(project.rglob("*")) == before
    rolldeck("init", project)
    text = (project / "Kitfile").read_text()
    again = rolldeck("init", project, option)
    assert again.code == 0
    if option == "--stdout":
        assert ran.out == text
        assert ".env" in ran.err


def test_init_json(rolldeck: Run, project: Path) -> None:
    """Elements with their reasons, what is left out, the text."""
    document = rolldeck("init", project, "--json").document
    assert document["written"] is True
    assert document["kitignore_written"] is True
    assert document["kitfile"] == (project / "Kitfile").read_text()
    assert document["elements"][0] == {
        "kind": "model",
        "path": "model.joblib",
        "type": None,
        "files": 1,
        "size": 302,
        "why": "joblib by its name",
    }
    assert {"path": ".env", "why": "may hold secrets", "secret": True} in document["left_out"]
    assert document["findings"] == []


def test_init_refuses(rolldeck: Run, tmp_path: Path, project: Path) -> None:
    """What is no directory, an empty one, and any when it may only read."""
    assert rolldeck("init", tmp_path / "nowhere").code == 3
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "x").symlink_to("y")
    ran = rolldeck("init", tmp_path / "empty")
    assert ran.code == 3
    assert "x (a symbolic link" in ran.err
    assert rolldeck("init", project, "--read-only").code == 8
    assert not (project / "Kitfile").exists()


def test_check_prints_as_compilers_do(rolldeck: Run, project: Path) -> None:
    """One line for each mistake, and exit code 2."""
    (project / "Kitfile").write_text("manifestVersion: 1.0.0\npackage: {name: x}\nmodle: {}\n")
    ran = rolldeck("check", project)
    assert ran.code == 2
    assert ran.out == (
        f'{project}/Kitfile:3:1: error: unknown field "modle" in the Kitfile; '
        'did you mean "model"?\n'
        f"{project}/Kitfile: 1 mistake\n"
    )
    assert rolldeck("check", project / "Kitfile").out == ran.out


def test_check_another_kitfile(rolldeck: Run, project: Path, tmp_path: Path) -> None:
    """Its paths begin at the directory."""
    other = tmp_path / "Kitfile.small"
    other.write_text("manifestVersion: 1.0.0\npackage: {name: x}\ncode: [{path: train.py}]\n")
    assert rolldeck("check", project, "-f", other).code == 0
    assert rolldeck("check", other).code == 2


def test_check_json(rolldeck: Run, project: Path) -> None:
    """Every finding with its place."""
    (project / "Kitfile").write_text(
        "manifestVersion: 1.0.0\npackage: {name: x}\ncode: [{path: trian.py}]\n"
    )
    ran = rolldeck("check", project, "--json")
    assert ran.code == 2
    assert ran.document == {
        "path": f"{project}/Kitfile",
        "ok": False,
        "findings": [
            {
                "file": "Kitfile",
                "line": 3,
                "column": 15,
                "severity": "error",
                "message": "trian.py does not exist",
                "hint": 'Did you mean "train.py"?',
            }
        ],
    }


def test_check_without_a_kitfile(rolldeck: Run, project: Path, tmp_path: Path) -> None:
    ran = rolldeck("check", project)
    assert ran.code == 3
    assert "rolldeck init" in ran.err
    assert rolldeck("check", tmp_path / "nowhere").code == 3
    assert rolldeck("check", project, "-f", tmp_path / "nowhere").code == 3

"""kit's own storage on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.kit_homes import GOLDEN_PREFIX, everything_in, real_kit_home

WDBC = f"kit:{GOLDEN_PREFIX}wdbc"
CHILD = f"kit:{GOLDEN_PREFIX}odd-child:v1"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a real kit, named by the environment."""
    found = real_kit_home(tmp_path)
    monkeypatch.setenv("KITOPS_HOME", str(found))
    return found


def test_it_is_listed_beside_the_library(rolldeck: Run, home: Path) -> None:
    """With its source, alone and among all repositories known here."""
    alone = rolldeck("ls", "kit:", "--json").document["repositories"]
    assert rolldeck("ls", "--json").document["repositories"] == alone
    assert {"name": f"{GOLDEN_PREFIX}wdbc", "source": "kit's storage", "tags": 6} in alone
    assert len(alone) == 10


def test_every_verb_takes_it(rolldeck: Run, home: Path, tmp_path: Path) -> None:
    """Looked at, compared, imported, unpacked, pinned and verified; and nothing in it changed."""
    before = everything_in(home)
    versions = rolldeck("ls", WDBC, "--json").document["versions"]
    assert versions[0]["tags"] == ["v2.0.0", "latest"]
    assert rolldeck("show", WDBC, "--json").document["reference"].startswith(f"{WDBC}:latest@")
    assert rolldeck("cat", f"{WDBC}:v1.0.0", "src/train.py").code == 0
    assert rolldeck("ls", f"{WDBC}:v1.0.0", "--files", "--json").document["complete"]
    assert not rolldeck("diff", f"{WDBC}:v1.0.0", "v2.0.0", "--json").document["identical"]
    pulled = rolldeck("pull", f"{WDBC}:v1.0.0", "--json").document
    assert pulled["reference"].startswith(f"local:{GOLDEN_PREFIX}wdbc:v1.0.0@")
    assert pulled["bytes_transferred"] == pulled["bytes_total"] > 0
    assert rolldeck("unpack", f"{WDBC}:v1.1.0", "-d", tmp_path / "out").code == 0
    assert rolldeck("pin", f"{WDBC}:v1.1.0", tmp_path / "serving").code == 0
    assert rolldeck("verify", f"{WDBC}:v1.1.0", tmp_path / "serving").code == 0
    compared = rolldeck("diff", f"{WDBC}:v1.0.0", f"local:{GOLDEN_PREFIX}wdbc:v1.0.0", "--json")
    assert compared.document["identical"]
    assert everything_in(home) == before


def test_without_it_the_error_says_where_it_was_looked_for(
    rolldeck: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, and how to name another home; the list of everything does not mind."""
    monkeypatch.setenv("KITOPS_HOME", str(tmp_path / "nowhere"))
    for words in (["ls", "kit:"], ["show", "kit:fraud:v1"], ["pull", "kit:fraud:v1"]):
        ran = rolldeck(*words, "--json")
        assert ran.code == 3
        assert str(tmp_path / "nowhere") in ran.error["message"]
        assert "KITOPS_HOME" in ran.error["hint"]
    assert rolldeck("ls", "--json").document == {
        "repositories": [],
        "complete": True,
        "problems": [],
    }


def test_a_damaged_storage_is_a_problem_beside_the_library(
    rolldeck: Run, home: Path, golden: Path
) -> None:
    """What else there is, is listed all the same."""
    assert rolldeck("pull", f"oci:{golden}/layouts/facts-kfp:v1").code == 0
    next((home / "storage").glob("*-tags.json")).write_text('{"v1": ')
    found = rolldeck("ls", "--json").document
    assert [row["name"] for row in found["repositories"]] == ["facts-kfp"]
    assert [problem["source"] for problem in found["problems"]] == ["kit's storage"]
    assert not found["complete"]
    assert rolldeck("ls", "kit:").code == 6


def test_a_chain_is_told(rolldeck: Run, home: Path) -> None:
    """Where the model comes from, and what it takes."""
    shown = rolldeck("show", CHILD)
    assert f"{GOLDEN_PREFIX}era:v1.11-none  d06b94755f51  8.0 KiB" in shown.out
    assert "2.0 KiB in 1 layer, 8.0 KiB more from other kits" in shown.out
    pulled = rolldeck("pull", CHILD)
    assert f"with local:{GOLDEN_PREFIX}era:v1.11-none@sha256:" in pulled.out


def test_a_broken_chain_is_told(rolldeck: Run, golden: Path) -> None:
    """The version is shown and compared as far as it is known; the rest is said on stderr."""
    child = f"oci:{golden}/layouts/odd-child:v1"
    reason = f"takes its model from {GOLDEN_PREFIX}era:v1.11-none"
    shown = rolldeck("show", child)
    assert shown.code == 0
    assert reason in shown.err
    assert reason in rolldeck("show", child, "--json").document["chain_problem"]
    other = f"oci:{golden}/layouts/odd-model-only:v1"
    assert reason in rolldeck("diff", child, other).err
    (problem,) = rolldeck("diff", child, other, "--json").document["problems"]
    assert reason in problem

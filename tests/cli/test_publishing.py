"""push, copy, tag, rm and untag as a script sees them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rolldeck.cli.arguments import verb_parser
from rolldeck.cli.main import _settings
from tests.cli.conftest import Run
from tests.servers.registry import RunningRegistry


@pytest.fixture
def wdbc(golden: Path, tmp_path: Path) -> str:
    """A layout of its own, as ``oci:DIRECTORY``."""
    shutil.copytree(golden / "layouts" / "wdbc", tmp_path / "wdbc")
    return f"oci:{tmp_path}/wdbc"


def tags_of(rolldeck: Run, place: str) -> set[str]:
    """All tags of a repository."""
    listed = rolldeck("ls", place, "--json").document
    return {tag for row in listed["versions"] for tag in row["tags"]}


def test_push_says_what_it_did(rolldeck: Run, wdbc: str, docker_registry: RunningRegistry) -> None:
    """One document, with each blob's part in it."""
    goal = f"{docker_registry.host}/cli/push:v1.2.0"
    ran = rolldeck("push", f"{wdbc}:v1.2.0", goal, "live", "--json")
    assert ran.code == 0, ran.err
    document = ran.document
    assert document["reference"] == f"{goal}@{document['digest']}"
    assert document["tags"] == [{"tag": "v1.2.0", "from": None}, {"tag": "live", "from": None}]
    assert {blob["status"] for blob in document["blobs"]} == {"pushed"}
    assert document["bytes_transferred"] == sum(blob["size"] for blob in document["blobs"])
    plain = rolldeck("push", f"{wdbc}:v1.2.0", goal)
    assert "7 there already" in plain.out


def test_moving_a_tag_is_asked_for(
    rolldeck: Run, wdbc: str, docker_registry: RunningRegistry
) -> None:
    """Without a terminal it takes --yes; a version's tag takes --force as well."""
    home = f"{docker_registry.host}/cli/moves"
    assert rolldeck("push", f"{wdbc}:v1.1.0", f"{home}:v1.1.0", "live").code == 0
    for verb in ("push", "copy"):
        refused = rolldeck(verb, f"{wdbc}:v1.2.0", f"{home}:live", "--json")
        assert refused.error["code"] == refused.code == 2
        assert "--yes" in refused.error["hint"]
        assert rolldeck(verb, f"{wdbc}:v1.2.0", f"{home}:v1.1.0", "--yes").code == 8
        assert rolldeck(verb, f"{wdbc}:v1.2.0", f"{home}:v1.1.0", "--force").code == 2
    dry = rolldeck("push", f"{wdbc}:v1.2.0", f"{home}:live", "--dry-run", "--json").document
    assert dry["applied"] is False
    assert dry["tags"][0]["from"] is not None
    moved = rolldeck("tag", f"{home}:v1.1.0", "live", "--json").document
    assert moved["tags"][0]["from"] == moved["digest"]
    ran = rolldeck("copy", f"{wdbc}:v1.2.0", f"{home}:v1.1.0", "--force", "--yes", "--json")
    assert ran.document["applied"] is True


def test_a_dry_run_moves_nothing(
    rolldeck: Run, wdbc: str, docker_registry: RunningRegistry
) -> None:
    """It says how much there would be to move."""
    goal = f"{docker_registry.host}/cli/dry:v1.2.0"
    dry = rolldeck("copy", f"{wdbc}:v1.2.0", goal, "--dry-run", "--json").document
    assert dry["bytes_to_move"] == sum(blob["size"] for blob in dry["blobs"]) > 0
    assert {blob["status"] for blob in dry["blobs"]} == {"missing"}
    assert rolldeck("show", goal).code == 3
    assert "to send" in rolldeck("copy", f"{wdbc}:v1.2.0", goal, "--dry-run").out


def test_a_copy_into_the_library_can_be_removed(rolldeck: Run, wdbc: str) -> None:
    """Both its tags are named before; --dry-run shows only."""
    assert rolldeck("copy", f"{wdbc}:v1.1.0", "mine").code == 0
    assert rolldeck("tag", "mine:v1.1.0", "live", "eu").code == 0
    assert tags_of(rolldeck, "mine") == {"v1.1.0", "live", "eu"}
    dry = rolldeck("rm", "mine:live", "--dry-run", "--json").document
    assert dry["tags"] == ["eu", "live", "v1.1.0"]
    assert dry["applied"] is False
    assert rolldeck("rm", "mine:live").code == 2
    assert rolldeck("untag", "mine:live").code == 2
    gone = rolldeck("untag", "mine:live", "--yes", "--json").document
    assert (gone["tags"], gone["kept"], gone["applied"]) == (["live"], ["eu", "v1.1.0"], True)
    assert tags_of(rolldeck, "mine") == {"v1.1.0", "eu"}
    shown = rolldeck("rm", "mine:eu", "--yes")
    assert shown.code == 0
    assert "layers:" in shown.out
    assert "eu, v1.1.0" in shown.out
    assert rolldeck("ls", "--json").document["repositories"] == []


def test_what_is_live_here_is_not_removed(rolldeck: Run, wdbc: str, tmp_path: Path) -> None:
    """Exit code 8 unless it is forced."""
    rolldeck("copy", f"{wdbc}:v1.1.0", "mine")
    rolldeck("pin", "mine:v1.1.0", tmp_path / "serving")
    refused = rolldeck("rm", "mine:v1.1.0", "--yes", "--json")
    assert refused.code == 8
    assert "--force" in refused.error["hint"]
    assert rolldeck("rm", "mine:v1.1.0", "--yes", "--force").code == 0


@pytest.mark.parametrize(
    "words",
    [
        ["push", "REF", "ghcr.io/a/b:v1"],
        ["copy", "REF", "mine:v1"],
        ["tag", "REF", "live"],
        ["rm", "REF"],
        ["untag", "REF"],
    ],
)
def test_read_only_refuses(rolldeck: Run, wdbc: str, words: list[str]) -> None:
    """Exit code 8, even for a dry run."""
    words = [f"{wdbc}:v1.1.0" if word == "REF" else word for word in words]
    assert rolldeck(*words, "--read-only", "--dry-run").code == 8


@pytest.mark.parametrize(
    "words", [["push", "a:v1", "REF"], ["copy", "a:v1", "REF"], ["tag", "REF", "x"], ["rm", "REF"]]
)
def test_plain_http_is_for_every_registry_of_the_line(words: list[str]) -> None:
    """Named in the line, so it is meant."""
    words = ["registry.internal:5000/a:v1" if word == "REF" else word for word in words]
    parsed = verb_parser().parse_args([*words, "--plain-http"])
    assert _settings(parsed).registry("registry.internal:5000").plain_http is True

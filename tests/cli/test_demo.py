"""The demo, told as text: the main job from a fresh library to a verified rollback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rolldeck.actions.demo import prepare_demo
from rolldeck.errors import UsageError
from tests.cli.conftest import Run


def test_the_story_holds(rolldeck: Run, tmp_path: Path) -> None:
    """It lists, compares, pins, rolls back, verifies and scores, and leaves v1.1.0 live."""
    ran = rolldeck("demo", "--directory", tmp_path / "demo")
    assert ran.code == 0, ran.err
    for words in (
        "v1.0.0",
        "v2.0.0",
        "worse",
        "rollback",
        "all as they should be",
        "version 1.1.0",
        "production is now v1.1.0",
        "held by",
    ):
        assert words in ran.out
    current = tmp_path / "demo" / "serving" / "current"
    answer = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-B",
            str(current / "src/recommend.py"),
            "--user",
            "7",
            "--json",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(answer.stdout)["version"] == "1.1.0"


def test_the_story_fails_when_a_step_fails(
    rolldeck: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 0 means that all of it held: a recommender of another version is noticed."""

    async def wrong(demo: object) -> dict[str, object]:
        return {"version": "0.0.0", "recommendations": [{"title": "x"}]}

    monkeypatch.setattr("rolldeck.cli.demo._score", wrong)
    assert rolldeck("demo", "--directory", tmp_path / "demo").code == 6


def test_versions_are_newest_first_with_measured_metrics(rolldeck: Run, tmp_path: Path) -> None:
    """Three kits with parameters, metrics and environment; v2.0.0 better here and worse there."""
    library = prepare_demo(tmp_path / "demo").library
    listed = rolldeck("ls", "movie-recommend", "--library", library, "--json").document
    assert [row["tags"] for row in listed["versions"]] == [["v2.0.0"], ["v1.1.0"], ["v1.0.0"]]
    for row in listed["versions"]:
        shown = rolldeck("show", f"movie-recommend@{row['digest']}", "--library", library, "--json")
        facts = shown.document["facts"]
        assert len(facts["metrics"]) >= 6
        assert facts["parameters"]
        assert len(facts["environment"]["package"]) >= 1
        assert {layer["kind"] for layer in shown.document["layers"]} == {
            "model",
            "code",
            "dataset",
            "docs",
        }
    words = ["diff", "movie-recommend:v1.1.0", "v2.0.0", "--library", library, "--json"]
    sections = {s["name"]: s for s in rolldeck(*words).document["sections"]}
    verdicts = {row["verdict"] for row in sections["metrics"]["rows"]}
    assert {"better", "worse"} <= verdicts
    assert sections["data"]["changed"] == 0
    assert sections["environment"]["changed"] > 0
    assert any(row["key"].endswith("recommend.py") for row in sections["code"]["rows"])


def test_packing_is_reproducible(tmp_path: Path) -> None:
    """Two demos have the same digests."""
    first = prepare_demo(tmp_path / "a").library / "index.json"
    second = prepare_demo(tmp_path / "b").library / "index.json"
    assert first.read_bytes() == second.read_bytes()


def test_a_directory_with_other_files_is_left_alone(tmp_path: Path) -> None:
    """The demo removes only what a demo made."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    with pytest.raises(UsageError):
        prepare_demo(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "x"
    prepare_demo(tmp_path / "demo")
    assert prepare_demo(tmp_path / "demo").library.is_dir()

"""``rolldeck pack`` as a script sees it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.kit.golden_kits import GoldenVersion, unpack_context
from tests.servers.registry import RunningRegistry


@pytest.fixture
def era(tmp_path: Path) -> Path:
    """A golden context."""
    return unpack_context("era", tmp_path / "contexts")


def test_pack_gives_kits_digests(rolldeck: Run, era: Path) -> None:
    """In one document, and the version can be read back at once."""
    ran = rolldeck("pack", era, "-t", "era:v1,latest", "--json")
    assert ran.code == 0, ran.err
    document = ran.document
    wanted = GoldenVersion("era_v1.11-none").expected["kit_inspect"]["manifest"]
    assert [item["digest"] for item in document["layers"]] == [
        item["digest"] for item in wanted["layers"]
    ]
    assert document["config"] == wanted["config"]["digest"]
    assert document["tags"] == [{"tag": "v1", "from": None}, {"tag": "latest", "from": None}]
    shown = rolldeck("show", "era:latest", "--json").document
    assert shown["digest"] == document["digest"]
    assert rolldeck("verify", "era:v1").code == 0


def test_dry_run_writes_nothing(rolldeck: Run, era: Path, tmp_path: Path) -> None:
    """Not even a library."""
    (era / "src/link").symlink_to("x")
    ran = rolldeck("pack", era, "-t", "era", "--dry-run", "--json", "--library", tmp_path / "new")
    document = ran.document
    assert document["applied"] is False
    assert document["digest"] is None
    assert document["left_out"] == [{"path": "src/link", "reason": "symbolic links are not packed"}]
    assert not (tmp_path / "new").exists()
    told = rolldeck("pack", era, "-t", "era", "--dry-run")
    assert "left out: src/link: symbolic links are not packed" in told.err


def test_mistakes_come_before_packing(rolldeck: Run, era: Path, tmp_path: Path) -> None:
    """With the place of the first."""
    (era / "Kitfile").write_text("manifestVersion: 1.0.0\ncode:\n  - path: scr\n")
    ran = rolldeck("pack", era, "-t", "era", "--json", "--library", tmp_path / "new")
    assert ran.code == 2
    assert "Kitfile:3:11: scr does not exist" in ran.error["message"]
    assert not (tmp_path / "new").exists()


def test_the_check_that_tells_all_mistakes(rolldeck: Run, era: Path, tmp_path: Path) -> None:
    """It is of the Kitfile that was packed."""
    other = tmp_path / "Other kitfile"
    other.write_text("manifestVersion: 1.0.0\ncode:\n  - path: scr\n  - path: nope\n")
    ran = rolldeck("pack", era, "-t", "era", "-f", other, "--json")
    line = ran.error["hint"].rpartition("rolldeck ")[2].removesuffix(" tells all.")
    verb, *words = shlex.split(line)
    assert rolldeck(verb, *words).out.count("does not exist") == 2


def test_what_is_left_out_is_told_once(rolldeck: Run, era: Path) -> None:
    """Not by the check as well, which does not know that kit v1.11 packs what desktops leave."""
    (era / "src" / "link.py").symlink_to("main.py")
    (era / "src" / ".DS_Store").write_text("x")
    ran = rolldeck("pack", era, "-t", "era")
    told = ran.out + ran.err
    assert ran.code == 0, told
    assert told.count("link.py") == told.count(".DS_Store") == 1
    ran = rolldeck("pack", era, "-t", "era", "--exact-kit")
    assert "link.py" in ran.out + ran.err
    assert ".DS_Store" not in ran.out + ran.err


def test_version_tag_is_never_moved(rolldeck: Run, era: Path) -> None:
    """But the same content may be packed again, and other tags move."""
    for _ in range(2):
        assert rolldeck("pack", era, "-t", "era:v1.0.0,live").code == 0
    (era / "README.md").write_text("changed")
    assert rolldeck("pack", era, "-t", "era:v1.0.0").code == 8
    moved = rolldeck("pack", era, "-t", "era:live", "--json").document
    assert moved["tags"][0]["from"] not in (None, moved["digest"])
    assert rolldeck("pack", era, "-t", "era:v1.0.0", "--force").code == 0


@pytest.mark.parametrize("name", ["oci:there:v1", "era@sha256:" + "0" * 64, "era:v1,!"])
def test_names_that_no_version_gets(rolldeck: Run, era: Path, name: str) -> None:
    assert rolldeck("pack", era, "-t", name).code == 2


def test_time_of_the_source(rolldeck: Run, era: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the version's; the form of kit v1.11 has none."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    rolldeck("pack", era, "-t", "era:timed")
    assert rolldeck("show", "era:timed", "--json").document["created"] == "2023-11-14T22:13:20Z"
    rolldeck("pack", era, "-t", "era:exact", "--exact-kit")
    assert rolldeck("show", "era:exact", "--json").document["created"] is None
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert rolldeck("pack", era, "-t", "era:timed").code == 2


def test_model_of_another_kit(rolldeck: Run, era: Path, tmp_path: Path) -> None:
    """It has no layer, what it fills is left out, and it must be there."""
    child = tmp_path / "child"
    (child / "models/llm").mkdir(parents=True)
    (child / "models/llm/model.bin").write_text("of the parent")
    (child / "app.py").write_text("x")
    (child / "Kitfile").write_text(
        "manifestVersion: 1.0.0\nmodel:\n  path: parent:v1\ncode:\n  - path: .\n"
    )
    assert rolldeck("pack", child, "-t", "child:v1").code == 3
    assert rolldeck("pack", era, "-t", "parent:v1").code == 0
    ran = rolldeck("pack", child, "-t", "child:v1", "--json")
    assert [item["kind"] for item in ran.document["layers"]] == ["code"]
    assert ran.document["left_out"] == [
        {"path": "models/llm/model.bin", "reason": "it lies in parent:v1"}
    ]
    rolldeck("unpack", "child:v1", "-d", tmp_path / "out")
    whole = (tmp_path / "out/models/llm/model.bin").read_bytes()
    assert whole == (era / "models/llm/model.bin").read_bytes()


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_model_pack(rolldeck: Run, era: Path, compression: str, tmp_path: Path) -> None:
    """Layers as kit's, diffIds that are right, and all files come back."""
    options = ("--model-pack", "--compression", compression, "--json")
    ran = rolldeck("pack", era, "-t", "era:pack", *options)
    assert ran.code == 0, ran.err
    document = ran.document
    assert document["kind"] == "modelpack"
    wanted = GoldenVersion("era_v1.11-modelpack").expected["kit_inspect"]["manifest"]
    shown = rolldeck("show", "era:pack", "--json").document
    manifest = shown["manifest"]
    assert [item["diff_id"] for item in document["layers"]] == [
        item["digest"] for item in wanted["layers"]
    ]
    assert shown["kind"] == "modelpack"
    if compression == "none":
        assert manifest["layers"] == wanted["layers"]
        key = "ml.kitops.modelkit.kitfile"
        assert manifest["annotations"][key] == wanted["annotations"][key]
    config = json.loads(_config(ran.document))
    assert config["modelfs"]["diffIds"] == [item["diff_id"] for item in document["layers"]]
    assert config["descriptor"] == {
        "authors": ["One", "Two"],
        "name": "era",
        "version": "0.1.0",
        "licenses": ["MIT"],
        "title": "era",
        "description": "One context, packed by every generation of kit",
    }
    assert rolldeck("unpack", "era:pack", "-d", tmp_path / "out").code == 0
    for path in ("models/llm/model.bin", "README.md"):
        assert (tmp_path / "out" / path).read_bytes() == (era / path).read_bytes()


def _config(document: dict[str, str]) -> bytes:
    from rolldeck.settings import load_settings

    library = load_settings(None).library
    return (library / "blobs" / document["config"].replace(":", "/")).read_bytes()


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_pack_straight_into_a_registry(
    rolldeck: Run, era: Path, docker_registry: RunningRegistry, tmp_path: Path, compression: str
) -> None:
    """The same version as in the library, which gets nothing; what is there is not sent."""
    name = f"{docker_registry.host}/packed/{compression}:v1,live"
    words = ("pack", era, "-t", name, "--compression", compression, "--json")
    library = ("--library", tmp_path / "library")
    ran = rolldeck(*words, "--push", "--plain-http", *library)
    assert ran.code == 0, ran.err
    assert not (tmp_path / "library").exists()
    document = ran.document
    assert {blob["status"] for blob in document["blobs"]} == {"pushed"}
    assert document["digest"] == rolldeck(*words).document["digest"]
    verified = rolldeck("verify", name.removesuffix(",live"), "--plain-http")
    assert verified.code == 0, verified.err
    (era / "README.md").write_text("changed")
    words = ("pack", era, "-t", name, "--compression", compression, "--push", "--plain-http")
    assert rolldeck(*words).code == 8
    other = name.replace(":v1,live", ":live")
    words = ("pack", era, "-t", other, "--compression", compression, "--push", "--plain-http")
    assert rolldeck(*words).code == 2
    again = rolldeck(*words, "--yes", "--json").document
    assert sum(blob["status"] == "pushed" for blob in again["blobs"]) == 2


def test_push_needs_a_registry(rolldeck: Run, era: Path) -> None:
    assert rolldeck("pack", era, "-t", "era:v1", "--push").code == 2

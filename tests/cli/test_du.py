"""``rolldeck du``: what takes space, and how to free it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rolldeck.store import Library
from rolldeck.store.reach import Reach
from tests.cli.conftest import Run, narrow
from tests.kit_homes import everything_in, real_kit_home
from tests.store.versions import add_version, damage

TAGS = ("v1.0.0", "v1.1.0", "v1.2.0", "v2.0.0")


@pytest.fixture
def library(rolldeck: Run, golden: Path, tmp_path: Path) -> Library:
    """The library with four versions of ``wdbc``."""
    for tag in TAGS:
        assert rolldeck("pull", f"oci:{golden}/layouts/wdbc:{tag}").code == 0
    return Library(tmp_path / "home" / "data" / "rolldeck")


def bytes_in(directory: Path) -> int:
    """All bytes of the files below a directory."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def test_the_library(rolldeck: Run, library: Library) -> None:
    """All of its blobs, largest first, the shared one in three versions."""
    document = rolldeck("du", "--json").document
    found = document["library"]
    assert found["path"] == str(library.root)
    assert found["bytes"] == bytes_in(library.root / "blobs")
    assert document["bytes"] == found["bytes"] + document["cache"]["size"]
    for name in ("repositories", "versions", "blobs"):
        sizes = [item["size"] for item in found[name]]
        assert sizes == sorted(sizes, reverse=True)
    assert [item["name"] for item in found["repositories"]] == ["wdbc"]
    assert {tag for item in found["versions"] for tag in item["tags"]} == set(TAGS)
    assert max(item["versions"] for item in found["blobs"]) == 3
    assert found["unused"] == 0


def test_own_is_what_rm_and_gc_free(rolldeck: Run, library: Library) -> None:
    """To the byte, by the way that it names itself."""
    document = rolldeck("du", "--json").document
    way = document["ways"][-1]
    assert way["command"] == "rolldeck rm wdbc:v1.2.0"
    version = next(v for v in document["library"]["versions"] if v["tags"] == ["v1.2.0"])
    before = bytes_in(library.root / "blobs")
    assert rolldeck(*way["command"].split()[1:], "--yes").code == 0
    collect = rolldeck("du", "--json").document["ways"][0]
    assert collect["command"] == "rolldeck gc --apply"
    assert rolldeck(*collect["command"].split()[1:], "--yes").code == 0
    freed = before - bytes_in(library.root / "blobs")
    assert freed == way["bytes"] == collect["bytes"] == version["own"]


def test_what_a_target_needs_is_not_own(rolldeck: Run, library: Library, tmp_path: Path) -> None:
    """Its release is told with its directory, and what lies beside it."""
    target = tmp_path / "serving"
    for tag in TAGS[:2]:
        assert rolldeck("pin", f"wdbc:{tag}", target, "--yes").code == 0
    (target / "releases" / "by-hand").mkdir()
    (target / "releases" / "by-hand" / "x").write_bytes(b"123")
    document = rolldeck("du", "--json").document
    assert {item["label"]: item["needed_for"] for item in document["releases"]} == {
        "v1.0.0": "rollback",
        "v1.1.0": "current",
    }
    for item in document["releases"]:
        assert item["size"] == bytes_in(Path(item["directory"]))
    assert [(item["kind"], item["size"]) for item in document["leftovers"]] == [("release", 3)]
    own = {item["tags"][0]: item["own"] for item in document["library"]["versions"]}
    assert own["v1.0.0"] == own["v1.1.0"] == 0 < own["v1.2.0"]
    assert f"{target}: current" in rolldeck("du").out


def test_leftovers_of_the_library(rolldeck: Run, library: Library) -> None:
    """What the next pull goes on with, what nobody will, what rotted."""
    digest = f"sha256:{1:064x}"
    fresh = library.scratch / digest.replace(":", "-")
    fresh.write_bytes(b"12345")
    old = library.scratch / f"sha256-{2:064x}"
    old.write_bytes(b"1234")
    os.utime(old, (0, 0))
    damage(library, library.blobs()[0])
    assert rolldeck("verify").code == 6
    found = rolldeck("du", "--json").document
    states = {(item["kind"], item["state"]) for item in found["library"]["leftovers"]}
    assert states == {("partial", "resumable"), ("partial", "stale"), ("quarantined", "kept")}
    told = {Path(item["path"]): item for item in found["library"]["leftovers"]}
    assert told[fresh]["digest"] == digest
    assert told[fresh]["size"] == 5
    assert {way["command"]: way["bytes"] for way in found["ways"]}["rolldeck gc --apply"] == 4


def test_kits_storage(rolldeck: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the partials that kit never clears; nothing there is touched."""
    home = real_kit_home(tmp_path)
    monkeypatch.setenv("KITOPS_HOME", str(home))
    ingest = home / "storage" / "ingest"
    ingest.mkdir(exist_ok=True)
    (ingest / f"{1:064x}").write_bytes(b"stale partial")
    (ingest / f"{2:064x}").write_bytes(b"fresh")
    then = time.time() - 2 * 24 * 3600
    os.utime(ingest / f"{1:064x}", (then, then))
    (home / "cache" / "pack" / "layer").write_bytes(b"left while packing")
    before = everything_in(home)
    document = rolldeck("du", "--json").document
    assert everything_in(home) == before
    kit = document["kit"]
    assert kit["bytes"] == bytes_in(home / "storage" / "blobs") + bytes_in(ingest)
    assert [(item["state"], item["size"]) for item in kit["leftovers"]] == [
        ("stale", 13),
        ("resumable", 5),
    ]
    assert kit["cache"] == 18
    ways = {way["command"].split()[0]: way for way in document["ways"]}
    assert ways["rm"]["command"] == f"rm {ingest}/{1:064x}"
    assert ways["rm"]["bytes"] == 13
    commands = [way["command"] for way in document["ways"]]
    assert "kit cache clear" in commands
    assert any(command.startswith("kit remove 127.0.0.1:5081/golden/") for command in commands)


def test_ten_rows_of_each_table(rolldeck: Run, library: Library) -> None:
    """It says how many more there are; --all shows them."""
    for number in range(12):
        add_version(library, f"n{number}", f"layer {number}")
    short = rolldeck("du").out
    assert "6 more: rolldeck du --all" in short
    assert short.count("x:n") == 6
    whole = rolldeck("du", "--all").out
    assert whole.count("x:n") == 12
    assert "more:" not in whole


def test_a_narrow_terminal(
    rolldeck: Run, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """80 columns are enough for every table, whatever the names are."""
    narrow(monkeypatch, 80)
    target = tmp_path / ("long-" * 30)
    assert rolldeck("pin", "wdbc:v1.0.0", target, "--yes").code == 0
    tables = rolldeck("du").out.partition("to free space")[0].splitlines()
    rows = [line for line in tables if str(library.root) not in line and "cache /" not in line]
    assert max(map(len, rows)) == 80


def test_the_records_of_a_channel_are_never_named_to_be_removed(
    rolldeck: Run, library: Library
) -> None:
    """They take bytes of their own, and are the channel's history."""
    for version in rolldeck("du", "--json").document["library"]["versions"]:
        name = f"{version['repository']}:{version['tags'][0]}"
        assert rolldeck("promote", name, "production", "--yes").code == 0
    ways = [way["command"] for way in rolldeck("du", "--json").document["ways"]]
    assert not [command for command in ways if ".g0" in command or ".v0" in command]


def test_damage_is_told_and_nothing_is_called_own(rolldeck: Run, library: Library) -> None:
    """Sizes stay true, ways that rest on guesses go."""
    digest = next(e.descriptor.digest for e in library.entries() if e.tag == "v1.0.0")
    damage(library, digest)
    document = rolldeck("du", "--json").document
    assert document["library"]["bytes"] == bytes_in(library.root / "blobs")
    assert document["library"]["unused"] is None
    assert any(digest in problem for problem in document["library"]["problems"])
    assert not [way for way in document["ways"] if "rolldeck rm" in way["command"]]
    assert "?  sha256:" in rolldeck("du").out


def test_a_damaged_index_is_a_problem(rolldeck: Run, library: Library) -> None:
    """The bytes are told all the same."""
    (library.root / "index.json").write_text("{")
    document = rolldeck("du", "--json").document
    assert document["library"]["bytes"] == bytes_in(library.root / "blobs")
    assert document["library"]["problems"]


def test_nothing_is_written(rolldeck: Run, library: Library) -> None:
    """No lock, no lease; read-only or not."""
    before = everything_in(library.root)
    assert rolldeck("du", "--json").document == rolldeck("du", "--json", "--read-only").document
    assert everything_in(library.root) == before


def test_nothing_here_yet(rolldeck: Run, tmp_path: Path) -> None:
    """Nothing is made for a report."""
    ran = rolldeck("du", "--library", tmp_path / "none")
    assert ran.code == 0
    assert not (tmp_path / "none").exists()


def test_each_manifest_is_read_once_for_each_question(
    rolldeck: Run, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who needs what, and what can go: work grows with the versions, not with their blobs."""
    loads: list[str] = []
    load = Reach._load
    monkeypatch.setattr(Reach, "_load", lambda self, d: (loads.append(d), load(self, d))[1])
    for number in range(30):
        add_version(library, f"n{number}", *(f"shared {layer}" for layer in range(20)), f"{number}")
    assert rolldeck("du").code == 0
    assert len(loads) == 2 * len({e.descriptor.digest for e in library.entries()})

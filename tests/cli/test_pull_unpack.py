"""``pull --unpack``: the JSON that scripts rely on, and what is said to people."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.servers.kits import PushedKit, files_below, push_kit
from tests.servers.registry import RunningRegistry


@pytest.fixture(scope="module")
def kit(docker_registry: RunningRegistry, tmp_path_factory: pytest.TempPathFactory) -> PushedKit:
    """A version with one layer over 8 MiB."""
    sizes = {"a.bin": 9 * 1024 * 1024, "b.json": 2000}
    return push_kit(docker_registry, tmp_path_factory.mktemp("kit") / "c", "cli/large", sizes)


def test_large_layers_are_in_the_directory_only(
    rolldeck: Run, docker_registry: RunningRegistry, kit: PushedKit, tmp_path: Path
) -> None:
    """The keys of pull, the directory, and whether the library keeps the version: it does not."""
    reference = f"{docker_registry.host}/cli/large:v1"
    ran = rolldeck("pull", "--unpack", tmp_path / "out", reference, "--json")
    assert ran.code == 0, ran.err
    document = ran.document
    assert set(document) == {
        *("reference", "digest", "bytes_total", "bytes_transferred", "blobs", "seconds"),
        *("chain", "warning", "directory", "kept"),
    }
    assert document["reference"] == f"{reference}@{kit.manifest.digest}"
    assert document["directory"] == str(tmp_path / "out")
    assert document["kept"] is False
    assert {blob["status"] for blob in document["blobs"]} == {"fetched"}
    assert (
        document["bytes_total"]
        == document["bytes_transferred"]
        == sum(map(len, kit.blobs.values()))
    )
    assert files_below(tmp_path / "out") == kit.files
    assert rolldeck("show", f"local:{reference}").code == 3


def test_people_are_told_where_the_layers_are(
    rolldeck: Run, docker_registry: RunningRegistry, kit: PushedKit, tmp_path: Path
) -> None:
    """And how to have a copy in the library, by pull and by unpack alike."""
    reference = f"{docker_registry.host}/cli/large:v1"
    library = tmp_path / "library"
    for words in (
        ("pull", "--unpack", tmp_path / "a", reference),
        ("unpack", reference, "-d", tmp_path / "b"),
    ):
        ran = rolldeck(*words, "--library", library)
        assert ran.code == 0
        assert "in that directory only" in ran.err
        assert f"rolldeck pull {reference}" in ran.err
        assert "verified" in ran.out
    kept = rolldeck("pull", reference, "--library", library, "--json").document
    assert "directory" not in kept
    again = rolldeck("pull", "--unpack", tmp_path / "c", reference, "--library", library, "--json")
    assert again.document["kept"] is True
    assert again.document["bytes_transferred"] == 0
    assert again.document["reference"] == f"local:{reference}@{kit.manifest.digest}"


def test_a_version_of_small_layers_is_pulled_as_well(
    rolldeck: Run, golden_registry: RunningRegistry, tmp_path: Path
) -> None:
    """All of it is in the library, so it has its name there."""
    reference = f"{golden_registry.host}/golden/wdbc:v1.2.0"
    ran = rolldeck("pull", "--unpack", tmp_path / "out", reference, "--json")
    assert ran.document["kept"] is True
    assert rolldeck("show", f"local:{reference}").code == 0


def test_of_a_layout_too(rolldeck: Run, golden: Path, tmp_path: Path) -> None:
    """As from a registry; only unpack leaves the library as it is."""
    layout = f"oci:{golden}/layouts/wdbc:v1.2.0"
    assert rolldeck("unpack", layout, "-d", tmp_path / "a").code == 0
    assert rolldeck("ls").out == ""
    ran = rolldeck("pull", "--unpack", tmp_path / "b", layout, "--json")
    assert ran.code == 0, ran.err
    assert ran.document["bytes_transferred"] == ran.document["bytes_total"]
    assert ran.document["reference"].startswith("wdbc:v1.2.0@")
    assert rolldeck("show", "wdbc:v1.2.0").code == 0
    assert files_below(tmp_path / "a") == files_below(tmp_path / "b")


@pytest.mark.parametrize("words", [("a:v1", "b:v1"), ("a:v1",)])
def test_bad_use(rolldeck: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    """One reference, and a directory that is free; neither asks a registry."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").touch()
    ran = rolldeck("pull", "--unpack", tmp_path / "out", *words)
    assert ran.code == 2 if len(words) == 2 else 3
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_read_only(rolldeck: Run, tmp_path: Path) -> None:
    """It changes something."""
    ran = rolldeck("pull", "--unpack", tmp_path / "out", "a:v1", "--read-only")
    assert ran.code == 8

"""The main job against a real registry: browse, diff, pull, unpack, pin, roll back."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.servers.registry import RunningRegistry


def expected(golden: Path, name: str) -> dict[str, Any]:
    """What the real tool read from a golden kit."""
    document: dict[str, Any] = json.loads((golden / "expected" / f"{name}.json").read_text())
    return document


def tree_of(root: Path) -> dict[str, str]:
    """The files below a directory with their sha256."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


def files_of(document: dict[str, Any]) -> dict[str, str]:
    """The files that kit unpacked, with their sha256."""
    return {e["path"]: e["sha256"] for e in document["kit_unpack"] if e["type"] == "file"}


def test_browse(rolldeck: Run, golden_registry: RunningRegistry) -> None:
    """Repositories from the catalogue; versions newest first, one row per digest."""
    host = golden_registry.host
    names = {row["name"] for row in rolldeck("ls", f"{host}/", "--json").document["repositories"]}
    assert {"golden/wdbc", "golden/era", "golden/other"} <= names
    listed = rolldeck("ls", f"{host}/golden/wdbc", "--json").document
    assert [row["tags"][0] for row in listed["versions"]] == [
        "v2.0.0",
        "v1.2.0",
        "v1.1.0",
        "v1.0.0",
    ]
    assert listed["versions"][0]["tags"] == ["v2.0.0", "latest"]
    assert listed["versions"][1]["tags"] == ["v1.2.0", "production"]
    assert all(row["kind"] == "modelkit" and row["size"] > 0 for row in listed["versions"])
    plain = rolldeck("ls", f"{host}/golden/wdbc")
    assert plain.code == 0
    assert "v1.2.0" in plain.out
    assert "production" in plain.out


def test_diff_of_two_remote_versions_fetches_no_weights(
    rolldeck: Run, golden_registry: RunningRegistry, golden: Path
) -> None:
    """The worse recall is found without pulling anything."""
    host = golden_registry.host
    ran = rolldeck("diff", f"{host}/golden/wdbc:v1.2.0", "v2.0.0", "--json")
    document = ran.document
    assert document["a"]["digest"] == expected(golden, "wdbc_v1.2.0")["digest"]
    metrics = next(s for s in document["sections"] if s["name"] == "metrics")
    recall = next(row for row in metrics["rows"] if row["key"].startswith("recall"))
    assert recall["verdict"] == "worse"
    assert "worse" in document["summary"]
    assert rolldeck("ls").out == ""
    again = rolldeck("diff", f"{host}/golden/wdbc:v1.2.0", "v2.0.0", "--exit-code")
    assert again.code == 1


def test_pull_then_everything_again_is_present(
    rolldeck: Run, golden_registry: RunningRegistry
) -> None:
    """The second pull moves no byte; the copy is in the library under its own name."""
    reference = f"{golden_registry.host}/golden/wdbc:v1.1.0"
    first = rolldeck("pull", reference, "--json").document
    assert first["bytes_transferred"] == first["bytes_total"] > 0
    assert first["reference"].startswith(f"local:{reference}")
    second = rolldeck("pull", reference, "--json").document
    assert second["bytes_transferred"] == 0
    assert {blob["status"] for blob in second["blobs"]} == {"present"}
    assert rolldeck("verify", f"local:{reference}", "--json").document["ok"]


def test_unpack_equals_kit(
    rolldeck: Run, golden_registry: RunningRegistry, golden: Path, tmp_path: Path
) -> None:
    """Every file that kit wrote, and no other, byte for byte."""
    reference = f"{golden_registry.host}/golden/wdbc:v2.0.0"
    ran = rolldeck("unpack", reference, "-d", tmp_path / "out", "--json")
    assert ran.code == 0, ran.err
    assert tree_of(tmp_path / "out") == files_of(expected(golden, "wdbc_v2.0.0"))
    refused = rolldeck("unpack", reference.replace("v2.0.0", "v1.2.0"), "-d", tmp_path / "out")
    assert refused.code == 2
    assert "--overwrite" in refused.err
    assert tree_of(tmp_path / "out") == files_of(expected(golden, "wdbc_v2.0.0"))


def test_pin_and_roll_back(
    rolldeck: Run, golden_registry: RunningRegistry, golden: Path, tmp_path: Path
) -> None:
    """The way of an incident: pin, pin the worse one, go back, undo, verify."""
    base = f"{golden_registry.host}/golden/wdbc"
    target = tmp_path / "serving"
    good, bad = (expected(golden, f"wdbc_{tag}")["digest"] for tag in ("v1.2.0", "v2.0.0"))
    first = rolldeck("pin", f"{base}:v1.2.0", target, "--json").document
    assert (first["digest"], first["previous"], first["generation"]) == (good, None, 1)
    unasked = rolldeck("pin", f"{base}:v2.0.0", target)
    assert unasked.code == 2
    assert "--yes" in unasked.err
    second = rolldeck("pin", f"{base}:v2.0.0", target, "--yes", "--json").document
    assert (second["digest"], second["previous"]) == (bad, good)
    planned = rolldeck("rollback", target, "--dry-run", "--json").document
    assert (planned["from"], planned["to"], planned["bytes_to_move"]) == (bad, good, 0)
    assert not planned["applied"]
    back = rolldeck("rollback", target, "--yes", "--json", "--reason", "recall fell").document
    assert (back["from"], back["to"], back["generation"]) == (bad, good, 3)
    assert (target / "current").resolve() == target / "releases" / good.removeprefix("sha256:")[:12]
    assert tree_of(target / "current") == files_of(expected(golden, "wdbc_v1.2.0"))
    checked = rolldeck("verify", target, "--json").document
    assert checked["ok"]
    both = [files_of(expected(golden, f"wdbc_{tag}")) for tag in ("v1.2.0", "v2.0.0")]
    assert checked["checked"] == sum(map(len, both))
    undone = rolldeck("undo", target, "--yes", "--json").document
    assert (undone["from"], undone["to"]) == (good, bad)
    history = [json.loads(line) for line in (target / ".rolldeck/history.jsonl").open()]
    assert [line["verb"] for line in history] == ["pin", "pin", "rollback", "undo"]
    assert history[2]["reason"] == "recall fell"


def test_a_changed_release_is_put_aside_and_unpacked_again(
    rolldeck: Run, golden_registry: RunningRegistry, golden: Path, tmp_path: Path
) -> None:
    """A rollback never puts files live that are not what was packed, and loses nobody's work."""
    base, target = f"{golden_registry.host}/golden/wdbc", tmp_path / "serving"
    rolldeck("pin", f"{base}:v1.1.0", target)
    rolldeck("pin", f"{base}:v1.2.0", target, "--yes")
    now = (target / "current").resolve()
    old = next(path for path in (target / "releases").iterdir() if path != now)
    with (old / "src" / "train.py").open("a") as file:
        file.write("# changed\n")
    verified = rolldeck("verify", target, "--json")
    assert verified.code == 6
    paths = [problem["path"] for problem in verified.document["problems"]]
    assert paths == [f"releases/{old.name}/src/train.py"]
    plan = rolldeck("rollback", target, "--dry-run", "--json").document
    assert plan["bytes_to_move"] > 0
    assert any("src/train.py" in check["detail"] for check in plan["plan"])
    assert rolldeck("rollback", target, "--yes").code == 0
    assert tree_of(target / "current") == files_of(expected(golden, "wdbc_v1.1.0"))
    kept = target / "releases" / f"{old.name}.changed-1"
    assert (kept / "src" / "train.py").read_text().endswith("# changed\n")
    assert rolldeck("verify", target).code == 0


def test_a_changed_release_that_is_current_is_never_replaced(
    rolldeck: Run, golden: Path, tmp_path: Path
) -> None:
    """Something may serve from it: the plan says what was changed, and nothing is done."""
    reference, target = f"oci:{golden}/layouts/wdbc:v1.1.0", tmp_path / "serving"
    rolldeck("pin", reference, target)
    (target / "current" / "src" / "train.py").write_text("changed")
    before = tree_of(target / "releases")
    ran = rolldeck("pin", reference, target, "--yes")
    assert ran.code == 8
    assert "src/train.py" in ran.err
    assert "current" in ran.err
    assert tree_of(target / "releases") == before


def test_a_changed_release_without_a_source_stops_the_rollback(
    rolldeck: Run, golden: Path, tmp_path: Path
) -> None:
    """The plan says so, nothing moves."""
    layout, target = tmp_path / "layout", tmp_path / "serving"
    shutil.copytree(golden / "layouts" / "wdbc", layout)
    rolldeck("pin", f"oci:{layout}:v1.1.0", target)
    rolldeck("pin", f"oci:{layout}:v1.2.0", target, "--yes")
    now = (target / "current").resolve()
    old = next(path for path in (target / "releases").iterdir() if path != now)
    (old / "extra").write_text("x")
    shutil.rmtree(layout)
    ran = rolldeck("rollback", target, "--yes")
    assert ran.code == 8
    assert (target / "current").resolve() == now


def largest(golden: Path) -> str:
    """The digest of the version's largest layer."""
    manifest = expected(golden, "facts-mlflow_v1.0.0")["kit_inspect"]["manifest"]
    return str(max(manifest["layers"], key=lambda layer: layer["size"])["digest"])


@pytest.fixture
def damaged(golden: Path, docker_registry: RunningRegistry) -> str:
    """A reference to a version whose largest blob is corrupted in the registry's storage."""
    docker_registry.push(golden / "layouts" / "facts-mlflow", "damaged/mlflow", "v1.0.0")
    path = docker_registry.blob_file(largest(golden))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    keep = path.with_suffix(".good")
    shutil.copy(path, keep)
    path.write_bytes(data)
    yield f"{docker_registry.host}/damaged/mlflow:v1.0.0"
    shutil.move(keep, path)


def test_a_corrupted_blob_is_refused_and_leaves_nothing(
    rolldeck: Run, damaged: str, golden: Path, tmp_path: Path
) -> None:
    """Exit code 6; no reference, no bad blob, no poisoned partial; good blobs are still good."""
    library = tmp_path / "library"
    ran = rolldeck("pull", damaged, "--library", library, "--json")
    assert ran.code == 6
    assert ran.error["kind"] == "integrity"
    assert json.loads((library / "index.json").read_text())["manifests"] == []
    kept = [path.name.partition("-")[2] for path in (library / "partial").iterdir()]
    assert largest(golden).partition(":")[2] not in kept
    for path in (library / "blobs" / "sha256").iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    target = tmp_path / "serving"
    assert rolldeck("pin", damaged, target, "--library", library).code == 6
    assert not (target / "current").is_symlink()
    # The layer is small enough to be read for the plan, so there may be no target at all.
    assert list(target.glob("releases/*")) == []
    assert rolldeck("unpack", damaged, "-d", tmp_path / "out", "--library", library).code == 6
    assert not (tmp_path / "out").exists()


def test_a_healed_registry_heals_the_pull(
    rolldeck: Run, golden: Path, docker_registry: RunningRegistry, tmp_path: Path
) -> None:
    """After a refused pull the same command succeeds once the registry is whole again."""
    docker_registry.push(golden / "layouts" / "facts-hf", "healed/hf", "v1")
    manifest = expected(golden, "facts-hf_v1")["kit_inspect"]["manifest"]
    path = docker_registry.blob_file(manifest["layers"][0]["digest"])
    good = path.read_bytes()
    path.write_bytes(bytes(len(good)))
    reference = f"{docker_registry.host}/healed/hf:v1"
    assert rolldeck("pull", reference).code == 6
    path.write_bytes(good)
    assert rolldeck("pull", reference).code == 0
    assert rolldeck("verify", f"local:{reference}").code == 0

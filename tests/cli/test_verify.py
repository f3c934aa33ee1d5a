"""``rolldeck verify``: what rotted is found, put aside, and pulled again where that is asked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from rolldeck.oci import Descriptor, Digest
from rolldeck.release import Target
from rolldeck.store import Library
from tests.cli.conftest import Run
from tests.servers.registry import RunningRegistry
from tests.store.versions import add_blob, damage, forget, needed_by


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """The library of this test, empty so far."""
    return Library(tmp_path / "home" / "data" / "rolldeck")


@pytest.fixture
def name(rolldeck: Run, library: Library, golden_registry: RunningRegistry) -> str:
    """A version in the library whose name says where it came from."""
    reference = f"{golden_registry.host}/golden/wdbc:v1.2.0"
    assert rolldeck("pull", reference).code == 0
    return f"local:{reference}"


@pytest.fixture
def lone(rolldeck: Run, library: Library, golden: Path) -> str:
    """A version in the library that could have come from anywhere."""
    assert rolldeck("pull", f"oci:{golden}/layouts/wdbc:v1.2.0").code == 0
    return "wdbc:v1.2.0"


def version(library: Library) -> Descriptor:
    """The manifest of the only version."""
    (entry,) = library.entries()
    return entry.descriptor


def layer_of(library: Library) -> Digest:
    """The largest layer of the only version."""
    manifest = library.layout.read_manifest(version(library).digest)
    return max(manifest.layers, key=lambda layer: layer.size).digest


def test_a_rotten_layer_is_put_aside_and_never_used(
    rolldeck: Run, library: Library, name: str
) -> None:
    """Exit code 6, the digest, the versions that need it, and where the bytes are now."""
    layer = layer_of(library)
    damage(library, layer)
    rotten = library.layout.blob_path(layer).read_bytes()
    ran = rolldeck("verify", name, "--json")
    assert ran.code == 6
    (problem,) = ran.document["problems"]
    aside = library.root / "quarantine" / layer.replace(":", "-")
    assert problem == {
        "digest": layer,
        "problem": problem["problem"],
        "references": [name],
        "quarantine": str(aside),
        "repaired": False,
    }
    assert "mismatch" in problem["problem"]
    assert aside.read_bytes() == rotten
    assert not library.layout.blob_path(layer).exists()
    again = rolldeck("verify", name)
    assert again.code == 6
    assert "missing" in again.out
    assert f"rolldeck verify --repair {name}" in again.err


@pytest.mark.parametrize("what", ["layer", "config", "manifest"])
@pytest.mark.parametrize("how", ["rotten", "missing", "cut"])
def test_repair_pulls_what_is_damaged_again(
    rolldeck: Run, library: Library, name: str, what: str, how: str
) -> None:
    """Exit code 0 when all is whole again, and only then."""
    manifest = library.layout.read_manifest(version(library).digest)
    assert manifest.config is not None
    digest = {
        "layer": layer_of(library),
        "config": manifest.config.digest,
        "manifest": manifest.digest,
    }[what]
    path = library.layout.blob_path(digest)
    whole = path.read_bytes()
    if how == "rotten":
        damage(library, digest)
    elif how == "missing":
        path.unlink()
    else:
        path.chmod(0o644)
        path.write_bytes(whole[:-1])
    ran = rolldeck("verify", "--repair", name, "--json")
    assert ran.code == 0, ran
    assert ran.document["ok"] is True
    (problem,) = ran.document["problems"]
    assert (problem["digest"], problem["repaired"]) == (digest, True)
    assert (problem["quarantine"] is None) == (how == "missing")
    assert path.read_bytes() == whole
    assert rolldeck("verify", name, "--json").document["problems"] == []


def test_a_rotten_manifest_does_not_hide_rotten_layers(
    rolldeck: Run, library: Library, name: str
) -> None:
    """Once it is there again, what it names is looked at, too."""
    damage(library, layer_of(library))
    damage(library, version(library).digest)
    ran = rolldeck("verify", "--repair", name, "--json")
    assert ran.code == 0
    assert len(ran.document["problems"]) == 2


def test_a_lone_version_has_no_source(rolldeck: Run, library: Library, lone: str) -> None:
    """It is said; exit code stays 6, and what is whole stays."""
    layer = layer_of(library)
    damage(library, layer)
    ran = rolldeck("verify", "--repair", lone)
    assert ran.code == 6
    assert f"no source of {lone} is known" in ran.out
    assert set(library.blobs()) == needed_by(library, version(library)) - {layer}


def test_a_lone_name_is_repaired_through_another_name(
    rolldeck: Run, library: Library, name: str
) -> None:
    """The same version under a name that says where it came from."""
    manifest = version(library)
    library.tag("mine", ["live"], manifest)
    damage(library, max(needed_by(library, manifest) - {manifest.digest}))
    ran = rolldeck("verify", "--repair", "mine:live", "--json")
    assert ran.code == 0
    assert ran.document["problems"][0]["references"] == [name, "mine:live"]


def test_what_the_registry_lost_cannot_be_repaired(
    rolldeck: Run, library: Library, lone: str
) -> None:
    """Why, in one line; exit code 6."""
    manifest = version(library)
    library.tag("127.0.0.1:1/gone/wdbc", ["v1"], manifest)
    damage(library, layer_of_first(library))
    ran = rolldeck("verify", "--repair", lone)
    assert ran.code == 6
    assert "not repaired: " in ran.out
    assert "127.0.0.1:1" in ran.out


def layer_of_first(library: Library) -> Digest:
    """A layer of the first version."""
    manifest = library.layout.read_manifest(library.entries()[0].descriptor.digest)
    return manifest.layers[0].digest


def test_without_arguments_all_that_is_kept_is_checked(
    rolldeck: Run, library: Library, name: str, tmp_path: Path
) -> None:
    """The library, what no version needs included, and every known target."""
    assert rolldeck("pin", name, tmp_path / "serving").code == 0
    loose = add_blob(library, "nobody needs it")
    ran = rolldeck("verify", "--json")
    assert ran.code == 0
    whole, target = (json.loads(line) for line in ran.out.splitlines())
    assert whole["what"] == str(library.root)
    assert whole["checked"] == len(library.blobs())
    assert target["what"] == str(tmp_path / "serving")
    damage(library, loose.digest)
    (tmp_path / "serving" / "current" / "Kitfile").write_text("changed")
    ran = rolldeck("verify", "--repair", "--json")
    assert ran.code == 6
    whole, target = (json.loads(line) for line in ran.out.splitlines())
    assert whole["ok"] is True
    assert whole["problems"][0]["references"] == []
    assert target["ok"] is False
    assert loose.digest not in library.blobs()


def test_nothing_is_kept_yet(rolldeck: Run, library: Library) -> None:
    """All of nothing is as it should be."""
    assert rolldeck("verify").code == 0
    assert not library.root.exists()


def test_read_only_moves_nothing(rolldeck: Run, library: Library, name: str) -> None:
    """It is reported all the same; a repair is refused."""
    damage(library, layer_of(library))
    before = sorted(library.root.rglob("*"))
    ran = rolldeck("verify", name, "--read-only", "--json")
    assert ran.code == 6
    assert ran.document["problems"][0]["quarantine"] is None
    assert rolldeck("verify", "--read-only").code == 6
    assert rolldeck("verify", "--repair", name, "--read-only").code == 8
    assert sorted(library.root.rglob("*")) == before


def test_in_another_layout_nothing_is_moved(rolldeck: Run, golden: Path, tmp_path: Path) -> None:
    """It is not rolldeck's."""
    layout = Library(tmp_path / "layout")
    shutil.copytree(golden / "layouts" / "wdbc", layout.root)
    digest = layout.entries()[0].descriptor.digest
    damage(layout, layout.layout.read_manifest(digest).layers[0].digest)
    before = {path: path.stat().st_ino for path in layout.root.rglob("*")}
    assert rolldeck("verify", f"oci:{layout.root}@{digest}").code == 6
    ran = rolldeck("verify", "--repair", f"oci:{layout.root}@{digest}")
    assert ran.code == 2
    assert {path: path.stat().st_ino for path in layout.root.rglob("*")} == before


def test_repair_is_for_the_library(rolldeck: Run, name: str, tmp_path: Path) -> None:
    """A registry's version has a copy here that may be meant; a target is pinned again."""
    remote = name.removeprefix("local:")
    ran = rolldeck("verify", "--repair", remote)
    assert ran.code == 2
    assert name in ran.err
    assert rolldeck("pin", name, tmp_path / "serving").code == 0
    assert rolldeck("verify", "--repair", tmp_path / "serving").code == 2


# Meeting rot elsewhere.


@pytest.mark.parametrize("what", ["layer", "config", "manifest"])
@pytest.mark.parametrize("how", ["rotten", "missing"])
def test_unpacking_what_rotted_says_how_to_repair_it(
    rolldeck: Run, library: Library, name: str, tmp_path: Path, what: str, how: str
) -> None:
    """The digest, the command, exit code 6, and no directory; the command then helps."""
    manifest = library.layout.read_manifest(version(library).digest)
    assert manifest.config is not None
    digests = {"layer": layer_of(library), "config": manifest.config.digest}
    digest = digests.get(what, manifest.digest)
    if how == "rotten":
        damage(library, digest)
    else:
        library.layout.blob_path(digest).unlink()
    ran = rolldeck("unpack", name, "-d", tmp_path / "out")
    assert ran.code == 6, ran
    assert digest in ran.err
    assert f"rolldeck verify --repair {name}" in ran.err
    assert not (tmp_path / "out").exists()
    assert rolldeck("verify", "--repair", name).code == 0
    assert rolldeck("unpack", name, "-d", tmp_path / "out").code == 0


@pytest.mark.parametrize("what", ["layer", "manifest"])
@pytest.mark.parametrize("how", ["rotten", "missing"])
def test_a_rollback_to_what_rotted_changes_nothing(
    rolldeck: Run,
    library: Library,
    golden_registry: RunningRegistry,
    tmp_path: Path,
    what: str,
    how: str,
) -> None:
    """The release was removed by hand, and its copy in the library is damaged."""
    names = []
    for tag in ("v1.1.0", "v1.2.0"):
        reference = f"{golden_registry.host}/golden/wdbc:{tag}"
        assert rolldeck("pull", reference).code == 0
        names.append(f"local:{reference}")
        assert rolldeck("pin", names[-1], tmp_path / "serving", "--yes").code == 0
    target = Target(tmp_path / "serving")
    current, previous = target.current(), target.previous()
    assert previous is not None
    target.discard(previous)
    manifest = library.layout.read_manifest(previous)
    digest = manifest.layers[0].digest if what == "layer" else previous
    if how == "rotten":
        damage(library, digest)
    else:
        library.layout.blob_path(digest).unlink()
    ran = rolldeck("rollback", target.path, "--yes")
    assert ran.code == 6, ran
    assert digest in ran.err
    assert f"rolldeck verify --repair {names[0]}" in ran.err
    assert target.current() == current
    assert rolldeck("verify", target.path).code == 0
    assert rolldeck("verify", "--repair", names[0]).code == 0
    assert rolldeck("rollback", target.path, "--yes").code == 0
    assert target.current() == previous


def test_a_pin_from_a_registry_meets_rot_in_the_library(
    rolldeck: Run, library: Library, name: str, tmp_path: Path
) -> None:
    """The pull finds the blob present; unpacking finds it rotten."""
    layer = layer_of(library)
    damage(library, layer)
    ran = rolldeck("pin", name.removeprefix("local:"), tmp_path / "serving")
    assert ran.code == 6
    assert layer in ran.err
    assert f"rolldeck verify --repair {name}" in ran.err
    assert Target(tmp_path / "serving").current() is None


def test_a_rotten_copy_does_not_hide_what_the_registry_has(
    rolldeck: Run, library: Library, name: str
) -> None:
    """To look at a version in a registry, the registry's own bytes will do."""
    manifest = library.layout.read_manifest(version(library).digest)
    assert manifest.config is not None
    damage(library, manifest.config.digest)
    assert rolldeck("show", name.removeprefix("local:")).code == 0
    ran = rolldeck("show", name)
    assert ran.code == 6
    assert f"rolldeck verify --repair {name}" in ran.err


def test_a_name_by_digest_alone_is_repaired_by_digest(
    rolldeck: Run, library: Library, name: str, tmp_path: Path
) -> None:
    """The command of the hint works as it stands."""
    manifest, repository = version(library), name.rpartition(":")[0]
    forget(library, "v1.2.0")
    assert rolldeck("pull", f"{repository.removeprefix('local:')}@{manifest.digest}").code == 0
    damage(library, layer_of(library))
    reference = f"{repository}@{manifest.digest}"
    ran = rolldeck("unpack", reference, "-d", tmp_path / "out")
    assert ran.code == 6
    assert f"rolldeck verify --repair {reference}" in ran.err
    assert rolldeck("verify", "--repair", reference).code == 0
    damage(library, layer_of(library))
    assert rolldeck("verify", "--repair").code == 0

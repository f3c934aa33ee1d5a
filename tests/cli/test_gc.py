"""``rolldeck gc``: a report, and with --apply what it says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rolldeck.oci import Digest
from rolldeck.release import Target
from rolldeck.settings import state_home
from rolldeck.store import Library
from tests.cli.conftest import Run
from tests.servers.registry import RunningRegistry
from tests.store.versions import forget, needed_by

TAGS = ("v1.0.0", "v1.1.0", "v1.2.0", "v2.0.0")


@pytest.fixture
def library(rolldeck: Run, golden: Path, tmp_path: Path) -> Library:
    """The library with four versions of ``wdbc``."""
    root = tmp_path / "home" / "data" / "rolldeck"
    for tag in TAGS:
        assert rolldeck("pull", f"oci:{golden}/layouts/wdbc:{tag}").code == 0
    return Library(root)


def digest_of(library: Library, tag: str) -> Digest:
    """What a tag names."""
    return next(e.descriptor.digest for e in library.entries() if e.tag == tag)


def kept(rolldeck: Run) -> dict[str, list[tuple[str, str]]]:
    """Digests that stay, with reasons."""
    document = rolldeck("gc", "--json").document
    return {
        item["digest"]: [(reason["why"], reason["what"]) for reason in item["reasons"]]
        for item in document["keep"]
    }


def test_the_report(rolldeck: Run, library: Library) -> None:
    """What stays and why, what could go and how large it is; nothing is removed."""
    gone = digest_of(library, "v2.0.0")
    forget(library, "v2.0.0")
    before = library.blobs()
    ran = rolldeck("gc")
    assert ran.code == 0
    assert "named wdbc:v1.0.0" in ran.out
    assert gone.partition(":")[2][:12] in ran.out
    assert "can go" in ran.out
    assert "rolldeck gc --apply" in ran.err
    document = rolldeck("gc", "--json").document
    assert set(document) == {"applied", "bytes", "remove", "spare", "keep", "problems"}
    assert document["applied"] is False
    assert document["bytes"] == sum(item["size"] for item in document["remove"]) > 0
    assert {item["digest"] for item in document["remove"]} >= {gone}
    assert rolldeck("gc", "--apply", "--dry-run").code == 0
    assert rolldeck("gc", "--read-only").out == ran.out
    assert library.blobs() == before


def test_apply_asks_or_wants_yes(rolldeck: Run, library: Library) -> None:
    """Without a terminal it refuses; with --yes it does what the report said."""
    forget(library, "v2.0.0")
    before = library.blobs()
    refused = rolldeck("gc", "--apply")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert library.blobs() == before
    planned = rolldeck("gc", "--json").document["remove"]
    done = rolldeck("gc", "--apply", "--yes", "--json").document
    assert done["applied"] is True
    assert done["remove"] == planned
    assert set(before) - set(library.blobs()) == {item["digest"] for item in planned}
    assert rolldeck("gc").out.endswith("Nothing can go\n")
    assert rolldeck("verify").code == 0


def test_read_only_refuses_to_apply(rolldeck: Run, library: Library) -> None:
    """Exit code 8, nothing removed."""
    forget(library, "v2.0.0")
    before = library.blobs()
    assert rolldeck("gc", "--apply", "--yes", "--read-only").code == 8
    assert library.blobs() == before


def test_a_store_of_another_version_is_code_2(rolldeck: Run, library: Library) -> None:
    """Report and removal alike."""
    (library.root / "rolldeck.json").write_text('{"version": 3}')
    before = sorted(library.root.rglob("*"))
    assert rolldeck("gc").code == 2
    assert rolldeck("gc", "--apply", "--yes").code == 2
    assert sorted(library.root.rglob("*")) == before


def test_a_version_by_digest_is_kept_for_the_grace_time(
    rolldeck: Run, library: Library, golden: Path
) -> None:
    """A day, or as long as is said."""
    digest = digest_of(library, "v2.0.0")
    forget(library, "v2.0.0")
    assert rolldeck("pull", f"oci:{golden}/layouts/wdbc@{digest}").code == 0
    assert kept(rolldeck)[digest] == [("young", digest)]
    document = rolldeck("gc", "--grace", "0", "--json").document
    assert digest in {item["digest"] for item in document["remove"]}
    for wrong in ("-1", "nan", "a day"):
        assert rolldeck("gc", f"--grace={wrong}").code == 2


def test_nothing_here_yet(rolldeck: Run) -> None:
    """No library is made for a report."""
    assert rolldeck("gc").out == "Nothing can go\n"
    assert rolldeck("gc", "--apply", "--yes").code == 0
    assert not (state_home().parent.parent / "data").exists()


def test_what_is_held_twice_goes_only_when_asked(
    rolldeck: Run,
    golden_registry: RunningRegistry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The report tells of it; --spare takes it among what goes, --apply alone does not."""
    monkeypatch.setattr("rolldeck.kit.unpack.SMALL_BLOB", -1)
    source = f"{golden_registry.host}/golden/wdbc:v1.0.0"
    assert rolldeck("pull", source).code == 0
    assert rolldeck("pin", f"local:{source}", tmp_path / "serving", "--yes").code == 0
    ran = rolldeck("gc")
    release = next((tmp_path / "serving/releases").iterdir())
    assert f"also in {release}" in ran.out
    assert ran.out.endswith("Nothing can go\n")
    assert "rolldeck gc --apply --spare" in ran.err
    told = rolldeck("gc", "--json").document
    assert told["remove"] == []
    assert {item["kind"] for item in told["spare"]} == {"spare"}
    assert rolldeck("gc", "--apply", "--yes", "--json").document["spare"] == told["spare"]
    planned = rolldeck("gc", "--spare", "--json").document
    assert (planned["remove"], planned["spare"]) == (told["spare"], [])
    refused = rolldeck("gc", "--apply", "--spare")
    assert refused.code == 2
    assert all(Path(item["path"]).exists() for item in told["spare"])
    done = rolldeck("gc", "--apply", "--spare", "--yes", "--json").document
    assert done["remove"] == told["spare"]
    assert done["bytes"] == sum(item["size"] for item in told["spare"])
    assert not any(Path(item["path"]).exists() for item in told["spare"])
    assert rolldeck("verify").code == 0
    assert rolldeck("du").code == 0


# Local targets.


@pytest.fixture
def target(rolldeck: Run, library: Library, tmp_path: Path) -> Target:
    """A target with three pins, whose versions have no names any more."""
    path = tmp_path / "serving"
    for tag in TAGS[1:]:
        assert rolldeck("pin", f"wdbc:{tag}", path, "--yes").code == 0
    return Target(path)


def test_what_a_target_may_ask_for_stays(rolldeck: Run, library: Library, target: Target) -> None:
    """Current, the rollback point, what is unpacked; v1.0.0 was never there."""
    digests = {tag: digest_of(library, tag) for tag in TAGS}
    never = needed_by(library, next(e.descriptor for e in library.entries() if e.tag == TAGS[0]))
    shared = set().union(
        *(needed_by(library, e.descriptor) for e in library.entries() if e.tag != TAGS[0])
    )
    forget(library, *TAGS)
    found = kept(rolldeck)
    assert found[digests["v2.0.0"]] == [("target", f"{target.path}: current")]
    assert found[digests["v1.2.0"]] == [("target", f"{target.path}: rollback")]
    assert found[digests["v1.1.0"]] == [("target", f"{target.path}: unpacked")]
    assert rolldeck("gc", "--apply", "--yes").code == 0
    assert set(library.blobs()) == shared
    assert never - shared
    assert rolldeck("verify").code == 0


def test_undo_after_a_rollback_stays_without_its_release(
    rolldeck: Run, library: Library, target: Target
) -> None:
    """What was current before the last move, although someone removed its directory."""
    newest = digest_of(library, "v2.0.0")
    assert rolldeck("rollback", target.path, "--yes").code == 0
    target.discard(newest)
    forget(library, *TAGS)
    assert kept(rolldeck)[newest] == [("target", f"{target.path}: undo")]
    assert rolldeck("gc", "--apply", "--yes").code == 0
    assert rolldeck("undo", target.path, "--yes").code == 0
    assert target.current() == newest
    assert rolldeck("verify", target.path).code == 0


def test_a_removed_target_keeps_nothing(rolldeck: Run, library: Library, target: Target) -> None:
    """Whoever deletes the directory needs it no more."""
    forget(library, *TAGS)
    target.path.rename(target.path.with_name("elsewhere"))
    assert kept(rolldeck) == {}


def test_a_damaged_target_keeps_everything(rolldeck: Run, library: Library, target: Target) -> None:
    """Nobody knows what it needs; the report says so."""
    (target.path / ".rolldeck" / "history.jsonl").write_text('{"number": 1}\n')
    forget(library, *TAGS)
    before = library.blobs()
    ran = rolldeck("gc", "--apply", "--yes")
    assert ran.code == 0
    assert "No version and no blob goes" in ran.out
    assert str(target.path) in ran.out
    assert library.blobs() == before


def test_a_damaged_list_of_targets_stops_all(rolldeck: Run, library: Library) -> None:
    """It is not taken for an empty one."""
    forget(library, *TAGS)
    state_home().mkdir(parents=True, exist_ok=True)
    (state_home() / "targets.json").write_text('[{"path": ')
    before = library.blobs()
    for words in (["gc"], ["gc", "--apply", "--yes"]):
        ran = rolldeck(*words)
        assert ran.code == 6
        assert "targets.json" in ran.err
    assert library.blobs() == before


def test_many_targets_are_remembered(rolldeck: Run, tmp_path: Path) -> None:
    """None that exists is forgotten, however many there are."""
    from rolldeck.release import read_known, remember

    paths = [tmp_path / f"target-{number}" for number in range(120)]
    for path in paths:
        path.mkdir()
        remember(path, "x")
    assert {known.path for known in read_known()} == set(paths)
    for path in paths[:10]:
        path.rmdir()
    remember(paths[-1], "x")
    assert {known.path for known in read_known()} == set(paths[10:])
    assert json.loads((state_home() / "targets.json").read_bytes())
    assert os.stat(state_home() / "targets.json").st_mode & 0o777 == 0o600

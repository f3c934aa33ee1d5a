"""Garbage: what nobody needs goes, everything else stays, in an order that harms nothing."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rolldeck import fsops, half_made
from rolldeck.errors import IntegrityError, UsageError
from rolldeck.oci import Descriptor, Digest, digest_of
from rolldeck.store import Library
from rolldeck.store.garbage import Need, Reason, Survey, collect, survey
from tests.store.versions import (
    DAY,
    add_blob,
    add_index,
    add_version,
    damage,
    forget,
    make_old,
    needed_by,
)

Needs = Callable[[], list[Need]]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """An empty library."""
    made = Library(tmp_path / "library")
    made.prepare()
    return made


def nothing() -> list[Need]:
    """No local target."""
    return []


def reasons(found: Survey, manifest: Descriptor) -> list[str]:
    """Why a version is kept."""
    kept = next(item for item in found.kept if item.digest == manifest.digest)
    return [reason.why for reason in kept.reasons]


def gone(library: Library, needs: Needs = nothing) -> set[Digest]:
    """Collect garbage; returns the blobs that went."""
    before = set(library.blobs())
    collect(library, needs)
    return before - set(library.blobs())


def test_what_has_a_tag_stays(library: Library) -> None:
    """A version, an index with its children, and layers that are shared with what goes."""
    tagged = add_version(library, "v1", "shared", "own")
    child = add_version(library, None, "of the child")
    index = add_index(library, "all", child)
    other = add_version(library, "v2", "shared", "other")
    forget(library, "v2")
    for manifest in (tagged, child, index, other):
        make_old(library, manifest)
    found = survey(library, nothing)
    assert reasons(found, tagged) == reasons(found, index) == ["tag"]
    alone = needed_by(library, other) - {digest_of(b"shared")}
    assert gone(library) == alone
    assert {entry.descriptor.digest for entry in library.entries()} == {
        tagged.digest,
        child.digest,
        index.digest,
    }
    assert gone(library) == set()


def test_a_report_removes_nothing_and_tells_sizes(library: Library) -> None:
    """Bytes of what could go are those of its files."""
    old = add_version(library, "v1", "layer")
    forget(library, "v1")
    paths = {library.layout.blob_path(digest) for digest in needed_by(library, old)}
    found = survey(library, nothing)
    assert {item.path for item in found.garbage} == paths
    assert found.size == sum(path.stat().st_size for path in paths)
    assert all(path.exists() for path in paths)
    assert [item.kind for item in found.garbage if item.digest == old.digest] == ["version"]


def test_a_version_without_a_tag_is_kept_for_a_day(library: Library) -> None:
    """Somebody asked for that digest; after that it goes, out of the index too."""
    manifest = add_version(library, None, "layer")
    assert reasons(survey(library, nothing), manifest) == ["young"]
    assert gone(library) == set()
    needed = needed_by(library, manifest)
    make_old(library, manifest)
    assert gone(library) == needed
    assert library.entries() == []


def test_what_a_target_needs_stays(library: Library) -> None:
    """Also in the index, where it has no tag."""
    manifest = add_version(library, None, "layer")
    make_old(library, manifest)
    need = Need(manifest.digest, Reason("target", "/srv: current"))
    assert reasons(survey(library, lambda: [need]), manifest) == ["target"]
    assert gone(library, lambda: [need]) == set()
    assert library.holds(manifest.digest)


def test_what_a_target_needs_and_is_not_here_does_not_matter(library: Library) -> None:
    """Its files came from elsewhere."""
    old = add_version(library, "v1", "layer")
    forget(library, "v1")
    need = Need(digest_of(b"elsewhere"), Reason("target", "/srv: current"))
    needed = needed_by(library, old)
    assert gone(library, lambda: [need]) == needed


def test_what_an_operation_needs_stays_until_it_ends(library: Library) -> None:
    """The lease of a pull names blobs that come, of an unpack a manifest."""
    manifest = add_version(library, None, "layer")
    make_old(library, manifest)
    loose = add_blob(library, "comes before its manifest")
    unpacking = library.lease("unpack", "x:v1", [manifest.digest])
    pulling = library.lease("pull", "x:v2", [loose.digest, digest_of(b"not here yet")])
    assert reasons(survey(library, nothing), manifest) == ["operation"]
    assert gone(library) == set()
    fsops.unlink(pulling)
    assert gone(library) == {loose.digest}
    needed = needed_by(library, manifest)
    fsops.unlink(unpacking)
    assert gone(library) == needed


def test_targets_are_asked_after_the_leases_were_read(library: Library) -> None:
    """A pin that ends in between has left its lease or its target, never neither."""
    manifest = add_version(library, None, "layer")
    make_old(library, manifest)
    lease = library.lease("pin", "x", [manifest.digest])

    def ending() -> list[Need]:
        fsops.unlink(lease)
        return []

    assert gone(library, ending) == set()


def test_an_operation_that_makes_blobs_keeps_all(library: Library) -> None:
    """Nobody knows their digests yet; what is left over elsewhere may go."""
    add_blob(library, "of a layer that is packed")
    lease = library.lease("pack", "x:v1", None)
    found = survey(library, nothing)
    assert found.garbage == ()
    assert "pack of x:v1" in found.problems[0]
    fsops.unlink(lease)
    assert len(gone(library)) == 1


def test_referrers_stay_with_their_subject(library: Library) -> None:
    """A signature, and what was said of the signature; they do not keep the version alive."""
    signed = add_version(library, "v1", "layer")
    signature = add_version(library, None, "signature", subject=signed)
    witness = add_version(library, None, "witness", subject=signature)
    for manifest in (signature, witness):
        make_old(library, manifest)
    assert reasons(survey(library, nothing), witness) == ["referrer"]
    assert gone(library) == set()
    everything = set(library.blobs())
    forget(library, "v1")
    assert gone(library) == everything


def unreadable(library: Library, manifest: Descriptor, how: str) -> None:
    """Make a manifest that does not say what it needs."""
    path = library.layout.blob_path(manifest.digest)
    if how == "missing":
        path.unlink()
    elif how == "rotten":
        damage(library, manifest.digest)
    else:
        other = add_blob(library, '{"schemaVersion": 9, "blobs": []}')
        library.tag("x", ["v1"], other)


@pytest.mark.parametrize("how", ["missing", "rotten", "of another kind"])
def test_while_a_named_version_cannot_be_read_no_blob_goes(library: Library, how: str) -> None:
    """It may need any of them: it is told by name, and nothing is removed."""
    manifest = add_version(library, "v1", "layer")
    add_blob(library, "garbage, perhaps")
    unreadable(library, manifest, how)
    found = survey(library, nothing)
    assert found.garbage == ()
    assert found.problems[0].startswith("x:v1: sha256:")
    assert gone(library) == set()


def test_an_untagged_version_that_cannot_be_read_stays(library: Library) -> None:
    """It is told, and does not stop the rest."""
    manifest = add_version(library, None, "layer")
    damage(library, manifest.digest)
    found = survey(library, nothing)
    assert reasons(found, manifest) == ["unreadable"]
    collect(library, nothing)
    assert library.holds(manifest.digest)
    assert manifest.digest in library.blobs()


def test_an_index_may_lack_children(library: Library) -> None:
    """Other tools copy one platform only; a child that is there and rotten is another thing."""
    child, absent = (add_version(library, None, name) for name in "ab")
    index = add_index(library, "all", child, absent)
    for manifest in (child, absent):
        make_old(library, manifest)
    library.layout.blob_path(absent.digest).unlink()
    forget(library, "none")
    with library.locked():
        library.write_index([e for e in library.entries() if e.descriptor.digest == index.digest])
    assert survey(library, nothing).problems == ()
    assert child.digest not in gone(library)
    damage(library, child.digest)
    assert child.digest in survey(library, nothing).problems[0]


def test_a_target_that_cannot_be_read_may_need_all(library: Library) -> None:
    """Its rollback point could be any version."""
    add_blob(library, "garbage, perhaps")
    need = Need(None, Reason("target", "what /srv needs cannot be told: damaged"))
    found = survey(library, lambda: [need])
    assert found.garbage == ()
    assert found.problems == (need.reason.what,)


def test_a_damaged_index_stops_all(library: Library) -> None:
    """Without names nothing is known to be garbage."""
    blob = add_blob(library, "x")
    (library.root / "index.json").write_text("{")
    for verb in (survey, collect):
        with pytest.raises(IntegrityError):
            verb(library, nothing)
    assert library.blobs() == [blob.digest]


def test_a_library_of_another_version_is_left_alone(library: Library) -> None:
    """Neither looked through nor changed."""
    add_blob(library, "x")
    (library.root / "rolldeck.json").write_text('{"version": 2}')
    before = sorted(library.root.rglob("*"))
    for verb in (survey, collect):
        with pytest.raises(UsageError):
            verb(Library(library.root), nothing)
    assert sorted(library.root.rglob("*")) == before


def test_no_library_has_no_garbage(tmp_path: Path) -> None:
    """And none is made."""
    assert survey(Library(tmp_path / "none"), nothing) == Survey((), (), ())
    assert collect(Library(tmp_path / "none"), nothing) == Survey((), (), ())
    assert not (tmp_path / "none").exists()


def test_only_what_was_shown_goes(library: Library) -> None:
    """What became garbage after the question waits for the next time."""
    first = add_blob(library, "first")
    shown = {item.path for item in survey(library, nothing).garbage}
    second = add_blob(library, "second")
    assert [item.digest for item in collect(library, nothing, shown=shown).garbage] == [
        first.digest
    ]
    assert library.blobs() == [second.digest]


def test_what_is_needed_since_it_was_shown_stays(library: Library) -> None:
    """The look under the lock decides."""
    manifest = add_version(library, "v1", "layer")
    forget(library, "v1")
    shown = {item.path for item in survey(library, nothing).garbage}
    library.tag("x", ["v1"], manifest)
    assert collect(library, nothing, shown=shown).garbage == ()


def test_an_open_blob_stays_readable(library: Library) -> None:
    """Its name goes, not its bytes."""
    blob = add_blob(library, "still read")
    with library.layout.open_blob(blob.digest) as file:
        assert gone(library) == {blob.digest}
        assert file.read() == b"still read"


def test_order_index_then_manifests_then_blobs(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each durable before the next."""
    manifest = add_version(library, None, "layer")
    make_old(library, manifest)
    steps = []
    set_aside, sync, write = half_made.set_aside, fsops.fsync_directory, half_made.write_atomic

    def aside(path: Path, directory: Path) -> Path:
        steps.append("manifest" if path.name in manifest.digest else "blob")
        return set_aside(path, directory)

    def synced(path: Path) -> None:
        steps.append(f"sync {path.name}")
        sync(path)

    def written(path: Path, data: bytes, mode: int = 0o644) -> None:
        steps.append(path.name)
        write(path, data, mode)

    monkeypatch.setattr(half_made, "set_aside", aside)
    monkeypatch.setattr(fsops, "fsync_directory", synced)
    monkeypatch.setattr(half_made, "write_atomic", written)
    collect(library, nothing)
    assert steps == [
        *("index.json", f"sync {library.root.name}"),
        *("manifest", "sync sha256"),
        *("blob", "blob", "sync sha256"),
    ]


# Debris.


def partial(library: Library, digest: Digest, age: float = 0) -> Path:
    """Leave a partial file, as one who was killed does."""
    path = library.partial_path(digest)
    path.write_bytes(b"part")
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def kinds(library: Library) -> list[tuple[str, str]]:
    """What could go: kind and name."""
    return [(item.kind, item.path.name) for item in survey(library, nothing).garbage]


def test_partials_go_when_nobody_will_go_on(library: Library) -> None:
    """After a week, or when the blob is here; with the journal, which alone goes at once."""
    here = add_version(library, "v1", "layer")
    old, young = digest_of(b"old"), digest_of(b"young")
    paths = [partial(library, old, 8 * DAY), partial(library, here.digest)]
    journal = Path(f"{paths[0]}.journal")
    lone = Path(f"{library.partial_path(digest_of(b'lone'))}.journal")
    journal.touch()
    lone.touch()
    kept = partial(library, young, 6 * DAY)
    Path(f"{kept}.journal").touch()
    assert {name for _, name in kinds(library)} == {path.name for path in [*paths, lone]}
    collect(library, nothing)
    assert sorted(library.scratch.iterdir()) == [kept, Path(f"{kept}.journal")]


def test_a_partial_that_is_fetched_now_stays(library: Library) -> None:
    """However long nothing came."""
    blob = Descriptor("x", digest_of(b"slow"), 4)
    partial(library, blob.digest, 8 * DAY)
    running = library.claim(blob)
    assert running is not None
    os.utime(library.partial_path(blob.digest), (0, 0))
    assert kinds(library) == []
    shown = {library.partial_path(blob.digest)}
    assert collect(library, nothing, shown=shown).garbage == ()
    running.close()
    os.utime(library.partial_path(blob.digest), (0, 0))
    assert [kind for kind, _ in kinds(library)] == ["partial"]


def test_temporary_files_go_with_their_process(library: Library) -> None:
    """Those of this process stay; those of a place that cannot be seen go after a day."""
    own = half_made.temporary_name(library.scratch)
    pid, place = own.name.removeprefix(half_made.TEMPORARY_PREFIX).split("-")[:2]
    dead = own.with_name(own.name.replace(f"-{pid}-", "-999999999-"))
    elsewhere = own.with_name(dead.name.replace(place, "elsewher"))
    for path in (own, dead, elsewhere):
        path.touch()
    assert kinds(library) == [("temporary", dead.name)]
    os.utime(elsewhere, (0, 0))
    collect(library, nothing)
    assert list(library.scratch.iterdir()) == [own]


def test_quarantine_is_kept_for_a_month(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long enough to look at it."""
    rotten = library.root / "quarantine" / digest_of(b"x").replace(":", "-")
    rotten.parent.mkdir()
    rotten.touch()
    assert kinds(library) == []
    later = time.time() + 31 * DAY
    monkeypatch.setattr("rolldeck.store.garbage.time.time", lambda: later)
    assert kinds(library) == [("quarantined", rotten.name)]
    collect(library, nothing)
    assert not rotten.exists()


def test_leases_of_ended_operations_go(library: Library) -> None:
    """They keep nothing."""
    path = library.lease("pull", "x:v1", [digest_of(b"x")])
    document = json.loads(path.read_bytes())
    document["process"]["started"] = 1
    path.write_text(json.dumps(document))
    assert kinds(library) == [("lease", path.name)]
    collect(library, nothing)
    assert not path.exists()


def test_what_is_not_ours_stays(library: Library) -> None:
    """Files of unknown names, wherever they are."""
    strays = [
        library.root / "notes.txt",
        library.root / "blobs" / "sha256" / "README",
        library.root / "blobs" / "blake3" / ("0" * 64),
        library.scratch / "x",
    ]
    for path in strays:
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path, (0, 0))
    assert kinds(library) == []
    collect(library, nothing)
    assert all(path.exists() for path in strays)

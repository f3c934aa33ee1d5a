"""Collecting garbage while others work, and killed at every call: nothing needed ever goes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rolldeck.cli import main
from rolldeck.oci import Digest, digest_of
from rolldeck.release import Target
from rolldeck.store import Library
from rolldeck.store.garbage import collect
from tests.servers.kits import files_below, push_kit
from tests.servers.registry import RunningRegistry
from tests.store.versions import add_blob, add_index, add_version, forget, make_old, needed_by

RUNS = 200 if os.environ.get("ROLLDECK_TORTURE") else 40
AT_ONCE = 4

KILLED = """
import os, sys
from pathlib import Path
from rolldeck import fsops, half_made, locks
from rolldeck.store import Library
from rolldeck.store.garbage import collect

left = int(sys.argv[2])

def counted(function):
    def call(*given, **named):
        global left
        if left == 0:
            os._exit(9)
        left -= 1
        return function(*given, **named)
    return call

names = {
    fsops: ["create", "write", "fsync", "fsync_directory", "replace", "unlink", "make_directories",
            "truncate"],
    half_made: ["set_aside", "write_atomic"],
    locks: ["try_lock"],
}
for module in names:
    for name in names[module]:
        setattr(module, name, counted(getattr(module, name)))
collect(Library(Path(sys.argv[1])), lambda: [])
print(left)
"""


@pytest.fixture
def garden(tmp_path: Path) -> Library:
    """A library with something of each kind that goes, and versions that stay."""
    library = Library(tmp_path / "garden")
    add_version(library, "v1", "shared", "own")
    old = add_version(library, "v2", "shared", "other")
    child = add_version(library, None, "of the child")
    index = add_index(library, None, child)
    forget(library, "v2")
    for manifest in (old, child, index):
        make_old(library, manifest)
    add_blob(library, "loose")
    part = library.partial_path(digest_of(b"old"))
    for path in (part, Path(f"{part}.journal")):
        path.touch()
        os.utime(path, (0, 0))
    return library


def check(library: Library) -> None:
    """What is named is whole; every blob is what its name says."""
    for entry in library.entries():
        assert needed_by(library, entry.descriptor) <= set(library.blobs())
    assert {entry.tag for entry in library.entries()} >= {"v1"}
    for digest in library.blobs():
        assert digest_of(library.layout.blob_path(digest).read_bytes()) == digest


def test_killed_at_every_call(garden: Library, tmp_path: Path) -> None:
    """The index never names what is missing, and the next one ends the work and leaves nothing."""
    want = tmp_path / "want"
    shutil.copytree(garden.root, want)
    collect(Library(want), lambda: [])
    final = files(want)
    kills = 0
    while True:
        root = tmp_path / f"killed-{kills}"
        shutil.copytree(garden.root, root)
        command = [sys.executable, "-c", KILLED, str(root), str(kills)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        check(Library(root))
        if ran.returncode == 0:
            break
        assert ran.returncode == 9, ran.stderr
        collect(Library(root), lambda: [])
        assert files(root) == final
        shutil.rmtree(root)
        kills += 1
    assert kills > 20


def files(root: Path) -> list[str]:
    """The names of all files of a library."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_beside_pulls_unpacks_and_pins(
    golden_registry: RunningRegistry,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Everything that others ask for by digest is garbage as soon as they end, and not before."""
    root = tmp_path / "library"
    place = f"{golden_registry.host}/golden/wdbc"
    digests = [_digest(golden_registry, tag) for tag in UNNAMED]
    waiting = [_words(number, place, digests, tmp_path) for number in range(RUNS)]
    running: list[tuple[list[str], subprocess.Popen[str]]] = []
    collected = 0
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            words = [*waiting.pop(0), "--library", str(root), "--json"]
            running.append((words, _start(words)))
        capsys.readouterr()
        assert main(["gc", "--apply", "--yes", "--grace", "0", "--library", str(root)]) == 0
        collected += "files removed" in capsys.readouterr().out
        for words, process in [item for item in running if item[1].poll() is not None]:
            out, errors = process.communicate()
            assert process.returncode == 0, (words, out, errors)
            running.remove((words, process))
        time.sleep(0.02)
    assert collected > 2, "nothing was collected beside them, so nothing was tested"
    assert main(["verify", "--library", str(root)]) == 0
    library = Library(root)
    assert {entry.tag for entry in library.entries() if entry.tag} == {NAMED}
    for entry in library.entries():
        assert needed_by(library, entry.descriptor) <= set(library.blobs())
    for target in tmp_path.glob("target-*"):
        current = Target(target).current()
        assert current is not None
        assert library.holds(current)
    assert list(library.leases.iterdir()) == list(library.scratch.iterdir()) == []


NAMED, UNNAMED = "v1.0.0", ("v1.1.0", "v1.2.0", "v2.0.0")
"""Pulled by tag, and only ever by digest; they share layers."""


def _words(number: int, place: str, digests: list[Digest], directory: Path) -> list[str]:
    """What the n-th process does: half of it by digest, without a name that would keep it."""
    digest = digests[number // 4 % len(digests)]
    match number % 4:
        case 0 | 1:
            return ["unpack", f"{place}@{digest}", "-d", str(directory / f"unpacked-{number}")]
        case 2 if number < RUNS - 8:
            return ["pull", f"{place}@{digest}"]
        case 2:
            return ["pin", f"{place}@{digest}", str(directory / f"target-{number}"), "--yes"]
        case _:
            return ["pull", f"{place}:{NAMED}"]


def _digest(registry: RunningRegistry, tag: str) -> Digest:
    raw = (
        registry.storage / "docker/registry/v2/repositories/golden/wdbc/_manifests/tags"
    ).joinpath(tag, "current", "link")
    return Digest(raw.read_text())


def _start(words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "rolldeck", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


SPARE_ROUNDS = 20 if os.environ.get("ROLLDECK_TORTURE") else 4


def test_what_is_held_twice_goes_beside_readers(
    docker_registry: RunningRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever reads the version has it from the blob or from the release, whole."""
    library = tmp_path / "library"
    sizes = {"a.bin": 9 * 1024 * 1024 + 7, "b.json": 100}
    kit = push_kit(docker_registry, tmp_path / "kit" / "c", "spare/beside", sizes)
    source = f"{docker_registry.host}/{kit.repository}:v1"
    local, common = f"local:{source}", ["--library", str(library), "--json"]
    assert main(["pull", source, *common]) == 0
    assert main(["pin", local, str(tmp_path / "serving"), "--yes", *common]) == 0
    beside = 0
    for number in range(SPARE_ROUNDS):
        out = tmp_path / f"out-{number}"
        readers = [
            ["unpack", local, "-d", str(out)],
            ["copy", local, f"oci:{tmp_path}/layout-{number}:v1"],
            ["verify", local],
            ["pull", source],
        ]
        running = [_start([*words, *common]) for words in readers]
        while any(process.poll() is None for process in running):
            capsys.readouterr()
            assert main(["gc", "--apply", "--spare", "--yes", *common]) == 0
            document = json.loads(capsys.readouterr().out)
            beside += any(item["kind"] == "spare" for item in document["remove"])
        for process, words in zip(running, readers, strict=True):
            text, errors = process.communicate()
            assert process.returncode == 0, (words, text, errors)
        assert files_below(out) == kit.files
        copied = Path(f"{tmp_path}/layout-{number}/blobs", kit.model.digest.replace(":", "/"))
        assert copied.read_bytes() == kit.blobs[kit.model.digest]
        assert main(["pull", source, *common]) == 0
    capsys.readouterr()
    assert main(["gc", "--apply", "--spare", "--yes", *common]) == 0
    (spare,) = json.loads(capsys.readouterr().out)["remove"]
    assert spare["digest"] == kit.model.digest
    assert beside, "nothing was removed beside them, so nothing was tested"
    assert main(["verify", *common]) == 0

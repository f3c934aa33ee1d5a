"""The operations that every fault is tried on: one line each in ``OPERATIONS``.

Each runs as a command line in a world of its own: a directory with ``library``, ``serving`` (a
local target), ``out`` (a destination) and ``home``.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rolldeck.kit.pack import pack
from rolldeck.oci import MANIFEST
from rolldeck.release import Target
from rolldeck.store import Library
from tests.faults.forked import Forked, Ran
from tests.faults.invariants import Files, broken, files_of, names_of, temporaries
from tests.faults.seam import Plan
from tests.servers.registry import RunningRegistry, push_blob, push_manifest

REPOSITORY = "faults/kit"

_KITFILE = {
    "manifestVersion": "1.0.0",
    "package": {"name": "kit"},
    "model": {"path": "model"},
    "code": [{"path": "src"}],
    "datasets": [{"name": "data", "path": "data"}],
}


@dataclass
class World:
    """One place to run commands in; ``template`` is what ``begin`` starts from."""

    root: Path
    forked: Forked
    source: str
    """The registry's repository, as a user types it."""
    trees: dict[str, Files] = field(default_factory=dict)

    @property
    def library(self) -> Path:
        return self.root / "library"

    @property
    def target(self) -> Target:
        return Target(self.root / "serving")

    @property
    def out(self) -> Path:
        return self.root / "out"

    def version(self, tag: str) -> str:
        """A version at the registry."""
        return f"{self.source}:{tag}"

    def local(self, tag: str) -> str:
        """The library's copy of a version."""
        return f"local:{self.source}:{tag}"

    def run(self, *words: object, **options: object) -> Ran:
        """Run a command line here."""
        home = self.root / "home"
        env = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        for name in ("DATA", "CONFIG", "STATE", "CACHE"):
            env[f"XDG_{name}_HOME"] = str(home / name.lower())
        env["ROLLDECK_LIBRARY"] = str(self.library)
        return self.forked.run(*words, env=env, **options)  # type: ignore[arg-type]

    def must(self, *words: object, **options: object) -> None:
        """Run a command line that prepares something."""
        ran = self.run(*words, **options)
        assert ran.code == 0, ran

    def clear(self) -> None:
        """Empty the world."""
        shutil.rmtree(self.root, ignore_errors=True)
        (self.root / "home").mkdir(parents=True)

    def problems(self) -> list[str]:
        """The invariants that do not hold."""
        return broken(self.root, self.trees)

    def temporaries(self) -> list[str]:
        """What is half-made."""
        return temporaries(self.root)


@dataclass(frozen=True)
class Operation:
    """One operation: ``words`` after ``prepare``; ``state`` is old or new at any instant.

    ``after`` is what is run where it took effect, when the same command would do something else.
    """

    name: str
    words: Callable[[World], list[object]]
    prepare: Callable[[World], None]
    state: Callable[[World], object]
    after: Callable[[World], list[object]] | None = None
    half_made: int = 1
    """Most things that a kill leaves half-made: what works in two places leaves one in each."""
    script: str = ""
    """Python that runs in the process beforehand."""

    def run(self, world: World, plan: Plan | None = None) -> Ran:
        """Run it, one blob after the other, so that the calls come in the same order."""
        return world.run(*self.words(world), plan=plan, script=self.script)


def _names(world: World) -> object:
    return names_of(world.library)


def _unpacked(world: World) -> object:
    return files_of(world.out) if world.out.exists() else None


def _current(world: World) -> object:
    target = world.target
    return target.current() if target.exists else None


def _pulled(*tags: str) -> Callable[[World], None]:
    def prepare(world: World) -> None:
        for tag in tags:
            world.must("pull", world.version(tag))

    return prepare


def _pinned(*tags: str) -> Callable[[World], None]:
    def prepare(world: World) -> None:
        for tag in tags:
            world.must("pull", world.version(tag))
            world.must("pin", world.local(tag), world.target.path, "--yes")

    return prepare


_LARGE = "import rolldeck.kit.unpack as unpack; unpack.SMALL_BLOB = 100_000"
"""Else no layer of the kit is large enough to be rebuilt from its files: with it the model's is."""


def _held_twice(world: World) -> None:
    _pulled("v1", "v2")(world)
    ran = world.run("pin", world.local("v1"), world.target.path, "--yes", script=_LARGE)
    assert ran.code == 0, ran
    Library(world.library).add(b"loose")


def _large_blobs(world: World) -> object:
    """How many of them the library has."""
    return sum(path.stat().st_size > 100_000 for path in world.library.glob("blobs/*/*"))


def _used(world: World) -> Path:
    return world.root / "home" / "used"


def _in_use(world: World) -> None:
    """A directory with the first version, but for one file, and with a file of its user's."""
    _pulled("v1", "v2")(world)
    world.must("unpack", world.local("v1"), "--directory", _used(world))
    (_used(world) / _REMOVED).unlink()
    (_used(world) / "mine.txt").write_text("mine")


def _merged(world: World) -> object:
    """Whether all files are the new ones; until then each is the old or the new one."""
    old, new = world.trees.values()
    found = files_of(_used(world))
    if found.pop("mine.txt", None) is None:
        return "the user's file is gone"
    if found == new:
        return "new"
    names = {*found, *old} - {_REMOVED}
    return [name for name in names if found.get(name) not in (old[name], new[name])] or "old"


def _following(world: World) -> None:
    """A target that follows a channel of the library, which has moved on."""
    for tag in ("v1", "v2"):
        world.must("pull", world.version(tag))
    channel = world.local("production")
    world.must("promote", world.local("v1"), channel, "--yes")
    world.must("pin", "--follow", channel, world.target.path, "--yes")
    world.must("verdict", world.local("v1"), "good")
    world.must("promote", world.local("v2"), channel, "--yes")


def _followed_back(world: World) -> None:
    """The same at the version that it moved on to, which was rolled back since."""
    _following(world)
    world.must("follow", world.target.path, "--once")
    world.must("rollback", world.local("production"), "--yes", script=ELSEWHERE)


ELSEWHERE = """
import os
os.environ["XDG_STATE_HOME"] += "-elsewhere"
"""
"""A host that does not know the targets of this one, and so takes none along."""

_PRUNING = ("--keep", 1, "--apply", "--yes", "--force")


def _with_surplus(world: World) -> None:
    """A target with a release that its history does not lead to."""
    _pinned("v1", "v2")(world)
    journal = world.target.path / ".rolldeck" / "history.jsonl"
    last = json.loads(journal.read_bytes().splitlines()[-1])
    journal.write_text(json.dumps(last | {"from_digest": None}) + "\n")


def _anew(world: World, *words: object) -> list[object]:
    """Unpack into the directory once more, which tidies up beside it."""
    shutil.rmtree(world.out)
    return [*words, world.out]


_REMOVED = "data/test.csv"

_FILES_ARE_OLD = "import rolldeck.kit.layer_record as record; record.TICK = -(10**18)"
"""Else the files of a context that was made just now are never recognised as unchanged."""


def _pack(world: World, tag: str) -> list[object]:
    words = ["pack", _context(world), "--tag", f"packed:{tag}"]
    return [*words, "--concurrency", 1, "--json"]


def _context(world: World) -> Path:
    # Beside the world: in a copy of it every file would be another one.
    return world.root.with_name("packing")


def _packed_before(world: World) -> None:
    """Pack v1, whose model and data v2 has, too."""
    context = _context(world)
    shutil.rmtree(context, ignore_errors=True)
    _write_files(context, 1)
    (context / "Kitfile").write_text(json.dumps(_KITFILE))
    for unchanged in (False, True):
        ran = world.run(*_pack(world, "v1"), script=_FILES_ARE_OLD)
        assert ran.code == 0, ran
        assert {layer["unchanged"] for layer in ran.document["layers"]} == {unchanged}
    (context / "src" / "train.py").write_text("VERSION = 2\n")


OPERATIONS = [
    Operation(
        "pull",
        lambda world: ["pull", world.version("v2"), "--concurrency", 1, "--json"],
        _pulled("v1"),
        _names,
    ),
    Operation(
        "first pull",
        lambda world: ["pull", world.version("v1"), "--concurrency", 1, "--json"],
        lambda world: None,
        _names,
    ),
    Operation(
        "unpack",
        lambda world: ["unpack", world.local("v1"), "--directory", world.out],
        _pulled("v1"),
        _unpacked,
        after=lambda world: _anew(world, "unpack", world.local("v1"), "--directory"),
    ),
    Operation(
        "unpack over",
        lambda world: [
            *("unpack", world.local("v2"), "--directory", _used(world)),
            *("--overwrite", "--yes"),
        ],
        _in_use,
        _merged,
    ),
    Operation(
        "pull and unpack",
        lambda world: ["pull", world.version("v1"), "--unpack", world.out, "--concurrency", 1],
        lambda world: None,
        _unpacked,
        after=lambda world: _anew(world, "pull", world.version("v1"), "--unpack"),
        half_made=2,
    ),
    Operation(
        "pin",
        lambda world: ["pin", world.local("v1"), world.target.path, "--yes"],
        _pulled("v1"),
        _current,
        half_made=2,
    ),
    Operation(
        "pin of a large layer",
        lambda world: ["pin", world.local("v1"), world.target.path, "--yes"],
        _pulled("v1"),
        _current,
        half_made=2,
        script=_LARGE,
    ),
    Operation(
        "switch",
        lambda world: ["pin", world.local("v1"), world.target.path, "--yes"],
        _pinned("v1", "v2"),
        _current,
    ),
    Operation(
        "rollback",
        lambda world: ["rollback", world.target.path, "--yes"],
        _pinned("v1", "v2"),
        _current,
        after=lambda world: ["pin", world.local("v2"), world.target.path, "--yes"],
    ),
    Operation(
        "undo",
        lambda world: ["undo", world.target.path, "--yes"],
        _pinned("v1", "v2"),
        _current,
        after=lambda world: ["pin", world.local("v2"), world.target.path, "--yes"],
    ),
    Operation(
        "follow",
        lambda world: ["follow", world.target.path, "--once"],
        _following,
        _current,
        half_made=2,
    ),
    Operation(
        "follow a rollback",
        lambda world: ["follow", world.target.path, "--once"],
        _followed_back,
        _current,
    ),
    Operation(
        "prune",
        lambda world: ["prune", world.target.path, *_PRUNING],
        _with_surplus,
        lambda world: world.target.unpacked(),
    ),
    Operation(
        "gc of what is held twice",
        lambda world: ["gc", "--apply", "--spare", "--yes"],
        _held_twice,
        _large_blobs,
    ),
    Operation(
        "copy",
        lambda world: ["copy", world.version("v2"), "copied:v2", "--concurrency", 1, "--json"],
        _pulled("v1"),
        _names,
    ),
    Operation(
        "pack",
        lambda world: _pack(world, "v2"),
        _packed_before,
        _names,
        script=_FILES_ARE_OLD,
    ),
    Operation(
        "tag",
        lambda world: ["tag", world.local("v1"), "stable", "--yes"],
        _pulled("v1", "v2"),
        _names,
    ),
]


def push_versions(registry: RunningRegistry, directory: Path) -> dict[str, Files]:
    """Push v1 and v2: three layers, ten files with the Kitfile, the data layer shared by all.

    Returns the files that each was packed from, by its digest.
    """
    library = Library(directory / "packed")
    trees = {}
    for number in (1, 2):
        context = directory / f"context-{number}"
        _write_files(context, number)
        packed = pack(context, _KITFILE, library.writer)
        for blob in (packed.config, *(layer.blob for layer in packed.layers)):
            data = library.layout.blob_path(blob.digest).read_bytes()
            push_blob(registry.url, REPOSITORY, blob.digest, data)
        push_manifest(registry.url, REPOSITORY, f"v{number}", packed.manifest, MANIFEST)
        trees[packed.descriptor.digest] = files_of(context)
    return trees


def _write_files(context: Path, number: int) -> None:
    texts = {
        "model/weights.bin": f"weights {number} ".encode() * 20_000,
        "model/config.json": json.dumps({"layers": number}).encode(),
        "model/tokenizer.json": b"{}",
        "src/train.py": f"VERSION = {number}\n".encode(),
        "src/serve.py": b"print()\n",
        "src/lib/util.py": b"",
        "data/train.csv": b"a,b\n" * 5000,
        "data/test.csv": b"a,b\n" * 50,
        "data/README.md": b"# data\n",
    }
    for name, data in texts.items():
        path = context / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

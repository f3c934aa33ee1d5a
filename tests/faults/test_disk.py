"""Disks that are full, limited, read-only or not one disk: exit code 7, and nothing is harmed."""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.forked import Ran
from tests.faults.operations import World

KIT = 232 * 1024
"""Bytes of a version's blobs, about."""


@pytest.fixture(scope="module")
def can_mount(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Small file systems need the right to mount."""
    probe = tmp_path_factory.mktemp("probe")
    try:
        with mounted(probe):
            pass
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"may not mount: {error}")


@contextmanager
def mounted(place: Path, size: int = 1024 * 1024) -> Iterator[Callable[..., None]]:
    """Have a file system of its own at ``place``; what is given takes other options."""
    place.mkdir(parents=True, exist_ok=True)

    def mount(*options: str) -> None:
        # Without a mode everybody may write there, and no library is kept in such a place.
        words = [
            "mount",
            "-t",
            "tmpfs",
            "-o",
            ",".join((*options, "mode=755")),
            "tmpfs",
            str(place),
        ]
        subprocess.run(words, check=True, capture_output=True)

    mount(f"size={size}")
    try:
        yield lambda *options: mount("remount", *options)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def failed(ran: Ran, *said: str) -> None:
    """The run ended with exit code 7 and one line that says so."""
    assert ran.code == 7, ran
    (line,) = ran.err.splitlines()
    assert line.startswith("rolldeck: ")
    for words in said:
        assert words in line


@pytest.mark.usefixtures("can_mount")
@pytest.mark.parametrize("size", range(16 * 1024, KIT + 48 * 1024, 36 * 1024))
def test_a_pull_onto_a_disk_of_any_size(world: World, size: int) -> None:
    """It fits, or it is said at once what is needed and what is there; more room mends it."""
    with mounted(world.library, size) as remount:
        ran = world.run("pull", world.version("v1"))
        if ran.code != 0:
            failed(ran, str(world.library))
        assert world.problems() == []
        assert len(world.temporaries()) == 0
        remount("size=2m")
        world.must("pull", world.version("v1"))
        assert world.problems() == []
        assert world.temporaries() == []


@pytest.mark.usefixtures("can_mount")
def test_what_is_needed_and_what_is_there(world: World) -> None:
    """Before the first byte, for all blobs together."""
    with mounted(world.library, 128 * 1024):
        ran = world.run("pull", world.version("v1"))
        failed(ran, "Not enough space", "needed", "free", "Free some space")
        assert list((world.library / "partial").iterdir()) == []


@pytest.mark.usefixtures("can_mount")
@pytest.mark.parametrize("size", range(16 * 1024, KIT + 64 * 1024, 64 * 1024))
def test_an_unpack_onto_a_disk_of_any_size(world: World, size: int) -> None:
    """All of the version, or nothing."""
    world.must("pull", world.version("v1"))
    with mounted(world.root / "home" / "small", size) as remount:
        out = world.root / "home" / "small" / "out"
        words = ["unpack", world.local("v1"), "-d", out]
        ran = world.run(*words)
        if ran.code != 0:
            failed(ran, str(out.parent))
            assert list(out.parent.iterdir()) == []
            remount("size=2m")
            world.must(*words)
        assert len([path for path in out.rglob("*") if path.is_file()]) == 10


@pytest.mark.usefixtures("can_mount")
@pytest.mark.parametrize("room", range(0, KIT + 64 * 1024, 64 * 1024))
def test_a_pin_onto_a_disk_of_any_size(world: World, room: int) -> None:
    """What is current stays current; with room the same command succeeds."""
    world.must("pull", world.version("v1"))
    world.must("pull", world.version("v2"))
    with mounted(world.target.path) as remount:
        world.must("pin", world.local("v1"), world.target.path, "--yes")
        before = world.target.current()
        used = shutil.disk_usage(world.target.path).used
        remount(f"size={used + room}")
        words = ["pin", world.local("v2"), world.target.path, "--yes"]
        ran = world.run(*words)
        assert world.problems() == []
        if ran.code != 0:
            failed(ran)
            assert world.target.current() == before
            assert world.temporaries() == []
        remount("size=2m")
        world.must(*words)
        assert world.target.current() != before
        assert world.problems() == []


@pytest.mark.usefixtures("can_mount")
def test_read_only_file_systems(world: World) -> None:
    """Library, destination and target: each is named, nothing is left."""
    world.must("pull", world.version("v1"))
    world.must("pin", world.local("v1"), world.target.path, "--yes")
    place = world.root / "home" / "read-only"
    with mounted(place) as remount:
        for directory in (world.library, world.target.path):
            shutil.copytree(directory, place / directory.name, symlinks=True)
        remount("ro")
        library = ["--library", place / "library"]
        failed(world.run("pull", world.version("v2"), *library), "read-only", str(place))
        failed(world.run("unpack", world.local("v1"), "-d", place / "out"), "read-only", str(place))
        pin = world.run("pin", world.version("v2"), place / "serving", "--yes")
        failed(pin, "read-only", str(place))
        # Reading needs no right to write.
        world.must("verify", world.local("v1"), *library)


def test_a_directory_without_rights(world: World) -> None:
    """As for any user, root's own rights put aside; with the rights the same command succeeds."""
    closed = world.root / "home" / "closed"
    closed.mkdir(mode=0o500)
    words = ["pull", world.version("v1"), "--library", closed / "library"]
    failed(world.run(*words), "No permission", str(closed))
    world.must("pull", world.version("v1"))
    unpack = ["unpack", world.local("v1"), "-d", closed / "out"]
    failed(world.run(*unpack), "No permission", str(closed))
    pin = ["pin", world.local("v1"), closed / "serving", "--yes"]
    failed(world.run(*pin), "No permission", str(closed))
    assert list(closed.iterdir()) == []
    (world.library / "partial").chmod(0o500)
    failed(world.run("pull", world.version("v2")), "No permission", "partial")
    (world.library / "partial").chmod(0o755)
    closed.chmod(0o700)
    for command in (words, unpack, pin):
        world.must(*command)


@pytest.mark.usefixtures("can_mount")
def test_a_library_on_two_file_systems(world: World) -> None:
    """A rename between them is impossible, and said to be."""
    world.must("pull", world.version("v1"))
    with mounted(world.library / "partial"):
        failed(world.run("pull", world.version("v2")), "Two file systems", str(world.library))
        assert world.problems() == []
    world.must("pull", world.version("v2"))


@pytest.mark.usefixtures("can_mount")
def test_a_destination_that_is_a_mount_point(world: World) -> None:
    """It cannot be replaced by a rename: the files are staged in it and move to their places."""
    world.must("pull", world.version("v1"))
    with mounted(world.out):
        world.must("unpack", world.local("v1"), "-d", world.out)
        assert {path.name for path in world.out.iterdir()} == {"Kitfile", "model", "src", "data"}
    assert world.temporaries() == []


@pytest.mark.parametrize("limit", [100, 4096, 100_000])
def test_a_limit_of_the_size_of_files(world: World, limit: int) -> None:
    """RLIMIT_FSIZE: an error, not a signal; without it the pull goes on."""
    words = ["pull", world.version("v1")]
    failed(world.run(*words, limit=(resource.RLIMIT_FSIZE, limit)), "A file may not be that large")
    assert world.problems() == []
    world.must(*words)
    assert world.problems() == []
    unpack = ["unpack", world.local("v1"), "-d", world.out]
    failed(world.run(*unpack, limit=(resource.RLIMIT_FSIZE, limit)))
    assert not world.out.exists()
    world.must(*unpack)

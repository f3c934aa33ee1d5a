"""What the doctor looks at on this machine: the library, its disk, the settings. Blocks."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rolldeck import fsops, half_made
from rolldeck.actions.finding import Finding, failed
from rolldeck.errors import RolldeckError, StorageError
from rolldeck.settings import Settings, config_home
from rolldeck.store import Library
from rolldeck.units import human_size

_LITTLE = 5 * 1024**3
"""Free bytes below which a model may well not fit."""

_NOTHING = 64 * 1024**2
"""Free bytes below which hardly anything works."""

_FEW_FILES = 10_000
"""Free inodes below which unpacking may fail."""


def check_machine(
    settings: Settings, library: Library, *, read_only: bool, chosen: Path | None
) -> Iterator[Finding]:
    """Look at everything that needs no network; ``chosen`` is the settings file that was named."""
    yield _settings(settings, chosen)
    yield _store(library)
    if (unfinished := _unfinished(library)) is not None:
        yield unfinished
    place = _existing(library.root)
    yield _rights(library, place)
    yield from _space(place)
    yield from _disk(place, read_only=read_only)


def _settings(settings: Settings, chosen: Path | None) -> Finding:
    path = chosen or config_home() / "settings.toml"
    if not path.exists():
        return Finding("settings", "file", "ok", f"{path} does not exist: all defaults hold")
    count = len(settings.registries)
    return Finding("settings", "file", "ok", f"{path}: valid, {count} registries")


def _store(library: Library) -> Finding:
    root = library.root
    try:
        if (root / "rolldeck.json").exists():
            library.prepare()
        entries = library.entries()
    except RolldeckError as error:
        return failed("library", "store", error, "No verb that uses the library works.")
    if not library.exists:
        return Finding("library", "store", "ok", f"{root}: not there yet; the first pull makes it")
    versions = len({entry.descriptor.digest for entry in entries})
    return Finding("library", "store", "ok", f"{root}: readable, {versions} versions")


def _unfinished(library: Library) -> Finding | None:
    sizes = []
    with suppress(OSError):
        sizes = [
            path.stat().st_size
            for path in (library.root / "partial").iterdir()
            if not path.name.startswith(".") and not path.suffix
        ]
    if not sizes:
        return None
    detail = f"{len(sizes)} blobs are not complete, {human_size(sum(sizes))} of them are here"
    return Finding(
        "library", "unfinished", "ok", detail, "A pull of the same version goes on there."
    )


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.absolute().parents) if place.exists())


def _rights(library: Library, place: Path) -> Finding:
    places = [place]
    if place == library.root:
        places += [place / name for name in ("blobs/sha256", "partial") if (place / name).exists()]
    for item in places:
        if not os.access(item, os.W_OK | os.X_OK):
            return Finding(
                "library",
                "rights",
                "fail",
                f"{item} may not be written by you",
                "You can look at what is here, but neither pull nor pin from a registry.",
                "Check who owns it, or choose another library: --library, or `library` in the"
                " settings.",
                StorageError.code,
            )
    owner = place.stat().st_uid
    if owner not in (os.geteuid(), 0) and place == library.root:
        return Finding(
            "library",
            "rights",
            "warn",
            f"{place} may be written by you, and belongs to another user ({owner})",
            "Files that one of you makes may not be readable for the other.",
            "Use a library each, or one group with a umask that lets it write.",
        )
    return Finding("library", "rights", "ok", f"{place} may be written by you")


def _space(place: Path) -> Iterator[Finding]:
    disk = os.statvfs(place)
    free = disk.f_bavail * disk.f_frsize
    detail = f"{human_size(free)} free of {human_size(disk.f_blocks * disk.f_frsize)}"
    hint = "Free some space, or choose another library."
    if free < _NOTHING:
        meaning = "Pull, unpack and pin will fail."
        yield Finding("disk", "space", "fail", detail, meaning, hint, StorageError.code)
    elif free < _LITTLE:
        yield Finding("disk", "space", "warn", detail, "A larger model does not fit.", hint)
    else:
        yield Finding("disk", "space", "ok", detail)
    if disk.f_files and disk.f_favail < _FEW_FILES:
        detail = f"room for {disk.f_favail} more files"
        meaning = "Unpacking a version of many files will fail."
        yield Finding("disk", "files", "warn", detail, meaning, hint)


def _disk(place: Path, *, read_only: bool) -> Iterator[Finding]:
    if read_only or not os.access(place, os.W_OK | os.X_OK):
        detail = "not tried: nothing may be written"
        meaning = "Whether writes are durable and locks hold is only known by writing."
        yield Finding("disk", "durable", "unknown", detail, meaning)
        return
    path, moved = half_made.temporary_name(place), half_made.temporary_name(place)
    try:
        with fsops.storage(place):
            fd = fsops.create(path, 0o600)
            try:
                fsops.write(fd, b"rolldeck doctor")
                fsops.fsync(fd)
                holds = _locks_hold(fd, path)
            finally:
                os.close(fd)
            fsops.replace(path, moved)
    except RolldeckError as error:
        yield failed("disk", "durable", error, "Nothing can be stored safely here.")
        return
    finally:
        for name in (path, moved):
            with suppress(OSError):
                fsops.unlink(name)
    yield Finding("disk", "durable", "ok", "written, synced and renamed")
    if holds:
        yield Finding("disk", "locks", "ok", "a locked file is locked for others")
    else:
        yield Finding(
            "disk",
            "locks",
            "warn",
            "a locked file can be locked again",
            "Two processes at once may fetch the same twice or harm each other's work.",
            "Keep the library on a local disk, or run one rolldeck at a time.",
        )


def _locks_hold(fd: int, path: Path) -> bool:
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    other = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(other)
    return False

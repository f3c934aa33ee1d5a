"""What processes have open below a directory: files, mappings, working and root directories.

Read from ``/proc``. A path is not enough: a container sees the same file under another one, so that
a file counts as open where its name and its number agree, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_KERNEL_THREAD = 0x00200000
"""PF_KTHREAD in the flags of ``/proc/PID/stat``: it has no files of anybody."""


@dataclass(frozen=True, slots=True)
class Use:
    """One process that has something open: ``how`` is open, mapped, working directory or root."""

    pid: int
    program: str
    how: str

    def __str__(self) -> str:
        return f"{self.program} ({self.pid}): {self.how}"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at all processes: who uses each directory, and into whom one could not look."""

    uses: Mapping[Path, tuple[Use, ...]]
    hidden: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """A directory as other processes may know it: its path, and the numbers of all below it."""

    path: Path
    numbers: Mapping[str, frozenset[int]]

    def has(self, name: str, number: int | None) -> bool:
        """Whether an open file's path, or its name and inode number, is of this place."""
        plain = name.removesuffix(" (deleted)")
        if plain == str(self.path) or plain.startswith(f"{self.path}/"):
            return True
        return number is not None and number in self.numbers.get(os.path.basename(plain), ())


def look_for_users(directories: Iterable[Path]) -> Look:
    """Look at every process that can be seen. Blocks for milliseconds per hundred processes."""
    places = [_place(path) for path in directories]
    uses: dict[Path, list[Use]] = {place.path: [] for place in places}
    hidden = []
    for pid in _processes():
        try:
            found = _opened(pid, places)
        except PermissionError:
            if not _is_kernel_thread(pid):
                hidden.append(f"{_program(pid)} ({pid})")
            continue
        except OSError:
            continue  # it ended
        for path, how in found:
            uses[path].append(Use(pid, _program(pid), how))
    if not (_PROC / "1").exists():
        hidden.append("processes that /proc does not show")
    return Look({path: tuple(dict.fromkeys(found)) for path, found in uses.items()}, tuple(hidden))


def _place(directory: Path) -> _Place:
    numbers: dict[str, set[int]] = {}

    def add(path: str) -> None:
        with suppress(OSError):
            number = os.stat(path, follow_symlinks=False).st_ino
            numbers.setdefault(os.path.basename(path), set()).add(number)

    real = Path(os.path.realpath(directory))
    add(str(real))
    for parent, directories, files in os.walk(real):
        for name in (*directories, *files):
            add(os.path.join(parent, name))
    return _Place(real, {name: frozenset(found) for name, found in numbers.items()})


def _processes() -> Iterator[int]:
    for name in os.listdir(_PROC):
        if name.isdigit():
            yield int(name)


def _opened(pid: int, places: list[_Place]) -> list[tuple[Path, str]]:
    """Return what a process has open of each place; PermissionError where one may not look."""
    home = _PROC / str(pid)
    found = []
    for entry, how in (("cwd", "working directory"), ("root", "root directory")):
        link = str(home / entry)
        name = os.readlink(link)
        # The root of a container is called "/": only its number tells what it is.
        number = os.stat(link).st_ino if name == "/" else _number(link, name, places)
        for place in places:
            in_root = name == "/" and any(number in known for known in place.numbers.values())
            if in_root or place.has(name, number):
                found.append((place.path, how))
    for descriptor in os.listdir(home / "fd"):
        link = str(home / "fd" / descriptor)
        with suppress(FileNotFoundError):
            name = os.readlink(link)
            number = _number(link, name, places)
            found += [(place.path, "open") for place in places if place.has(name, number)]
    with open(home / "maps", "rb") as file:
        for line in file:
            fields = line.decode(errors="surrogateescape").rstrip("\n").split(None, 5)
            if len(fields) == 6 and fields[5].startswith("/"):
                name, number = fields[5], int(fields[4])
                found += [(place.path, "mapped") for place in places if place.has(name, number)]
    return found


def _number(link: str, name: str, places: list[_Place]) -> int | None:
    """Return the inode number of what a link leads to, asked only where a place has that name.

    A file on a network that went away would block whoever asks.
    """
    base = os.path.basename(name.removesuffix(" (deleted)"))
    if not name.startswith("/") or not any(base in place.numbers for place in places):
        return None
    with suppress(OSError):
        return os.stat(link).st_ino
    return None


def _is_kernel_thread(pid: int) -> bool:
    with suppress(OSError, ValueError, IndexError):
        text = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
        return bool(int(text.rpartition(")")[2].split()[6]) & _KERNEL_THREAD)
    return False


def _program(pid: int) -> str:
    with suppress(OSError):
        return (_PROC / str(pid) / "comm").read_text("utf-8", "replace").strip()
    return "a process"

"""Every call that changes the file system: counted, and one of them made to fail or to be the last.

The functions of ``os`` themselves are replaced, below ``rolldeck.fsops``, so that a call that goes
around that module is counted as well, and told apart (``Call.source``). Only what lies below one
directory counts; what is changed elsewhere is noted, too, since nothing should be.
"""

from __future__ import annotations

import base64
import errno
import fcntl
import functools
import json
import os
import stat
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rolldeck import fsops

KILLED = 199
"""Exit code of a process that ended at a call."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NEEDS_NO_ROOM = frozenset({"unlink", "rmdir", "ftruncate", "fchmod"})

_READ_ONLY = os.O_RDONLY
_CHANGES_BY_OPENING = os.O_CREAT | os.O_TRUNC

# Kept here, since below they are replaced.
_open, _pread, _close, _readlink, _fstat, _stat = (
    os.open,
    os.pread,
    os.close,
    os.readlink,
    os.fstat,
    os.stat,
)


@dataclass(frozen=True)
class Plan:
    """What happens to the calls below ``root``.

    The process ends at the ``kill``-th call (from 1), before it takes effect; the ``fail``-th one
    raises ``number`` (an errno), and where ``lasting`` every later one that can fail so. ``log``
    names a file that gets all calls as JSON when the process ends by itself.
    """

    root: str
    kill: int = 0
    fail: int = 0
    number: int = 0
    lasting: bool = False
    log: str = ""


@dataclass(frozen=True)
class Call:
    """One call that took effect: what the simulator of a power loss needs, and who made it.

    ``file`` is the number of the file or directory, ``data`` base64 of what came to be at ``at``.
    """

    name: str
    path: str
    to: str = ""
    file: int = 0
    at: int = 0
    data: str = ""
    mode: int = 0
    source: str = ""
    main_thread: bool = False
    below_root: bool = True


class Seam:
    """Replaces the functions of ``os`` in this process, for good."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._root = os.path.realpath(plan.root)
        self._count = 0
        self._lock = threading.RLock()
        self.calls: list[Call] = []

    def install(self) -> None:
        """Replace the functions; for a process that ends with them."""
        for name in ("mkdir", "rmdir", "unlink", "remove", "symlink", "link", "rename", "replace"):
            self._wrap(name, functools.partial(self._named, name))
        for name in ("write", "writev", "pwrite", "ftruncate", "fsync", "fdatasync", "fchmod"):
            self._wrap(name, functools.partial(self._on_file, name, 0))
        for name in ("splice", "sendfile", "copy_file_range"):
            where = 0 if name == "sendfile" else 1
            self._wrap(name, functools.partial(self._on_file, name, where))
        self._wrap("open", self._opening)
        reserve = fcntl.ioctl
        fcntl.ioctl = lambda fd, *rest: self._on_file("ioctl", 0, reserve, fd, *rest)  # type: ignore[assignment]
        # The directory may lie in memory; here it stands for a disk.
        fsops.is_in_memory = lambda fd: False

    def _wrap(self, name: str, replacement: Callable[..., Any]) -> None:
        original = getattr(os, name)
        setattr(os, name, functools.partial(replacement, original))

    def finish(self) -> None:
        """Write the log, when it was asked for."""
        if self._plan.log:
            Path(self._plan.log).write_text(json.dumps([asdict(call) for call in self.calls]))

    # One kind of call each: find what it is about, let it happen or not, note what it did.

    def _opening(self, original: Any, path: Any, flags: int, *rest: Any, **options: Any) -> int:
        if not flags & _CHANGES_BY_OPENING:
            return int(original(path, flags, *rest, **options))
        place = self._place(path, options.get("dir_fd"))
        with self._lock:
            existed = os.path.lexists(place)
            if existed and not flags & os.O_TRUNC:
                return int(original(path, flags, *rest, **options))
            self._meet("truncate" if existed else "create", place)
            fd: int = original(path, flags, *rest, **options)
            found = _fstat(fd)
            name = "truncate" if existed else "create"
            self._note(Call(name, place, file=found.st_ino, mode=found.st_mode & 0o7777))
        return fd

    def _named(self, name: str, original: Any, *paths: Any, **options: Any) -> Any:
        directory = options.get("dir_fd")
        first = self._place(paths[0], options.get("src_dir_fd", directory))
        link_text = name == "symlink"
        two = name in ("rename", "replace", "link", "symlink")
        second = self._place(paths[1], options.get("dst_dir_fd", directory)) if two else ""
        path, to = (second, os.fspath(paths[0])) if link_text else (first, second)
        name = {"remove": "unlink", "replace": "rename"}.get(name, name)
        with self._lock:
            self._meet(name, path)
            file = 0 if name in ("mkdir", "symlink") else _number(path)
            result = original(*paths, **options)
            if name in ("mkdir", "symlink"):
                file = _number(path)
            mode = _stat(path).st_mode & 0o7777 if name == "mkdir" else 0
            self._note(Call(name, path, to=to, file=file, mode=mode))
        return result

    def _on_file(self, name: str, where: int, original: Any, *words: Any, **options: Any) -> Any:
        fd = words[where]
        kind = _fstat(fd).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            return original(*words, **options)
        path = _path_of(fd)
        with self._lock:
            name = "fsync" if name == "fdatasync" else name
            self._meet(name, path)
            result = original(*words, **options)
            found = _fstat(fd)
            call = Call(name, path, file=found.st_ino, mode=found.st_mode & 0o7777)
            if name == "ftruncate":
                call = Call(name, path, file=found.st_ino, at=int(words[1]))
            elif name not in ("fsync", "fchmod", "ioctl"):
                at = int(words[2]) if name == "pwrite" else os.lseek(fd, 0, os.SEEK_CUR) - result
                data = base64.b64encode(_bytes_of(fd, at, result)).decode()
                call = Call("write", path, file=found.st_ino, at=at, data=data)
            self._note(call)
        return result

    def _meet(self, name: str, path: str) -> None:
        """Count a call that is about to happen; end the process or raise where that is planned."""
        if not self._is_below(path):
            return
        self._count += 1
        plan = self._plan
        if self._count == plan.kill:
            os._exit(KILLED)
        is_next = self._count == plan.fail
        if not (is_next or (plan.lasting and 0 < plan.fail < self._count)):
            return
        if plan.number in NO_ROOM and name in _NEEDS_NO_ROOM:
            return
        raise OSError(plan.number, os.strerror(plan.number), path)

    def _note(self, call: Call) -> None:
        source = _source()
        main = threading.current_thread() is threading.main_thread()
        below = self._is_below(call.path)
        fields = asdict(call) | {"source": source, "main_thread": main, "below_root": below}
        self.calls.append(Call(**fields))

    def _is_below(self, path: str) -> bool:
        return path == self._root or path.startswith(self._root + "/")

    @staticmethod
    def _place(path: Any, directory: int | None) -> str:
        text = os.fsdecode(path)
        base = _path_of(directory) if directory is not None else os.getcwd()
        joined = os.path.normpath(os.path.join(base, text))
        # The last component may be a link that is replaced, so only what leads to it is resolved.
        return os.path.join(os.path.realpath(os.path.dirname(joined)), os.path.basename(joined))


def _number(path: str) -> int:
    try:
        return _stat(path, follow_symlinks=False).st_ino
    except OSError:
        return 0


def _path_of(fd: int) -> str:
    return _readlink(f"/proc/self/fd/{fd}")


def _bytes_of(fd: int, at: int, count: int) -> bytes:
    copy = _open(f"/proc/self/fd/{fd}", _READ_ONLY)
    try:
        return _pread(copy, count, at)
    finally:
        _close(copy)


def _source() -> str:
    """The file of rolldeck that made the call: the innermost frame that is rolldeck's."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if "/rolldeck/" in name:
            return name.rpartition("/rolldeck/")[2]
        frame = frame.f_back  # type: ignore[assignment]
    return ""

"""Every file-system call that must survive a crash, in one place.

Stores, unpacked trees and links are changed only through these functions, so that a test can fail
or kill the process at each of them, and so that errors of the disk become one kind of error.
Order of a durable write: data, fsync, rename, fsync of the directory.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rolldeck.errors import BusyError, RolldeckError, StorageError
from rolldeck.process import surroundings

TEMPORARY_PREFIX = ".rolldeck-tmp-"
"""Names of everything half-written begin with this, so that a later start can sweep them."""

_FS_IOC_RESVSP64 = 0x4030582A
"""fallocate(2) with FALLOC_FL_KEEP_SIZE as an ioctl; Python offers only the one without."""

_REASONS = {
    errno.ENOSPC: ("No space left on the disk", "Free some space and run the same command again."),
    errno.EDQUOT: ("Disk quota exceeded", "Free some space and run the same command again."),
    errno.EROFS: ("The file system is read-only", "Choose another directory."),
    errno.EACCES: ("No permission", "Check who owns the directory, or choose another one."),
    errno.EPERM: ("No permission", "Check who owns the directory, or choose another one."),
    errno.ESTALE: ("The network file system lost the file", "Run the same command again."),
    errno.ENOTDIR: ("A file is where a directory should be", "Choose another directory."),
    errno.EEXIST: ("A file is in the way", "Move it, or choose another directory."),
    errno.ELOOP: ("A link is where a file should be", "Remove it, or choose another directory."),
    errno.ENAMETOOLONG: ("A file name is too long for this file system", "Choose a shorter path."),
}

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
"""What a file system without locks answers."""


def storage_error(error: OSError, path: str | Path | None = None) -> RolldeckError:
    """Turn an error of the operating system into the user's error (exit code 7)."""
    where = str(path or error.filename or "")
    reason, hint = _REASONS.get(error.errno or 0, (error.strerror or "Storage failed", None))
    return StorageError(f"{reason}: {where}" if where else reason, reference=where, hint=hint)


@contextmanager
def storage(path: str | Path | None = None) -> Iterator[None]:
    """Raise StorageError for any error of the operating system inside the block."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, path) from error


def temporary_name(directory: Path) -> Path:
    """Return a fresh name inside ``directory`` for something not yet complete."""
    owner = f"{os.getpid()}-{surroundings()}"
    return directory / f"{TEMPORARY_PREFIX}{owner}-{secrets.token_hex(6)}"


def create(path: str | Path, mode: int = 0o644, dir_fd: int | None = None) -> int:
    """Create a new file for writing and return its descriptor; never follows or reuses a name."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, mode, dir_fd=dir_fd)


def write(fd: int, data: bytes | bytearray | memoryview) -> None:
    """Write all of ``data`` at the file's position."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def splice(pipe: int, fd: int, count: int) -> None:
    """Append ``count`` bytes that wait in a pipe, without reading them where that is possible."""
    while count:
        try:
            count -= os.splice(pipe, fd, count)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            # Some file systems cannot be spliced into.
            data = os.read(pipe, count)
            write(fd, data)
            count -= len(data)


def truncate(fd: int, size: int) -> None:
    """Cut a file, or give back what is reserved behind its end; the next write goes there."""
    os.ftruncate(fd, size)
    os.lseek(fd, size, os.SEEK_SET)


def write_hint(path: Path, data: bytes, *, append: bool = False) -> None:
    """Write a small file that may be lost or torn without harm; it is not synced."""
    with storage(path):
        mode = os.O_APPEND if append else os.O_TRUNC
        flags = os.O_WRONLY | os.O_CREAT | mode | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(path, flags, 0o600)
        try:
            write(fd, data)
        finally:
            os.close(fd)


def reserve(fd: int, start: int, size: int) -> None:
    """Reserve disk blocks behind the end of a file, whose size stays as it is.

    Written in one piece, the file is written faster, and a full disk is noticed before the first
    byte. Does nothing where the file system cannot.
    """
    if size <= 0:
        return
    request = struct.pack("=hhiqqiI16x", os.SEEK_SET, 0, 0, start, size, 0, 0)
    try:
        fcntl.ioctl(fd, _FS_IOC_RESVSP64, request)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise


def write_back(fd: int, start: int, size: int) -> None:
    """Let the disk begin with these bytes, so that a later fsync has little left to wait for."""
    with suppress(OSError):
        # What is still to be written stays in memory; only what was written long ago is dropped.
        os.posix_fadvise(fd, start, size, os.POSIX_FADV_DONTNEED)


def fsync(fd: int) -> None:
    """Wait until a file's bytes are on the disk."""
    os.fsync(fd)


def fsync_directory(path: Path) -> None:
    """Wait until a directory's names are on the disk, where its file system knows how to wait."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
    finally:
        os.close(fd)


def replace(source: Path, destination: Path) -> None:
    """Give ``source`` the name ``destination`` in one step and make that durable."""
    os.replace(source, destination)
    fsync_directory(destination.parent)


def set_aside(path: Path, directory: Path) -> Path:
    """Take a file away from its name, to be removed later; returns its temporary name.

    Not durable until the directory it was in is synced.
    """
    aside = temporary_name(directory)
    os.rename(path, aside)
    return aside


def rename_directory(source: Path, destination: Path) -> None:
    """Give a complete directory its final name, which must be free or an empty directory."""
    os.rename(source, destination)
    fsync_directory(destination.parent)


def make_directories(path: Path, mode: int = 0o755) -> None:
    """Create a directory and its missing parents."""
    with storage(path):
        path.mkdir(mode=mode, parents=True, exist_ok=True)


def unlink(path: Path) -> None:
    """Remove a file or link if it is there."""
    path.unlink(missing_ok=True)


def remove_tree(path: Path) -> None:
    """Remove a directory that nobody sees yet, or no longer; best effort."""
    shutil.rmtree(path, ignore_errors=True)


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace the content of ``path``: readers see the old bytes or the new, never a part."""
    with storage(path):
        temporary = temporary_name(path.parent)
        fd = create(temporary, mode)
        try:
            try:
                write(fd, data)
                fsync(fd)
            finally:
                os.close(fd)
            replace(temporary, path)
        except BaseException:
            unlink(temporary)
            raise


def append_line(path: Path, line: bytes) -> None:
    """Append one line to a journal and make it durable.

    A line that a crash cut short is closed first, so it can never swallow this one.
    """
    with storage(path):
        fd = os.open(
            path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644
        )
        try:
            size = os.fstat(fd).st_size
            torn = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
            write(fd, (b"\n" if torn else b"") + line.rstrip(b"\n") + b"\n")
            fsync(fd)
        finally:
            os.close(fd)
        fsync_directory(path.parent)


def make_link(link: Path, target: str) -> bool:
    """Make a symbolic link; False where its name is taken."""
    try:
        os.symlink(target, link)
    except FileExistsError:
        return False
    return True


def switch_link(link: Path, target: str) -> None:
    """Point a symbolic link at ``target``: readers see the old or the new, never none."""
    with storage(link):
        temporary = temporary_name(link.parent)
        try:
            os.symlink(target, temporary)
            replace(temporary, link)
        except BaseException:
            unlink(temporary)
            raise


def abandoned(directory: Path, older_than: float = 3600.0) -> list[Path]:
    """Return the temporary names that a killed process left, or untouched for that many seconds.

    A process of another machine or container cannot be seen; of what it made only the age counts.
    """
    found = []
    with storage(directory):
        for entry in os.scandir(directory) if directory.is_dir() else ():
            if not entry.name.startswith(TEMPORARY_PREFIX):
                continue
            owner, *place = entry.name.removeprefix(TEMPORARY_PREFIX).split("-")[:-1]
            ended = owner.isdigit() and not Path("/proc", owner).exists()
            with suppress(FileNotFoundError):
                age = time.time() - entry.stat(follow_symlinks=False).st_mtime
                if (ended and place in ([], [surroundings()])) or age > older_than:
                    found.append(Path(entry.path))
    return found


def sweep(directory: Path, older_than: float = 3600.0) -> int:
    """Remove what ``abandoned`` finds; returns how many names."""
    found = abandoned(directory, older_than)
    with storage(directory):
        for path in found:
            if path.is_dir() and not path.is_symlink():
                remove_tree(path)
            else:
                unlink(path)
    return len(found)


def try_lock(fd: int) -> bool:
    """Lock an open file until its descriptor is closed; False where another descriptor holds it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def locks_hold(path: Path) -> bool:
    """Whether a lock on ``path`` keeps others out; on some network file systems it does not.

    Two descriptors of one file tell: the second must be refused.
    """
    with storage(path), ExitStack() as opened:
        first, second = (_open_lock(path, opened) for _ in range(2))
        try:
            return not (try_lock(first) and try_lock(second))
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return False
            raise


def _open_lock(path: Path, opened: ExitStack) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    opened.callback(os.close, fd)
    return fd


@contextmanager
def locked(path: Path, timeout: float = 10.0) -> Iterator[None]:
    """Hold an exclusive lock on ``path`` for the block; BusyError after ``timeout`` seconds.

    Where the file system's locks keep nobody out, a name that only one can make is held instead.
    """
    if not locks_hold(path):
        from rolldeck.name_lock import name_lock

        with name_lock(path, timeout):
            yield
        return
    with ExitStack() as opened:
        with storage(path):
            fd = _open_lock(path, opened)
            deadline = time.monotonic() + timeout
            while not try_lock(fd):
                if time.monotonic() > deadline:
                    raise BusyError(
                        f"Another process is changing {path.parent}",
                        reference=str(path.parent),
                        hint="Wait for it to finish and run the same command again.",
                    )
                time.sleep(0.02)
        yield

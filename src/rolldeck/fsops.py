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
from contextlib import contextmanager, suppress
from pathlib import Path

from rolldeck.errors import BusyError, RolldeckError, StorageError

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
    errno.ENOTDIR: ("A file is where a directory should be", "Choose another directory."),
    errno.EEXIST: ("A file is in the way", "Move it, or choose another directory."),
    errno.ENAMETOOLONG: ("A file name is too long for this file system", "Choose a shorter path."),
}


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
    return directory / f"{TEMPORARY_PREFIX}{os.getpid()}-{secrets.token_hex(6)}"


def create(path: str | Path, mode: int = 0o644, dir_fd: int | None = None) -> int:
    """Create a new file for writing and return its descriptor; never follows or reuses a name."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, mode, dir_fd=dir_fd)


def open_growing(path: str | Path, dir_fd: int | None = None) -> int:
    """Open a file for reading and appending, made where it is missing; follows no link."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o600, dir_fd=dir_fd)


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
    """Wait until a directory's names are on the disk."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace(source: Path, destination: Path) -> None:
    """Give ``source`` the name ``destination`` in one step and make that durable."""
    os.replace(source, destination)
    fsync_directory(destination.parent)


def rename_directory(source: Path, destination: Path) -> None:
    """Give a complete directory its final name, which must be free or an empty directory."""
    os.rename(source, destination)
    fsync_directory(destination.parent)


def make_directories(path: Path, mode: int = 0o755) -> None:
    """Create a directory and its missing parents."""
    with storage(path):
        path.mkdir(mode=mode, parents=True, exist_ok=True)


def make_directory(name: str | Path, mode: int, dir_fd: int | None = None) -> None:
    """Create one directory; raises FileExistsError where the name is taken."""
    os.mkdir(name, mode, dir_fd=dir_fd)


def change_mode(fd: int, mode: int) -> None:
    """Give an open file or directory other permission bits."""
    os.fchmod(fd, mode)


def unlink(path: str | Path, dir_fd: int | None = None) -> None:
    """Remove a file or link if it is there."""
    with suppress(FileNotFoundError):
        os.unlink(path, dir_fd=dir_fd)


def remove_directory(name: str | Path, dir_fd: int | None = None) -> None:
    """Remove an empty directory if it is there."""
    with suppress(FileNotFoundError):
        os.rmdir(name, dir_fd=dir_fd)


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


def sweep(directory: Path, older_than: float = 3600.0) -> int:
    """Remove temporary names that a killed process left, older than that many seconds."""
    removed = 0
    with storage(directory):
        for entry in os.scandir(directory) if directory.is_dir() else ():
            if not entry.name.startswith(TEMPORARY_PREFIX):
                continue
            owner = entry.name.removeprefix(TEMPORARY_PREFIX).partition("-")[0]
            abandoned = owner.isdigit() and not Path("/proc", owner).exists()
            if abandoned or time.time() - entry.stat(follow_symlinks=False).st_mtime > older_than:
                path = Path(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    remove_tree(path)
                else:
                    unlink(path)
                removed += 1
    return removed


@contextmanager
def locked(path: Path, timeout: float = 10.0) -> Iterator[None]:
    """Hold an exclusive lock on ``path`` for the block; BusyError after ``timeout`` seconds."""
    with storage(path):
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise BusyError(
                        f"Another process is changing {path.parent}",
                        reference=str(path.parent),
                        hint="Wait for it to finish and run the same command again.",
                    ) from None
                time.sleep(0.02)
        yield
    finally:
        os.close(fd)

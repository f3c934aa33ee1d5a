"""Every file-system call that must survive a crash, in one place.

Stores, unpacked trees and links are changed only through these functions, so that a test can fail
or kill the process at each of them, and so that errors of the disk become one kind of error.
Order of a durable write: data, fsync, rename, fsync of the directory.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from rolldeck.errors import RolldeckError, StorageError
from rolldeck.units import human_size

_FS_IOC_RESVSP64 = 0x4030582A
"""fallocate(2) with FALLOC_FL_KEEP_SIZE as an ioctl; Python offers only the one without."""

_FICLONE = 0x40049409
"""ioctl_ficlone(2); Python has no function for it."""

_CANNOT_CLONE = frozenset(
    {errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.EPERM, errno.ENOSYS}
)

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
    errno.EFBIG: ("A file may not be that large here", "Raise the limit (ulimit -f), or ask why."),
    errno.EIO: ("The disk failed", "Look at the system's log; what was not verified is not used."),
    errno.EXDEV: ("Two file systems where there must be one", "Choose another directory."),
    errno.EBUSY: ("A mount point is in the way", "Choose a new directory below it."),
}


def storage_error(error: OSError, path: str | Path | None = None) -> RolldeckError:
    """Turn an error of the operating system into the user's error (exit code 7)."""
    where = str(path or error.filename or "")
    reason, hint = _REASONS.get(error.errno or 0, (error.strerror or "Storage failed", None))
    return StorageError(f"{reason}: {where}" if where else reason, reference=where, hint=hint)


def require_space(directory: Path, needed: int) -> None:
    """Raise StorageError where so many bytes do not fit on the disk of ``directory``."""
    found = os.statvfs(directory)
    free = found.f_bavail * found.f_frsize
    if needed > free:
        raise StorageError(
            f"Not enough space in {directory}: {human_size(needed)} needed,"
            f" {human_size(free)} free",
            reference=str(directory),
            hint="Free some space or choose another directory.",
        )


@contextmanager
def storage(path: str | Path | None = None) -> Iterator[None]:
    """Raise StorageError for any error of the operating system inside the block."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, path) from error


def create(path: str | Path, mode: int = 0o644, dir_fd: int | None = None) -> int:
    """Create a new file for writing and return its descriptor; never follows or reuses a name."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, mode, dir_fd=dir_fd)


def open_lockable(path: Path, mode: int = 0o644) -> int:
    """Open a file for reading and writing, made where there is none; never follows a link."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, mode)
    except PermissionError:
        if not os.path.lexists(path):
            raise
        # A process that died right before it gave a blob its name left it read-only.
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            set_mode(fd, mode)
        finally:
            os.close(fd)
        return os.open(path, flags, mode)


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


def clone(source: int, fd: int) -> bool:
    """Make an empty file share the disk blocks of another one (a reflink).

    False where the file system cannot, and across file systems. A later write to either file does
    not show in the other.
    """
    try:
        fcntl.ioctl(fd, _FICLONE, source)
    except OSError as error:
        if error.errno not in _CANNOT_CLONE:
            raise
        return False
    return True


def name_of(fd: int) -> str:
    """The path of an open file, for messages."""
    with suppress(OSError):
        return os.readlink(f"/proc/self/fd/{fd}")
    return ""


def set_mode(fd: int, mode: int) -> None:
    """Set the permission bits of an open file or directory."""
    os.fchmod(fd, mode)


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
    byte. Does nothing where the file system cannot, or keeps its files in memory: there it takes
    as long as writing.
    """
    if size <= 0 or is_in_memory(fd):
        return
    request = struct.pack("=hhiqqiI16x", os.SEEK_SET, 0, 0, start, size, 0, 0)
    try:
        fcntl.ioctl(fd, _FS_IOC_RESVSP64, request)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise


def is_in_memory(fd: int) -> bool:
    """Whether an open file or directory has no disk behind it, so that nothing of it can last."""
    return _in_memory(os.fstat(fd).st_dev)


@cache
def _in_memory(device: int) -> bool:
    """Whether a file system has no disk behind it; ``device`` is its ``st_dev``."""
    number = f" {os.major(device)}:{os.minor(device)} /"
    with suppress(OSError):
        for mount in Path("/proc/self/mountinfo").read_bytes().splitlines():
            about, _, kind = mount.decode(errors="replace").partition(" - ")
            if number in about:
                return kind.startswith("tmpfs ")
    return False


def write_back(fd: int, start: int, size: int) -> None:
    """Let the disk begin with these bytes, so that a later fsync has little left to wait for."""
    if is_in_memory(fd):
        return
    with suppress(OSError):
        # What is still to be written stays in memory; only what was written long ago is dropped.
        os.posix_fadvise(fd, start, size, os.POSIX_FADV_DONTNEED)


def fsync(fd: int) -> None:
    """Wait until a file's bytes, or a directory's names, are on the disk."""
    try:
        os.fsync(fd)
    except OSError as error:
        # Some network file systems cannot sync a directory, and keep names at once.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


def fsync_directory(path: Path) -> None:
    """Wait until a directory's names are on the disk, where its file system knows how to wait."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fsync(fd)
    finally:
        os.close(fd)


def replace(source: Path, destination: Path) -> None:
    """Give ``source`` the name ``destination`` in one step and make that durable."""
    os.replace(source, destination)
    fsync_directory(destination.parent)


def rename(source: Path, destination: Path) -> None:
    """Give ``source`` another name; not durable until both directories are synced."""
    os.rename(source, destination)


def move(name: str, source_fd: int, destination_fd: int) -> None:
    """Take a file from one open directory into another, in the place of what has its name there.

    A link in its place is replaced, never followed. Not durable until both are synced.
    """
    os.rename(name, name, src_dir_fd=source_fd, dst_dir_fd=destination_fd)


def rename_directory(source: Path, destination: Path) -> None:
    """Give a complete directory its final name, which must be free or an empty directory.

    Where that cannot be made durable it gets its old name back.
    """
    os.rename(source, destination)
    try:
        fsync_directory(destination.parent)
    except OSError:
        os.rename(destination, source)
        raise


def make_directory(path: str | Path, mode: int = 0o755, dir_fd: int | None = None) -> None:
    """Create one directory, whose name must be free."""
    os.mkdir(path, mode, dir_fd=dir_fd)


def open_directory(path: Path) -> int:
    """Open a directory, for locking and syncing it; never follows a link."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def make_directories(path: Path, mode: int = 0o755) -> None:
    """Create a directory and its missing parents, and make their names durable."""
    with storage(path):
        missing = [place for place in (path, *path.parents) if not place.is_dir()]
        for place in reversed(missing):
            place.mkdir(mode=mode, exist_ok=True)
            fsync_directory(place.parent)


def remove_directory(path: str | Path, dir_fd: int | None = None) -> None:
    """Remove an empty directory."""
    os.rmdir(path, dir_fd=dir_fd)


def unlink(path: str | Path, dir_fd: int | None = None) -> None:
    """Remove a file or link if it is there."""
    with suppress(FileNotFoundError):
        os.unlink(path, dir_fd=dir_fd)


def remove_tree(path: Path) -> None:
    """Remove a directory that nobody sees yet, or no longer; best effort, follows no link."""
    # Not by shutil: it brings every archive format along, which takes longer than this.
    with suppress(OSError):
        for _, directories, files, fd in os.fwalk(path, topdown=False):
            for name in (*files, *directories):
                with suppress(OSError):
                    _remove(name, fd)
        os.rmdir(path)


def _remove(name: str, directory: int) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except (IsADirectoryError, PermissionError):
        os.rmdir(name, dir_fd=directory)


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

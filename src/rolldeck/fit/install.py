"""Whether a version's lock would install here, told without any index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rolldeck.fit.host import Interpreter
from rolldeck.fit.locked import Lock, Locked, find_lock
from rolldeck.fit.markers import in_range
from rolldeck.fit.model import Finding
from rolldeck.fit.wheel_tags import wheel_tags
from rolldeck.fit.words import some
from rolldeck.text import clean_line

if TYPE_CHECKING:
    from packaging.tags import Tag


def install_findings(files: Mapping[str, bytes], python: Interpreter) -> Iterator[Finding]:
    """Yield what keeps the lock among ``files`` from being installed; nothing without a lock.

    What is installed already in the locked version needs no file.
    """
    lock = find_lock(files, python.markers)
    if lock is None:
        return
    path = clean_line(lock.path, 200)
    if lock.requires_python and in_range(python.version, lock.requires_python) is False:
        wanted = clean_line(lock.requires_python, 100)
        detail = f"is required by {path}, here {python.version}"
        yield Finding("Python", wanted, python.version, "blocker", detail)
    tags = wheel_tags(python)
    built = []
    for item in _absent(lock, python):
        if any(_accepts(wheel, tags) for wheel in item.wheels):
            continue
        if item.has_source:
            built.append(item.name)
            continue
        detail = f"has no wheel in {path} for {_described(python)}, and no sources"
        yield Finding(clean_line(item.name, 100), clean_line(item.version, 100),
                      _described(python), "blocker", detail)  # fmt: skip
    if built:
        detail = f"of {path} must be built from sources here: {some(built)}"
        yield Finding("packages", None, None, "warn", detail)


def _absent(lock: Lock, python: Interpreter) -> Iterator[Locked]:
    return (item for item in lock.packages if python.packages.get(item.name) != item.version)


def _accepts(wheel: str, tags: frozenset[Tag]) -> bool:
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename
    from packaging.version import InvalidVersion

    try:
        return not tags.isdisjoint(parse_wheel_filename(wheel)[3])
    except (InvalidWheelFilename, InvalidVersion):
        return False


def _described(python: Interpreter) -> str:
    libc = f", {python.libc}" if python.libc else ""
    return f"{python.abi or python.implementation} on {python.platform}{libc}"

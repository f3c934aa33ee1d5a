"""Which releases of a local target stay, and which are surplus.

Kept are what is current, what a rollback or an undo leads to, what the followed channel says and
its last known good, the newest versions that were current, and whatever a process has open.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rolldeck.errors import RolldeckError
from rolldeck.oci import Digest
from rolldeck.release.following import read_following
from rolldeck.release.in_use import Look, look_for_users
from rolldeck.release.target import Target
from rolldeck.text import clean_line
from rolldeck.units import short_digest

KEEP = 3
"""How many of the versions that were current last stay unpacked."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A release that stays, and why; ``older`` ones only because something has them in use."""

    digest: Digest
    label: str
    reasons: tuple[str, ...]
    older: bool = False


@dataclass(frozen=True, slots=True)
class Surplus:
    """A release that nobody needs; ``size`` is what its files take on the disk, in bytes."""

    digest: Digest
    label: str
    size: int


@dataclass(frozen=True, slots=True)
class Retention:
    """What of a target stays and what can go; ``hidden`` are processes nobody could look into."""

    target: Path
    kept: tuple[Kept, ...]
    surplus: tuple[Surplus, ...]
    hidden: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that would be free."""
        return sum(item.size for item in self.surplus)


def wanted(target: Target, keep: int = KEEP, goal: Digest | None = None) -> dict[Digest, list[str]]:
    """Return the versions that stay whoever uses them, with the reasons.

    ``goal`` is the version that a move is about to make current. Raises IntegrityError or
    StorageError where that cannot be told.
    """
    reasons: dict[Digest, list[str]] = {}

    def add(digest: Digest | None, reason: str) -> None:
        if digest is not None:
            reasons.setdefault(digest, []).append(reason)

    history = target.history()
    current = target.current()
    add(goal, "goal")
    add(current, "current")
    add(target.previous(), "previous")
    add(history[-1].from_digest if history else None, "undo")
    following = read_following(target)
    if following is not None:
        add(following.goal, f"{following.channel} is there")
        add(following.good, f"last known good of {following.channel}")
    been = [goal, current, *(move.to_digest for move in reversed(history))]
    for digest in list(dict.fromkeys(item for item in been if item is not None))[:keep]:
        add(digest, f"one of the last {keep}")
    return reasons


def may_have_surplus(target: Target, keep: int, goal: Digest) -> bool:
    """Whether there is anything to look at: cheap, for moves that mostly remove nothing."""
    return bool(target.unpacked() - wanted(target, keep, goal).keys())


def survey_releases(
    target: Target, keep: int = KEEP, *, goal: Digest | None = None, blind: bool = False
) -> Retention:
    """Tell what stays and what could go; removes nothing.

    Where there are processes that nobody here can look into, nothing is surplus, unless ``blind``.
    """
    reasons = wanted(target, keep, goal)
    unpacked = sorted(target.unpacked())
    rest = [digest for digest in unpacked if digest not in reasons]
    look = look_for_users(target.directory(digest) for digest in rest) if rest else Look({}, ())
    surplus = []
    for digest in rest:
        users = look.uses[Path(os.path.realpath(target.directory(digest)))]
        if users:
            more = f" and {len(users) - 1} more" if len(users) > 1 else ""
            reasons[digest] = [clean_line(f"in use by {users[0]}{more}")]
        elif look.hidden and not blind:
            reasons[digest] = [unseen(look.hidden)]
        else:
            size = size_on_disk(target.directory(digest))
            surplus.append(Surplus(digest, _label(target, digest), size))
    kept = tuple(
        Kept(digest, _label(target, digest), tuple(reasons[digest]), digest in rest)
        for digest in unpacked
        if digest in reasons
    )
    return Retention(target.path, kept, tuple(surplus), look.hidden)


def unseen(hidden: Iterable[str]) -> str:
    """Say that nobody knows what some processes have open."""
    names = list(hidden)
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return clean_line(f"what {names[0]}{more} has open cannot be seen by this user")


def size_on_disk(directory: Path) -> int:
    """Return the bytes that a directory's files take, but for those with a name elsewhere."""
    size = 0
    for parent, _, files in os.walk(directory):
        for name in files:
            found = os.stat(os.path.join(parent, name), follow_symlinks=False)
            size += found.st_blocks * 512 if found.st_nlink == 1 else 0
    return size


def _label(target: Target, digest: Digest) -> str:
    try:
        release = target.release(digest)
    except RolldeckError:
        release = None
    return release.label if release else short_digest(digest)

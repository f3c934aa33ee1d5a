"""Merging: a complete, verified tree goes into a directory that has files, one by one.

Nothing is touched before everything was compared and all of it is allowed. Then each file appears
under its name by one rename and is old or new, never a part; identical ones stay as they are, and
so does what is not in the version. A link is never followed, and a file with several names keeps
its content under the others. A second run goes on where a killed one ended.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rolldeck import fsops
from rolldeck.errors import BusyError, UsageError
from rolldeck.kit.destination import (
    Destination,
    Found,
    chunks_of,
    has_content,
    has_digest,
    identity_of,
    status_of,
)
from rolldeck.kit.staging_place import sweep_left
from rolldeck.kit.tree import Tree, TreeEntry
from rolldeck.progress import Progress
from rolldeck.text import clean_line

_MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class MergeRules:
    """What may be done to what is there.

    ``overwrite``: files of other content are replaced; ``keep``: they stay, and so does what is in
    the way of a file; ``force``: links, special files and empty directories are replaced.
    """

    overwrite: bool = False
    keep: bool = False
    force: bool = False

    def require(self, found: Sequence[Found], directory: Path) -> None:
        """Raise UsageError, naming the first, where something may not be replaced."""
        blocked = [item for item in found if item.standing == "in the way" and not self.keeps(item)]
        fixed = [item for item in blocked if not item.clearable]
        changed = [item for item in found if item.standing == "changed" and not self.keeps(item)]
        if fixed:
            raise _refused(directory, "would have to take the place of", fixed, "Move it away.")
        if blocked and not self.force:
            hint = "Move it away; --force replaces it (a link itself, not what it leads to)."
            raise _refused(directory, "would have to take the place of", blocked, hint)
        if changed and not self.overwrite:
            hint = "--overwrite replaces such files, --ignore-existing leaves them."
            raise _refused(directory, "differs from", changed, hint)

    def keeps(self, found: Found) -> bool:
        """Whether something that is there stays although the version has other content."""
        is_other = found.standing in ("changed", "in the way")
        return self.keep and is_other and found.entry.type == "file"


def _refused(directory: Path, verb: str, found: Sequence[Found], hint: str) -> UsageError:
    names = ", ".join(f"{clean_line(x.entry.path, 200)} ({x.there})" for x in found[:_MOST_NAMES])
    more = f" and {len(found) - _MOST_NAMES} more" if len(found) > _MOST_NAMES else ""
    return UsageError(
        f"The version {verb} what is in {directory}: {names}{more}; nothing was changed",
        reference=str(directory),
        hint=hint,
    )


def merge(
    tree: Tree, source: Path, directory: Path, rules: MergeRules, progress: Progress
) -> tuple[Found, ...]:
    """Move the files of ``tree``, which lies complete at ``source``, into ``directory``.

    Returns how each stood to what was there. Raises UsageError, before anything is touched, for
    what the rules do not allow, BusyError where somebody changes the directory meanwhile,
    StorageError, CancelledError.
    """
    with (
        fsops.storage(directory),
        Destination(source) as staged,
        Destination(directory) as goal,
    ):
        found = tuple(goal.judge(entry, _IsSame(staged, entry, progress)) for entry in tree.entries)
        rules.require(found, directory)
        _Moving(staged, goal, rules, progress).run(found)
    return found


def settle(found: Sequence[Found], directory: Path) -> None:
    """Finish what a killed run left to do where every file is in its place already.

    The names become durable, and what that run was still working on goes.
    """
    with fsops.storage(directory), Destination(directory) as goal:
        _sync(found, goal)
        sweep_left(directory)


def _sync(found: Sequence[Found], goal: Destination) -> None:
    """Make the names of all files and directories durable, whoever brought them."""
    for parts in sorted({tuple(item.entry.path.split("/")[:-1]) for item in found}, reverse=True):
        parent = goal.parent(parts)
        if parent is not None:
            fsops.fsync(parent)


class _Moving:
    """Moves file by file from one open tree into another."""

    def __init__(
        self,
        staged: Destination,
        goal: Destination,
        rules: MergeRules,
        progress: Progress,
    ) -> None:
        self._staged = staged
        self._goal = goal
        self._rules = rules
        self._progress = progress

    def run(self, found: Sequence[Found]) -> None:
        """Make the directories, move the files, then wait for the disk."""
        for item in found:
            self._progress.check()
            if item.standing == "identical" or self._rules.keeps(item):
                continue
            if item.entry.type == "dir":
                self._make_directory(item)
            else:
                self._move(item)
        _sync(found, self._goal)

    def _make_directory(self, item: Found) -> None:
        *above, name = item.entry.path.split("/")
        parent = self._parent(tuple(above))
        self._require_unchanged(item, name, parent)
        if item.standing == "in the way":
            fsops.unlink(name, dir_fd=parent)
        try:
            # The mode has gone through the umask before.
            fsops.make_directory(name, item.entry.mode, dir_fd=parent)
        except FileExistsError:
            raise self._changed(item) from None

    def _move(self, item: Found) -> None:
        *above, name = item.entry.path.split("/")
        source = self._staged.parent(tuple(above))
        parent = self._parent(tuple(above))
        assert source is not None
        self._require_unchanged(item, name, parent)
        if item.there == "an empty directory":
            fsops.remove_directory(name, dir_fd=parent)
        fsops.move(name, source, parent)

    def _parent(self, parts: tuple[str, ...]) -> int:
        parent = self._goal.parent(parts)
        if parent is None:
            raise BusyError(
                f"Somebody changes {self._goal.path} meanwhile: {clean_line('/'.join(parts))} "
                "is no directory",
                reference=str(self._goal.path),
                hint="Look at it, then run the same command again.",
            )
        return parent

    def _require_unchanged(self, item: Found, name: str, parent: int) -> None:
        status = status_of(name, parent)
        if (None if status is None else identity_of(status)) != item.identity:
            raise self._changed(item)

    def _changed(self, item: Found) -> BusyError:
        return BusyError(
            f"Somebody changes {self._goal.path} meanwhile: {clean_line(item.entry.path)}",
            reference=str(self._goal.path),
            hint="Look at it, then run the same command again.",
        )


@dataclass(frozen=True, slots=True)
class _IsSame:
    """Whether an open file has the content of a staged one, whose hash may not be known."""

    staged: Destination
    entry: TreeEntry
    progress: Progress

    def __call__(self, descriptor: int) -> bool:
        if self.entry.sha256 is not None:
            return has_digest(descriptor, f"sha256:{self.entry.sha256}", self.progress)
        *above, name = self.entry.path.split("/")
        parent = self.staged.parent(tuple(above))
        assert parent is not None
        own = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            return has_content(descriptor, chunks_of(own, self.progress), self.progress)
        finally:
            os.close(own)

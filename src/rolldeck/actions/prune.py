"""Prune a local target: remove releases that nobody needs, never one that a process has open."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import BusyError, RolldeckError, UsageError
from rolldeck.oci import Digest, Place, Reference
from rolldeck.release import Check, Target
from rolldeck.release.in_use import look_for_users
from rolldeck.release.retention import (
    Kept,
    Retention,
    Surplus,
    may_have_surplus,
    survey_releases,
)
from rolldeck.release.stand_in import stands_in_elsewhere
from rolldeck.store import Library
from rolldeck.text import clean_line
from rolldeck.units import human_size


@dataclass(frozen=True, slots=True)
class Pruned:
    """What of a target went, and what stays."""

    target: Path
    removed: tuple[Surplus, ...]
    kept: tuple[Kept, ...]

    @property
    def size(self) -> int:
        """Bytes that are free."""
        return sum(item.size for item in self.removed)


async def plan_prune(
    workspace: Workspace, target_path: Path, *, keep: int | None = None, blind: bool = False
) -> Retention:
    """Tell which releases of a target stay and which could go; removes nothing.

    ``keep`` is how many of the versions that were current last stay, None as the settings say.
    With ``blind`` processes that nobody here can look into are taken to have nothing open.
    """
    target = Target(target_path).require()
    number = workspace.settings.keep_releases if keep is None else keep
    found = await asyncio.to_thread(survey_releases, target, number, blind=blind)
    return await asyncio.to_thread(_weighed, workspace.library, target, found)


async def prune(
    workspace: Workspace, plan: Retention, *, keep: int | None = None, blind: bool = False
) -> Pruned:
    """Remove what a plan shows, as far as nobody needs it meanwhile."""
    # Imported here: a switch without anything to remove needs nothing of it.
    from rolldeck.actions.move import held

    workspace.require_writable("prune")
    target = Target(plan.target).require()
    shown = {item.digest for item in plan.surplus}
    number = workspace.settings.keep_releases if keep is None else keep
    async with held(target.locked()):
        return await asyncio.to_thread(
            remove_releases, workspace.library, target, shown, number, blind=blind
        )


def surplus_after(
    workspace: Workspace, target: Target, goal: Digest
) -> tuple[Check | None, tuple[Digest, ...]]:
    """Return what a plan says of older releases, and those that go after its move. Blocks."""
    keep = workspace.settings.keep_releases
    if not target.exists or not may_have_surplus(target, keep, goal):
        return None, ()
    found = _weighed(workspace.library, target, survey_releases(target, keep, goal=goal))
    number = len(found.surplus)
    text = f"keeps {len(found.kept)}, removes {number}, frees {human_size(found.size)}"
    stay = [item for item in found.kept if item.older]
    if stay:
        text += f"; {stay[0].label} stays: {stay[0].reasons[0]}"
    check = Check("releases", None if stay else True, clean_line(text))
    return check, tuple(item.digest for item in found.surplus)


def remove_releases(
    library: Library,
    target: Target,
    shown: Collection[Digest],
    keep: int,
    *,
    blind: bool = False,
) -> Pruned:
    """Remove those of the releases that were shown which are surplus now; the lock must be held.

    Each gets a hidden name first, and is looked at once more there: a process may have opened it.
    """
    found = survey_releases(target, keep, blind=blind)
    kept, removed = list(found.kept), []
    for item in found.surplus:
        if item.digest not in shown:
            kept.append(Kept(item.digest, item.label, ("not shown before",), older=True))
        elif why := _remove(library, target, item.digest):
            kept.append(Kept(item.digest, item.label, (why,), older=True))
        else:
            removed.append(item)
    return Pruned(target.path, tuple(removed), tuple(kept))


def _weighed(library: Library, target: Target, found: Retention) -> Retention:
    """Keep what the library needs, too."""
    kept, surplus = list(found.kept), []
    for item in found.surplus:
        try:
            with _dependent(library, target, item.digest, lock=False):
                surplus.append(item)
        except _NeededError as need:
            kept.append(Kept(item.digest, item.label, (need.message,), older=True))
    return Retention(found.target, tuple(kept), tuple(surplus), found.hidden)


class _NeededError(BusyError):
    """A release is needed by something else; the message says by what."""


def _remove(library: Library, target: Target, digest: Digest) -> str | None:
    """Remove one release; returns what needs it, where something does."""
    try:
        with _dependent(library, target, digest, lock=True):
            aside = target.take_away(digest)
            users = look_for_users([aside]).uses
            if any(users.values()):
                target.put_back(digest, aside)
                user = next(found[0] for found in users.values() if found)
                raise _NeededError(clean_line(f"in use by {user}"))
    except _NeededError as need:
        return need.message
    target.remove(aside)
    return None


@contextmanager
def _dependent(library: Library, target: Target, digest: Digest, *, lock: bool) -> Iterator[None]:
    """Take the library's names away that only this release stands behind, for good where the block
    succeeds; without ``lock`` only look.

    What came from a registry can be pulled again. Raises _NeededError where the library has the
    only copy of a version, or an operation reads it.
    """
    lost = {
        layer
        for layer in target.skeletons(digest)
        if not library.layout.blob_path(layer).exists()
        and not stands_in_elsewhere(layer, target, digest)
    }
    if not lost or not library.exists:
        yield
        return
    # Imported here: few releases have anything to do with the library.
    from rolldeck.store.lease import read_leases
    from rolldeck.store.reach import Reach

    library.check()
    with _locked(library, lock=lock):
        entries = library.entries()
        reach = Reach(library.layout)
        below = {
            entry.descriptor.digest: lost & reach.below(entry.descriptor.digest).digests
            for entry in entries
        }
        gone = [entry for entry in entries if below[entry.descriptor.digest]]
        for entry in gone:
            if not _can_be_pulled(entry.repository):
                name = f"{entry.repository}:{entry.tag}" if entry.tag else entry.descriptor.digest
                raise _NeededError(clean_line(f"the only copy of {name} in the library"))
        versions = {digest, *lost, *(entry.descriptor.digest for entry in gone)}
        for lease in read_leases(library.leases):
            if not lease.dead and (lease.digests is None or lease.digests & versions):
                raise _NeededError(clean_line(f"needed by {lease.text}"))
        if not lock or not gone:
            yield
            return
        # Before the files go: a name must never stand for what is not there.
        library.write_index([entry for entry in entries if entry not in gone])
        try:
            yield
        except BaseException:
            library.write_index(entries)
            raise


@contextmanager
def _locked(library: Library, *, lock: bool) -> Iterator[None]:
    if not lock:
        yield
        return
    with library.locked():
        yield


def _can_be_pulled(repository: str | None) -> bool:
    try:
        return Reference.parse(repository or "").place is Place.REGISTRY
    except UsageError:
        return False


def tell_unremoved(error: RolldeckError) -> str:
    """Say that older releases stay, after a move that was made."""
    return f"older releases are not removed: {error.message}"

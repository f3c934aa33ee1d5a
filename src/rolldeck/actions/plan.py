"""Plans for a local target: what a pin, a rollback or an undo would do, checked beforehand."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import IntegrityError, NotFoundError, RolldeckError, UsageError
from rolldeck.oci import Digest, Place, Reference, is_digest
from rolldeck.progress import Progress
from rolldeck.release import Check, Plan, Target
from rolldeck.text import clean_line
from rolldeck.units import human_size, short_digest

UNPACKED_HERE = "unpacked here"
"""The check that the files of a release are as they were unpacked."""

DISK_SPACE = "disk space"
"""The check that fails with exit code 7, as a full disk does everywhere."""


async def plan_pin(
    workspace: Workspace, reference: Reference, target_path: Path, *, summary: bool = True
) -> Plan:
    """Plan to make a version current in a target; fetches its manifest and small layers only.

    Without ``summary`` the plan does not say what differs.
    """
    # Imported here: going back needs nothing of it, and should be quick.
    from rolldeck.actions.materialize import require_kit, to_move
    from rolldeck.actions.prune import surplus_after
    from rolldeck.actions.show import load_version

    workspace.require_writable("pin")
    target = Target(target_path)
    version = await load_version(workspace, reference)
    resolved = Reference.parse(version.reference)
    require_kit(version.kit, resolved)
    digest = version.kit.digest
    current = target.current() if target.exists else None
    checks = []
    if obstacle := target.obstacle():
        checks.append(Check("target", False, f"{target.path} {obstacle}"))
    if current == digest:
        checks.append(Check("already current", True, f"{version.label} is current, nothing moves"))
    unpacked = await _unpacked(target, digest) if target.exists else None
    if unpacked:
        checks.append(unpacked)
    if unpacked and unpacked.ok:
        missing = 0
    else:
        kits = [(resolved, version.kit), *((link.reference, link.kit) for link in version.chain)]
        fetch, missing = await asyncio.to_thread(to_move, workspace, version.kit, kits)
        text = f"{human_size(fetch)} to fetch, " if fetch else ""
        text += f"{human_size(version.kit.whole_size)} to unpack"
        is_whole = version.chain_problem is None
        checks.append(Check("readable", is_whole, version.chain_problem or text))
        checks.append(_space(target_path, missing))
    if stops := _stops_following(target):
        checks.append(stops)
    releases, removes = await asyncio.to_thread(surplus_after, workspace, target, digest)
    if releases:
        checks.append(releases)
    return Plan(
        verb="pin",
        target=target.path,
        from_digest=current,
        from_label=_label(target, current),
        to_digest=digest,
        to_label=version.label,
        reference=str(resolved),
        checks=tuple(checks),
        bytes_to_move=missing,
        summary=await _summary(workspace, target, current, resolved, network=True)
        if summary
        else None,
        removes=removes,
        chain=tuple(link.kit.digest for link in version.chain),
    )


async def plan_rollback(
    workspace: Workspace, target_path: Path, to: str | None = None, *, summary: bool = True
) -> Plan:
    """Plan to go back to the version that was current before, or to ``to``.

    ``to`` is a generation (``g3``), a digest or its beginning, or a tag that was pinned here.
    Without ``summary`` the plan does not say what differs, which saves reading both versions.
    """
    workspace.require_writable("rollback")
    target = Target(target_path).require()
    current = target.current()
    digest = _find(target, to) if to else way_back(target)
    if digest is None:
        candidates = sorted(short_digest(item) for item in target.unpacked() if item != current)
        raise NotFoundError(
            f"Nothing was current in {target.path} before",
            reference=str(target.path),
            hint=f"Unpacked there: {', '.join(candidates)}; pin one, or name it with --to"
            if candidates
            else "Pin the version that you want: rolldeck pin REFERENCE TARGET",
        )
    if digest == current:
        raise UsageError(f"{to} is current already", reference=str(target.path))
    plan = Plan(
        verb="rollback",
        target=target.path,
        from_digest=current,
        from_label=_label(target, current),
        to_digest=digest,
        to_label=_label(target, digest) or short_digest(digest),
        reference=_reference(target, digest),
        checks=tuple(filter(None, [_channel_stays(target)])),
        bytes_to_move=0,
    )
    return await _checked(workspace, target, plan, summary=summary)


def way_back(target: Target) -> Digest | None:
    """Return where a rollback of a target goes: to the last known good of the channel that it
    follows, where that is unpacked, else to the version that was current before.
    """
    # Imported here: it is asked only where somebody goes back.
    from rolldeck.release.following import read_following

    following = read_following(target)
    good = following.good if following else None
    if good is not None and good != target.current() and target.release(good) is not None:
        return good
    return target.previous()


def _stops_following(target: Target) -> Check | None:
    """Say that a move by hand ends the following of a channel, which would take it back."""
    from rolldeck.release.following import read_following

    following = read_following(target)
    if following is None:
        return None
    again = f"again: rolldeck pin --follow {following.channel} {target.path}"
    return Check("follows", None, f"stops following {following.channel}; {again}")


def _channel_stays(target: Target) -> Check | None:
    """Say that a rollback of a target that follows a channel leaves everybody else where it is."""
    from rolldeck.release.following import read_following

    following = read_following(target)
    if following is None:
        return None
    text = f"{following.channel} stays; for all who follow it: rolldeck rollback"
    return Check("channel", None, f"{text} {following.channel}")


async def plan_undo(workspace: Workspace, target_path: Path, *, summary: bool = True) -> Plan:
    """Plan to reverse exactly the last move of a target; ``summary`` as for a rollback."""
    workspace.require_writable("undo")
    target = Target(target_path).require()
    history = target.history()
    if not history:
        raise NotFoundError(f"Nothing was moved in {target.path} yet", reference=str(target.path))
    last = history[-1]
    plan = Plan(
        verb="undo",
        target=target.path,
        from_digest=target.current(),
        from_label=_label(target, target.current()),
        to_digest=last.from_digest,
        to_label=_label(target, last.from_digest) or "no version",
        reference=_reference(target, last.from_digest) if last.from_digest else last.reference,
        checks=(Check("takes back", True, f"g{last.number}: {last.verb} of {last.reference}"),),
        bytes_to_move=0,
        undoes=last.number,
    )
    return await _checked(workspace, target, plan, summary=summary)


async def _checked(workspace: Workspace, target: Target, plan: Plan, *, summary: bool) -> Plan:
    """Add what must hold for the version that the plan goes to."""
    checks = list(plan.checks)
    if stops := _stops_following(target):
        checks.append(stops)
    missing = 0
    if plan.to_digest is not None:
        unpacked = await _unpacked(target, plan.to_digest)
        if unpacked:
            checks.append(unpacked)
        if not (unpacked and unpacked.ok):
            known = target.chain(plan.to_digest)
            reference = Reference.parse(plan.reference)
            check, missing, chain = await _restorable(workspace, reference, known)
            checks.append(check)
            plan = replace(plan, chain=chain)
    told = None
    if summary and plan.to_digest is not None:
        goal = Reference.parse(plan.reference)
        told = await _summary(workspace, target, plan.from_digest, goal)
    return replace(plan, checks=tuple(checks), bytes_to_move=missing, summary=told)


async def _unpacked(target: Target, digest: Digest) -> Check | None:
    """Say whether a version that is unpacked in the target is still as it was; None if it is not.

    What was changed can be unpacked again, unless it is current: that is never replaced.
    """
    if target.release(digest) is None:
        return None
    changes = await asyncio.to_thread(target.changes, digest, Progress())
    if not changes:
        return Check(UNPACKED_HERE, True, "0 B to move")
    path, problem = changes[0]
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    found = clean_line(f"{path}: {problem}{more}")
    if target.current() == digest:
        return Check(UNPACKED_HERE, False, f"{found}; it is current, so it is not replaced")
    return Check(UNPACKED_HERE, None, f"{found}; it is put aside and unpacked again")


async def _restorable(
    workspace: Workspace, reference: Reference, known: tuple[Digest, ...]
) -> tuple[Check, int, tuple[Digest, ...]]:
    """Say whether a version can be unpacked again, its size, and the kits its model comes from."""
    # Imported here: what is unpacked already needs nothing of it.
    from rolldeck.actions.chain import load_chain
    from rolldeck.actions.kit import load_kit
    from rolldeck.kit import with_chain

    try:
        resolved = await workspace.resolve(reference)
        kit = await load_kit(workspace, resolved)
        chain = await load_chain(workspace, resolved, kit, known)
    except IntegrityError:
        raise  # a damaged store is no question of the plan
    except RolldeckError as error:
        return Check("can be unpacked again", False, error.message), 0, known
    size = with_chain(kit, chain).whole_size
    text = f"{human_size(size)} from {reference.name}"
    floating = [link.name for link in chain[len(known) :] if "@" not in link.name]
    if floating:
        text += f"; its model is that of {floating[0]}, a tag that may have moved since"
    check = Check("can be unpacked again", None if floating else True, text)
    return check, size, tuple(link.kit.digest for link in chain)


async def _summary(
    workspace: Workspace,
    target: Target,
    current: Digest | None,
    goal: Reference,
    *,
    network: bool = False,
) -> str | None:
    """Say in one sentence what differs, where both versions can still be read.

    Without ``network`` only from this machine: nobody should wait for a registry to go back.
    """
    if current is None or current == goal.digest:
        return None
    try:
        sides = [_at_hand(workspace, _recorded(target, current)), _at_hand(workspace, goal)]
        if not network and any(side.place is Place.REGISTRY for side in sides):
            return None
    except RolldeckError:
        return None  # the move does not depend on it, and the library may be gone
    # Imported here: what is not compared need not wait for it.
    from rolldeck.actions.directions import directions
    from rolldeck.actions.show import load_version
    from rolldeck.compare import compare

    try:
        here, there = await asyncio.gather(*(load_version(workspace, side) for side in sides))
    except RolldeckError:
        return None
    settings = workspace.settings
    known = await asyncio.to_thread(directions, settings, *sides)
    compared = await asyncio.to_thread(compare, here, there, settings.tolerance, known)
    return compared.summary


def _recorded(target: Target, digest: Digest) -> Reference:
    return Reference.parse(_reference(target, digest))


def _at_hand(workspace: Workspace, reference: Reference) -> Reference:
    """Return the library's copy of a version from a registry, where there is one."""
    digest = reference.digest
    if reference.place is Place.REGISTRY and digest and workspace.library.holds(digest):
        return Reference(Place.LIBRARY, "", reference.library_name, reference.tag, digest)
    return reference


def _space(path: Path, needed: int) -> Check:
    existing = next(item for item in (path.absolute(), *path.absolute().parents) if item.exists())
    status = os.statvfs(existing)
    free = status.f_bavail * status.f_frsize
    return Check(DISK_SPACE, needed < free, f"{human_size(needed)} of {human_size(free)} free")


def _label(target: Target, digest: Digest | None) -> str | None:
    release = target.release(digest) if digest and target.exists else None
    return release.label if release else (short_digest(digest) if digest else None)


def _reference(target: Target, digest: Digest) -> str:
    release = target.release(digest)
    if release:
        return release.reference
    for generation in reversed(target.history()):
        if generation.to_digest == digest:
            return generation.reference
    raise NotFoundError(f"{digest} was never in {target.path}", reference=str(target.path))


def _find(target: Target, name: str) -> Digest:
    """Find the version that ``name`` means among all that were ever current here."""
    history = target.history()
    for generation in reversed(history):
        digest = generation.to_digest
        if digest is None:
            continue
        tag = Reference.parse(generation.reference).tag
        short = digest.partition(":")[2]
        if name in (f"g{generation.number}", digest, tag, generation.reference):
            return digest
        if len(name) >= 7 and not is_digest(name) and short.startswith(name):
            return digest
    known = sorted({Reference.parse(item.reference).tag or "" for item in history} - {""})
    raise NotFoundError(
        f"{name} was never current in {target.path}",
        reference=str(target.path),
        hint=f"Versions of its history: {', '.join(known)}" if known else None,
    )

"""What somebody on call means by a name: a directory, a channel, a repository, or part of one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rolldeck.actions.channel import open_records
from rolldeck.actions.channel_memory import remembered_channels, remembered_repositories
from rolldeck.actions.targets import is_target
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError, UnavailableError, UsageError
from rolldeck.facts import channel_tags
from rolldeck.oci import Place, Reference
from rolldeck.release import known_paths

_FIRST = ("production", "prod", "live", "stable", "main", "latest")
"""The channel that is meant where a repository has several, in this order."""

_MOST = 8


async def find_subject(workspace: Workspace, what: str | Reference) -> Reference | Path:
    """Return the channel, or the directory of a local target, that a name means.

    A reference is what it says. A bare name is looked up in the local targets known here, the
    settings, what was read lately and the library, in this order. Raises NotFoundError where there
    is none, and UsageError where it may be one of several.
    """
    if isinstance(what, Reference):
        return what if what.tag else await _channel_of(workspace, what)
    target = await asyncio.to_thread(_directory, what)
    if target is not None:
        return target
    wanted = Reference.parse(what)
    if wanted.digest is not None:
        raise UsageError(f"{what} names one version, not a channel", reference=what)
    places = [wanted]
    if wanted.place is Place.LIBRARY:
        places = await asyncio.to_thread(_places, workspace, wanted.repository)
    if not places:
        raise NotFoundError(
            f"Nothing here is called {what}",
            reference=what,
            hint="Name it whole: HOST/REPOSITORY:production, or a local target's directory.",
        )
    repository = places[0]
    if wanted.tag is not None:
        return repository.tagged(wanted.tag)
    return await _channel_of(workspace, repository)


def _directory(what: str) -> Path | None:
    return Path(what).expanduser().absolute() if is_target(what) else None


def _places(workspace: Workspace, name: str) -> list[Reference]:
    """Return the repositories that a bare name means, from the first source that has any."""
    for source in (
        (Reference.parse(item.repository) for item in known_paths()),
        (
            Reference(Place.REGISTRY, host, repository)
            for host, registry in workspace.settings.registries.items()
            for repository in registry.repositories
        ),
        (replace(item, tag=None) for item in remembered_channels(workspace)),
        iter(remembered_repositories(workspace)),
        (Reference(Place.LIBRARY, "", item.repository) for item in workspace.library.entries()),
    ):
        found = _matching(source, name)
        if len(found) > 1:
            told = ", ".join(str(item) for item in found[:_MOST])
            raise UsageError(f"{name} may be one of: {told}", reference=name, hint="Name it whole.")
        if found:
            return found
    return []


def _matching(references: Iterable[Reference], name: str) -> list[Reference]:
    """Return the repositories with that name, else those whose name ends with it."""
    known = list(dict.fromkeys(replace(item, tag=None, digest=None) for item in references))
    whole = [item for item in known if item.repository == name]
    return whole or [item for item in known if item.repository.endswith(f"/{name}")]


async def _channel_of(workspace: Workspace, repository: Reference) -> Reference | Path:
    """Return the channel of a repository that is most likely meant, else its local target.

    Channels that are remembered are asked nobody for.
    """
    remembered = await asyncio.to_thread(remembered_channels, workspace)
    names = {item.tag or "" for item in remembered if replace(item, tag=None) == repository}
    if not names:
        try:
            tags = await open_records(workspace, repository).tags()
            names = set(channel_tags(tags))
        except (NotFoundError, UnavailableError):
            target = await asyncio.to_thread(_target_of, repository)
            if target is None:
                raise
            return target
    first = next((name for name in _FIRST if name in names), None)
    if first is None and len(names) == 1:
        first = next(iter(names))
    if first is not None:
        return repository.tagged(first)
    target = await asyncio.to_thread(_target_of, repository)
    if target is not None and not names:
        return target
    if not names:
        raise NotFoundError(
            f"{repository.name} has no channels",
            reference=repository.name,
            hint=f"Make one: rolldeck promote VERSION {repository.name}:production",
        )
    told = ", ".join(str(repository.tagged(name)) for name in sorted(names)[:_MOST])
    raise UsageError(f"{repository.name} has several channels: {told}", reference=repository.name)


def _target_of(repository: Reference) -> Path | None:
    known = (item.path for item in known_paths() if item.repository == repository.name)
    return next((path for path in known if is_target(str(path))), None)

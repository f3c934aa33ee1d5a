"""What the deck reads in the background: each function runs one action and posts its result."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.message_pump import MessagePump

from rolldeck import actions
from rolldeck.tui.failures import readable, told
from rolldeck.tui.messages import (
    AuditRead,
    ChangesSummed,
    ChannelsRead,
    FileOfBothRead,
    FileRead,
    FitJudged,
    HeadlinesRead,
    LayerListed,
    RepositoriesListed,
    TargetsRead,
    TriageRead,
    VersionRead,
    VersionsCompared,
    VersionsListed,
    VersionsTabled,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from textual.screen import Screen

    from rolldeck.actions import InView, VersionList, Workspace
    from rolldeck.compare import Directions, Policy, Version
    from rolldeck.fit import Host
    from rolldeck.kit import Layer
    from rolldeck.oci import Reference
    from rolldeck.progress import Progress


async def read_repositories(
    node: MessagePump, workspace: Workspace, place: Reference | None
) -> None:
    """List the repositories of a place, or of the library and each known registry as it answers."""
    try:
        if place is not None:
            result = await actions.list_repositories(workspace, place)
            node.post_message(RepositoriesListed(place, result))
        else:
            async for result in actions.watch_repositories(workspace):
                node.post_message(RepositoriesListed(place, result))
    except Exception as error:
        node.post_message(RepositoriesListed(place, readable(error)))


async def read_versions(
    node: MessagePump, workspace: Workspace, repository: Reference, in_view: InView
) -> None:
    """List the versions of a repository: names at once, then rows as they fill.

    The rows that ``in_view`` names are read before all others.
    """
    latest: VersionList | None = None
    try:
        async for latest in actions.watch_versions(workspace, repository, in_view):
            node.post_message(VersionsListed(repository, latest, finished=False))
    except Exception as error:
        node.post_message(VersionsListed(repository, readable(error), finished=True))
    else:
        if latest is not None:
            workspace.write_soon()
            node.post_message(VersionsListed(repository, latest, finished=True))


async def read_version(node: MessagePump, workspace: Workspace, reference: Reference) -> None:
    """Read one version for its details."""
    try:
        result = await actions.load_version(workspace, reference)
    except Exception as error:
        node.post_message(VersionRead(reference, readable(error)))
    else:
        node.post_message(VersionRead(reference, result))


async def sum_changes(
    node: MessagePump, workspace: Workspace, older: Reference, reference: Reference, since: str
) -> None:
    """Say in one sentence what changed since the version before, where both can be read."""
    try:
        result = await actions.diff(workspace, older, reference)
    except Exception:
        return  # the details stand without it, and ``d`` says what is wrong
    node.post_message(ChangesSummed(reference, since, result.comparison.summary))


async def judge_fit(
    node: MessagePump, workspace: Workspace, version: Version, host: Host | None
) -> None:
    """Say whether a version fits this host, which is read where that did not happen yet."""
    try:
        host = host or await actions.host_here()
        result = await actions.fit(workspace, version, host)
    except Exception:
        return  # the details stand without it, and ``rolldeck env check`` says what is wrong
    node.post_message(FitJudged(version.kit.digest, result, host))


async def read_audit(node: MessagePump, workspace: Workspace, places: tuple[str, ...]) -> None:
    """Audit some places, each as the verb does."""
    from rolldeck.actions.audit import Audit, audit

    try:
        found = [await audit(workspace, place) for place in places]
        result = Audit(tuple(item for each in found for item in each.places))
    except Exception as error:
        node.post_message(AuditRead(readable(error)))
    else:
        node.post_message(AuditRead(result))


async def read_targets(node: MessagePump, workspace: Workspace) -> None:
    """Read the local targets known here."""
    try:
        targets = await actions.known_targets(workspace)
    except Exception:
        targets = ()  # without them the deck still shows everything else
    node.post_message(TargetsRead(targets))


async def read_headlines(node: MessagePump) -> None:
    """Read which metrics the user chose for lists of versions."""
    node.post_message(HeadlinesRead(await asyncio.to_thread(actions.headlines)))


async def remember_metric(screen: Screen[None], repository: Reference, metric: str) -> None:
    """Remember which metric stands in the list of versions; says so where that fails."""
    try:
        await asyncio.to_thread(actions.remember_headline, repository, metric)
    except Exception as error:
        said = f"Not remembered: {told(readable(error))}"
        screen.notify(said, severity="warning", markup=False)


async def compare_versions(
    node: MessagePump, workspace: Workspace, a: Reference, b: Reference
) -> None:
    """Compare two versions."""
    try:
        policy = await actions.chosen_policy(workspace)
        result = await actions.diff(workspace, a, b, policy=policy)
    except Exception as error:
        node.post_message(VersionsCompared(a, b, readable(error)))
    else:
        node.post_message(VersionsCompared(a, b, result))


async def read_both(
    workspace: Workspace,
    path: str,
    a: Version,
    b: Version,
    tolerance: float,
    directions: Directions,
    policy: Policy | None,
) -> FileOfBothRead:
    """Read a file of two versions that was not read, and compare them again."""
    # Imported here: nothing was compared when the deck started.
    from rolldeck.compare import compare
    from rolldeck.progress import Progress

    progress = Progress()
    try:
        a = await actions.with_file(workspace, a, path, progress)
        b = await actions.with_file(workspace, b, path, progress)
        result = await asyncio.to_thread(compare, a, b, tolerance, directions, policy)
    except Exception as error:
        return FileOfBothRead(path, readable(error))
    return FileOfBothRead(path, (result, a, b))


async def read_table(
    workspace: Workspace,
    references: Sequence[Reference],
    last: int,
    baseline: Reference | None = None,
) -> VersionsTabled:
    """Read versions by metric and parameter."""
    try:
        result = await actions.load_matrix(workspace, references, last=last, baseline=baseline)
    except Exception as error:
        return VersionsTabled(readable(error))
    return VersionsTabled(result)


async def read_before(
    workspace: Workspace, before: Sequence[Reference], reference: str
) -> VersionsTabled:
    """Read the versions before; where none are listed, the newest of a version's repository."""
    from rolldeck.oci import Reference
    from rolldeck.tui.models.comparison_history import VERSIONS
    from rolldeck.tui.models.deck_state import repository_of

    wanted = list(before) or [repository_of(Reference.parse(reference))]
    return await read_table(workspace, wanted, VERSIONS)


async def read_layer(
    node: MessagePump,
    workspace: Workspace,
    reference: Reference,
    layer: Layer,
    progress: Progress,
) -> None:
    """List the files of one layer of a version."""
    try:
        result = await actions.list_layer_files(workspace, reference, layer, progress)
    except Exception as error:
        node.post_message(LayerListed(readable(error)))
    else:
        node.post_message(LayerListed(result))


async def read_file(
    node: MessagePump,
    workspace: Workspace,
    reference: Reference,
    layer: Layer | None,
    path: str,
    progress: Progress,
) -> None:
    """Look at one file of a layer, or of whichever layer has it."""
    try:
        if layer is None:
            result = (await actions.find_and_look(workspace, reference, path, progress))[1]
        else:
            result = await actions.look_at_file(workspace, reference, layer, path, progress)
    except Exception as error:
        node.post_message(FileRead(readable(error)))
    else:
        node.post_message(FileRead(result))


async def read_triage(
    node: MessagePump,
    workspace: Workspace,
    what: str | Reference,
    since: datetime | None,
    now: Callable[[], datetime],
) -> None:
    """Read a channel or a local target: what is remembered at once, then what is so now."""
    try:
        async for result in actions.watch_triage(workspace, what, since, now=now):
            node.post_message(TriageRead(result))
    except Exception as error:
        node.post_message(TriageRead(readable(error)))
    else:
        workspace.write_soon()


async def read_channels(node: MessagePump, workspace: Workspace, repository: Reference) -> None:
    """Read the channels of a repository."""
    try:
        result = await actions.load_channels(workspace, repository)
    except Exception as error:
        node.post_message(ChannelsRead(readable(error)))
    else:
        node.post_message(ChannelsRead(result))

"""Messages between the app, its screens and its workers: past tense for what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from rolldeck.actions import (
        ChannelMoved,
        Delivery,
        DiffResult,
        FileView,
        MatrixResult,
        Packing,
        Plan,
        Removal,
        RepositoryList,
        TargetState,
        Triage,
        UnpackPlan,
        VersionList,
    )
    from rolldeck.actions.audit import Audit
    from rolldeck.actions.channel import Channel
    from rolldeck.compare import Comparison, Version
    from rolldeck.errors import RolldeckError
    from rolldeck.fit import Fit, Host
    from rolldeck.kit import LayerListing
    from rolldeck.oci import Reference
    from rolldeck.release.channel import ChannelPlan
    from rolldeck.tui.jobs import Job


@dataclass(repr=False, eq=False)
class RepositoriesListed(Message):
    """The repositories of a place were read, or could not be."""

    place: Reference | None
    """What was asked for; None for the library and all known registries."""
    result: RepositoryList | RolldeckError


@dataclass(repr=False, eq=False)
class VersionsListed(Message):
    """The versions of a repository were read, wholly or so far, or could not be."""

    repository: Reference
    result: VersionList | RolldeckError
    finished: bool
    """Whether nothing more will follow."""


@dataclass(repr=False, eq=False)
class VersionRead(Message):
    """One version was read for its details, or could not be."""

    reference: Reference
    result: Version | RolldeckError


@dataclass(repr=False, eq=False)
class ChangesSummed(Message):
    """What changed since the version before was put into one sentence."""

    reference: Reference
    since: str
    """Label of the version before."""
    summary: str


@dataclass(repr=False, eq=False)
class FitJudged(Message):
    """Whether a version fits this host was judged."""

    digest: str
    fit: Fit
    host: Host


@dataclass(repr=False, eq=False)
class HeadlinesRead(Message):
    """It was read which metrics the user chose for lists of versions."""

    headlines: dict[str, str]


@dataclass(repr=False, eq=False)
class AuditRead(Message):
    """What was recorded of some places was read, or could not be."""

    result: Audit | RolldeckError


@dataclass(repr=False, eq=False)
class TargetsRead(Message):
    """The local targets known here were read."""

    targets: tuple[TargetState, ...]


@dataclass(repr=False, eq=False)
class VersionsCompared(Message):
    """Two versions were compared, or could not be."""

    a: Reference
    b: Reference
    result: DiffResult | RolldeckError


@dataclass(repr=False, eq=False)
class VersionsTabled(Message):
    """Versions were read by metric and parameter, or could not be."""

    result: MatrixResult | RolldeckError


@dataclass(repr=False, eq=False)
class FileOfBothRead(Message):
    """A file of two versions was read and these compared again, or it could not be."""

    path: str
    result: tuple[Comparison, Version, Version] | RolldeckError


@dataclass(repr=False, eq=False)
class LayerListed(Message):
    """The files of a layer were listed, or could not be."""

    result: LayerListing | RolldeckError


@dataclass(repr=False, eq=False)
class FileRead(Message):
    """One file of a version was looked at, or could not be."""

    result: FileView | RolldeckError


@dataclass(repr=False, eq=False)
class PlanMade(Message):
    """A plan is ready to be shown, or could not be made."""

    command: str
    """Id of the command that asked for it."""
    result: Plan | Delivery | Removal | UnpackPlan | Packing | RolldeckError


@dataclass(repr=False, eq=False)
class JobFinished(Message):
    """A job ended, whichever way."""

    job: Job


@dataclass(repr=False, eq=False)
class JobStarted(Message):
    """A job began."""

    job: Job


@dataclass(repr=False, eq=False)
class TriageRead(Message):
    """A channel or a local target was read for triage, wholly or so far, or could not be."""

    result: Triage | RolldeckError


@dataclass(repr=False, eq=False)
class ChannelPlanMade(Message):
    """The plan of a channel is ready to be shown, or could not be made."""

    result: ChannelPlan | RolldeckError
    forced: ChannelPlan | None = None
    """The same where checks failed that a person may overrule."""


@dataclass(repr=False, eq=False)
class ChannelMoveMade(Message):
    """A channel was moved."""

    moved: ChannelMoved


@dataclass(repr=False, eq=False)
class ChannelsRead(Message):
    """The channels of a repository were read, or could not be."""

    result: tuple[Channel, ...] | RolldeckError

"""``Facts``: what one version says of itself, each fact with the place it was read from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rolldeck.facts.pickles import Pickle
    from rolldeck.facts.weights import Weights

LISTING = "package list"
"""Group of the facts about the list of packages itself: its source, how complete it is."""

_COMPLETE = ("lock", "freeze", "sbom")

Value = str | int | float | bool | None
"""What a parameter may be once nested values are spelled out by dotted path."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured number.

    ``value`` is None where the record holds no finite number, then ``text`` says what it holds
    (``NaN``, ``n/a``). ``higher_is_better`` is what the version declares, None where it does not.
    ``n`` is the number of rows it was measured on, ``interval`` the declared confidence interval
    as lower and upper bound. ``conflicts`` lists ``(source, value)`` of other places that disagree.
    ``revision`` is that of the data set. ``history`` are ``(step, value)`` pairs of the run that
    measured it, first and last among them.
    """

    name: str
    value: float | None
    source: str
    text: str | None = None
    unit: str | None = None
    higher_is_better: bool | None = None
    slice: str | None = None
    dataset: str | None = None
    n: int | None = None
    interval: tuple[float, float] | None = None
    conflicts: tuple[tuple[str, str], ...] = ()
    history: tuple[tuple[float, float], ...] = ()
    revision: str | None = None

    @property
    def key(self) -> str:
        """The name, with slice and data set where they are declared; unique in a version."""
        parts = [part for part in (self.slice, self.dataset) if part]
        return f"{self.name} [{', '.join(parts)}]" if parts else self.name


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting by dotted path."""

    name: str
    value: Value
    source: str


@dataclass(frozen=True, slots=True)
class EnvironmentFact:
    """One thing about where the version was made: ``group`` is one of package, package list,
    python, os, hardware, image, seed, variable; ``name`` is unique within its group."""

    group: str
    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class DataSet:
    """One data set under one ``identity``, whose kind ``scheme`` names.

    ``size`` is in bytes; ``rows`` and ``columns`` are those of a table, a header not counted. All
    three are None where they are not known.
    """

    name: str
    role: str
    scheme: str
    identity: str
    source: str
    size: int | None = None
    rows: int | None = None
    columns: int | None = None


@dataclass(frozen=True, slots=True)
class LineageFact:
    """One thing that a version came from: commit, run, parent, pipeline; ``name`` is unique."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one version; ``missing`` says in words what could not be read.

    ``signature`` holds ``(name, type)`` of inputs and outputs, all of ``signature_source``, and is
    None where none is declared; ``tokenizer`` what turns text into a language model's input,
    ``architecture`` what kind of model it is. ``weights`` and ``pickles`` are files of the model
    as far as they tell of themselves.
    """

    metrics: tuple[Metric, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    environment: tuple[EnvironmentFact, ...] = ()
    data: tuple[DataSet, ...] = ()
    signature: tuple[tuple[str, str], ...] | None = None
    signature_source: str | None = None
    tokenizer: tuple[Parameter, ...] = ()
    architecture: tuple[Parameter, ...] = ()
    weights: tuple[Weights, ...] = ()
    pickles: tuple[Pickle, ...] = ()
    lineage: tuple[LineageFact, ...] = ()
    missing: tuple[str, ...] = field(default=())

    @property
    def packages(self) -> tuple[EnvironmentFact, ...]:
        """The packages, all of one source."""
        return tuple(item for item in self.environment if item.group == "package")

    @property
    def packages_source(self) -> str | None:
        """Where the packages were read from, None where none are known."""
        return next((item.source for item in self.environment if item.group == "package"), None)

    @property
    def completeness(self) -> str | None:
        """How complete the list of packages is, None where its source does not say."""
        wanted = (LISTING, "completeness")
        found = (item.value for item in self.environment if (item.group, item.name) == wanted)
        return next(found, None)

    @property
    def packages_complete(self) -> bool:
        """Whether a package that is not in the list can be taken as absent."""
        return self.completeness in _COMPLETE

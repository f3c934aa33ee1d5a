"""Versions as they are listed: one row per digest, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from rolldeck.oci import Digest, Reference


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version: ``label`` is its main tag, ``badges`` are the other tags of the same digest.

    Until its tag was looked up only the label is known, until ``loaded`` only names, digest, kind
    and size. A ``remembered`` row is as it was last seen. ``problem`` says why a row cannot be
    read.
    """

    reference: Reference
    label: str
    badges: tuple[str, ...]
    tags: tuple[str, ...]
    digest: Digest | None
    kind: str = ""
    size: int | None = None
    created: datetime | None = None
    name: str | None = None
    version: str | None = None
    local: bool = False
    metrics: Mapping[str, float] = field(default_factory=dict)
    loaded: bool = False
    remembered: bool = False
    problem: str | None = None

    @property
    def key(self) -> str:
        """What tells the row from others: its digest, before that is known its label."""
        return self.digest or self.label


@dataclass(frozen=True)
class VersionList:
    """The versions of a repository so far.

    ``channels`` are the tags that move from version to version. ``complete`` is False where the
    registry was cut off; ``referrers`` counts the tags of records, which are folded away,
    ``unread`` those that nobody asked to be read. ``stale`` is when the remembered rows were seen
    where the registry cannot be reached, and ``reason`` why it cannot.
    """

    repository: Reference
    rows: tuple[VersionRow, ...]
    complete: bool
    referrers: int
    unread: int = 0
    channels: frozenset[str] = frozenset()
    stale: datetime | None = None
    reason: str | None = None

    @cached_property
    def looked_up(self) -> int:
        """How many rows were asked for, or could not be."""
        return sum(
            (row.digest is not None or row.loaded) and not row.remembered for row in self.rows
        )

    @cached_property
    def loaded(self) -> int:
        """How many rows are filled."""
        return sum(row.loaded for row in self.rows)

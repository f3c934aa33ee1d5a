"""What the deck knows: lists read so far, what is selected, marked, a baseline, or live here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rolldeck.actions import headline_name
from rolldeck.errors import RolldeckError, UsageError
from rolldeck.oci import Place, Reference

if TYPE_CHECKING:
    from rolldeck.actions import RepositoryList, TargetState, VersionList, VersionRow
    from rolldeck.compare import Version
    from rolldeck.fit import Fit, Host

_KEPT = 64
"""Versions kept as read: enough to walk back and forth without asking again."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A marked version: its reference, its label, and what tells which is older."""

    reference: Reference
    label: str
    digest: str
    created: datetime | None
    position: int
    """Its place in its list, newest first."""


class DeckState:
    """All that the panes show; the only writer is the screen that owns it."""

    def __init__(self) -> None:
        self.repositories: RepositoryList | None = None
        self.repository: Reference | None = None
        self.lists: dict[Reference, VersionList] = {}
        self.failures: dict[Reference, RolldeckError] = {}
        self.read_at: dict[Reference, datetime] = {}
        self.silent: set[str] = set()
        """Hosts whose last answer was a failure."""
        self.targets: tuple[TargetState, ...] = ()
        self.marks: list[Marked] = []
        self.baselines: dict[Reference, Marked] = {}
        self.headlines: dict[str, str] = {}
        """The metrics that the user chose for lists of versions, by repository."""
        self.wanted: str | None = None
        """Tag or digest to put the cursor on as soon as it is listed."""
        self._versions: OrderedDict[str, Version] = OrderedDict()
        self.problems: dict[str, RolldeckError] = {}
        self.since: dict[str, tuple[str, str]] = {}
        self.host: Host | None = None
        """This host and its interpreter, once they were read."""
        self.fits: dict[str, Fit] = {}
        """Whether versions fit this host, by digest."""
        self._positions: tuple[VersionList | None, dict[str, int]] = (None, {})

    @property
    def listing(self) -> VersionList | None:
        """The versions of the selected repository, as far as they are read."""
        return self.lists.get(self.repository) if self.repository else None

    def row(self, key: str | None) -> VersionRow | None:
        """Return a row of the selected repository by its key: its digest, once that is known."""
        listing, position = self.listing, self._position(key)
        return listing.rows[position] if listing is not None and position is not None else None

    def older(self, row: VersionRow) -> VersionRow | None:
        """Return the version before another one in the same repository."""
        listing, position = self.listing, self._position(row.key)
        if listing is None or position is None or position + 1 == len(listing.rows):
            return None
        return listing.rows[position + 1]

    def _position(self, key: str | None) -> int | None:
        """Return where a row stands in its list, newest first."""
        if self._positions[0] is not self.listing:
            rows = self.listing.rows if self.listing else ()
            numbers = {row.key: number for number, row in enumerate(rows)}
            self._positions = (self.listing, numbers)
        return self._positions[1].get(key) if key is not None else None

    # Versions that were read.

    def version(self, digest: str | None) -> Version | None:
        """Return a version as it was read, None before that."""
        if digest in self._versions and digest is not None:
            self._versions.move_to_end(digest)
            return self._versions[digest]
        return None

    def keep(self, digest: str, version: Version) -> None:
        """Keep a version that was read; a digest never changes, so it cannot go stale."""
        self._versions[digest] = version
        while len(self._versions) > _KEPT:
            self._versions.popitem(last=False)

    def forget(self, repository: Reference) -> None:
        """Forget what was read of a repository, so that it is read again."""
        self.lists.pop(repository, None)
        self.failures.pop(repository, None)
        self.problems.clear()

    # Marks.

    def marked(self, row: VersionRow) -> Marked:
        """Return a row as something to mark."""
        position = self._position(row.key) or 0
        return Marked(row.reference, row.label, row.key, row.created, position)

    def toggle_mark(self, row: VersionRow) -> None:
        """Mark a version or take its mark; a comparison takes the last two, a table all."""
        kept = [mark for mark in self.marks if mark.digest != row.digest]
        if len(kept) == len(self.marks):
            kept.append(self.marked(row))
        self.marks = kept

    def toggle_baseline(self, row: VersionRow) -> bool:
        """Make a version the baseline of its repository or take that back; True if it is one."""
        assert self.repository is not None
        before = self.baselines.pop(self.repository, None)
        if before is not None and before.digest == row.digest:
            return False
        self.baselines[self.repository] = self.marked(row)
        return True

    @property
    def baseline(self) -> Marked | None:
        """The baseline of the selected repository."""
        return self.baselines.get(self.repository) if self.repository else None

    @property
    def headline(self) -> str | None:
        """The metric that the user chose for the list of the selected repository."""
        if self.repository is None:
            return None
        return self.headlines.get(headline_name(self.repository))

    def several(self, row: VersionRow | None, last: int) -> Sequence[Reference]:
        """Return the versions to look at together, newest first.

        The marked ones where there are two or more; else the ``last`` newest of the list, or those
        from the selected one on where it is further down.
        """
        if len(self.marks) > 1:
            return [mark.reference for mark in sorted(self.marks, key=_age, reverse=True)]
        if self.listing is None:
            return []
        position = self._position(row.key) if row is not None else None
        first = 0 if position is None or position < last else position
        return [item.reference for item in self.listing.rows[first : first + last]]

    # Local targets.

    def targets_here(self) -> list[TargetState]:
        """Return the local targets of the selected repository, last used first."""
        if self.repository is None:
            return []
        return [
            target
            for target in self.targets
            if _library_name(target.repository) == self.repository.library_name
        ]

    def places_of(self, digest: str) -> str:
        """Return where a version is on this host: ``current in /srv/a, on disk in /srv/b``."""
        current = [str(item.path) for item in self.targets if item.current == digest]
        other = [
            str(item.path)
            for item in self.targets
            if digest in item.releases and item.current != digest
        ]
        words = [f"current in {', '.join(current)}"] if current else []
        words += [f"on disk in {', '.join(other)}"] if other else []
        return ", ".join(words)

    # Comparing.

    def pair(self, row: VersionRow | None) -> tuple[Reference, Reference] | None:
        """Return the two versions to compare, the older first.

        The last two marked ones; else the selected one with the marked one, with the baseline, with
        what is current in this repository's target, or with the version before; None without a
        second.
        """
        if len(self.marks) > 1:
            first, second = sorted(self.marks[-2:], key=_age)
            return first.reference, second.reference
        if row is None:
            return None
        here = self.marked(row)
        others = [*self.marks, self.baseline, self._live()]
        for other in others:
            if other is not None and other.digest != row.digest:
                first, second = sorted((other, here), key=_age)
                return first.reference, second.reference
        older = self.older(row)
        return (older.reference, row.reference) if older is not None else None

    def remark(self, digest: str) -> str:
        """Return what is known of a version beside what it holds: ``production · current here``."""
        row = self.row(digest)
        words = list(row.badges) if row is not None else []
        if self.baseline is not None and self.baseline.digest == digest:
            words.append("baseline")
        if any(item.current == digest for item in self.targets):
            words.append("current here")
        elif any(digest in item.releases for item in self.targets):
            words.append("on disk")
        return " · ".join(words)

    def before(self, digests: tuple[str, str], count: int) -> tuple[Reference, ...]:
        """Return the newer of two versions and those before it, newest first.

        Empty where no list has one of them.
        """
        for listing in (self.listing, *self.lists.values()):
            rows = listing.rows if listing is not None else ()
            first = next((n for n, row in enumerate(rows) if row.digest in digests), None)
            if first is not None:
                return tuple(row.reference for row in rows[first : first + count])
        return ()

    def _live(self) -> Marked | None:
        for target in self.targets_here():
            row = self.row(target.current)
            if row is not None:
                return self.marked(row)
        return None


def _age(mark: Marked) -> tuple[float, int]:
    """Return what sorts marks from old to new: when they were made, else their place in a list."""
    moment = mark.created or datetime.fromtimestamp(0, UTC)
    return moment.timestamp(), -mark.position


def _library_name(repository: str) -> str | None:
    try:
        return Reference.parse(repository).library_name
    except UsageError:
        return None


def repository_of(reference: Reference) -> Reference:
    """Return the repository of a version's reference."""
    return replace(reference, tag=None, digest=None)


def is_place(reference: Reference) -> bool:
    """Whether a reference names a whole registry or layout, not a repository in it."""
    return reference.place is not Place.LIBRARY and not reference.repository


def is_near(reference: Reference) -> bool:
    """Whether a repository is on this disk, so that reading it costs nothing."""
    return reference.place is not Place.REGISTRY

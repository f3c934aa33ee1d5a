"""The rows of a repository while it is read: one per tag at first, one per digest in the end.

Pure: it is told what tags name and what versions say. Each change costs as much as the row, not as
the list; only ``rows`` costs as much as the list.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from rolldeck.actions.version_facts import RowFacts
from rolldeck.actions.version_list import VersionRow
from rolldeck.facts import is_moving_tag
from rolldeck.oci import Digest, Reference

_NOTHING = RowFacts()


class Board:
    """Rows in the order of their tags; where several tags name a digest, the first has the row."""

    def __init__(
        self,
        repository: Reference,
        tags: Sequence[str],
        held: Collection[Digest] = (),
        facts: Mapping[Digest, RowFacts] | None = None,
    ) -> None:
        """``tags`` stand newest first, moving words last.

        ``held`` is what is in the library, ``facts`` what is known already of any version.
        """
        self.tags = tags
        self.facts = dict(facts or {})
        """What versions say of themselves, as far as it was told."""
        self._repository = repository
        self._held = held
        self._place = {tag: place for place, tag in enumerate(tags)}
        self._rows: list[VersionRow | str | None] = list(tags)
        """At a tag's place its row, the tag itself while nobody looked, None where it has none."""
        self._digests: dict[str, Digest] = {}
        self._places: dict[Digest, list[int]] = {}
        self._remembered: set[str] = set()

    # What is known.

    def rows(self) -> list[VersionRow]:
        """Return the rows in the order of their tags."""
        for place, row in enumerate(self._rows):
            if isinstance(row, str):
                self._rows[place] = self._row((row,), None)
        return [row for row in self._rows if isinstance(row, VersionRow)]

    def digest(self, tag: str) -> Digest | None:
        """Return what a tag names, None where that is not known."""
        return self._digests.get(tag)

    def digests(self) -> dict[str, Digest]:
        """Return what tags name, as far as that is known."""
        return dict(self._digests)

    # What is told.

    def remember(self, tag: str, digest: Digest) -> None:
        """Take what a tag named when it was last seen."""
        if tag in self._place:
            self._remembered.add(tag)
            self._attach(tag, digest)

    def name(self, tag: str, digest: Digest) -> None:
        """Take what a tag names now."""
        self._remembered.discard(tag)
        if self._digests.get(tag) == digest:
            self._draw(digest)
            return
        self._detach(tag)
        self._attach(tag, digest)

    def drop(self, tag: str) -> None:
        """Take away a tag that is there no more."""
        self._detach(tag)
        self._rows[self._place[tag]] = None

    def fail(self, tag: str, problem: str) -> None:
        """Take why a tag could not be looked up."""
        self._remembered.discard(tag)
        self._detach(tag)
        self._rows[self._place[tag]] = self._row(
            (tag,), None, RowFacts(loaded=True, problem=problem)
        )

    def describe(self, digest: Digest, facts: RowFacts) -> None:
        """Take what a version says of itself."""
        self.facts[digest] = facts
        self._draw(digest)

    # Rows.

    def _attach(self, tag: str, digest: Digest) -> None:
        self._digests[tag] = digest
        insort(self._places.setdefault(digest, []), self._place[tag])
        self._draw(digest)

    def _detach(self, tag: str) -> None:
        digest = self._digests.pop(tag, None)
        if digest is None:
            return
        places = self._places[digest]
        places.remove(self._place[tag])
        if places:
            self._draw(digest)
        else:
            del self._places[digest]

    def _draw(self, digest: Digest) -> None:
        """Put the row of a digest at its first tag, and none at the others."""
        places = self._places.get(digest)
        if not places:
            return
        for place in places[1:]:
            self._rows[place] = None
        tags = tuple(self.tags[place] for place in places)
        self._rows[places[0]] = self._row(tags, digest, self.facts.get(digest))

    def _row(
        self, tags: tuple[str, ...], digest: Digest | None, facts: RowFacts | None = None
    ) -> VersionRow:
        facts = facts or _NOTHING
        return VersionRow(
            replace(self._repository, tag=tags[0], digest=digest),
            tags[0],
            _badges(tags),
            tags,
            digest,
            facts.kind,
            facts.size,
            facts.created,
            facts.name,
            facts.version,
            digest in self._held,
            facts.metrics,
            facts.loaded,
            digest is not None and not self._remembered.isdisjoint(tags),
            facts.problem,
        )


def _badges(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Return the other tags of a row, the moving words first."""
    rest = tags[1:]
    if not rest:
        return ()
    moving = [tag for tag in rest if is_moving_tag(tag)]
    return (*moving, *(tag for tag in rest if tag not in moving))

"""What is read next of a repository: rows on the screen, then other tags, then their configs."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from rolldeck.actions.version_board import Board
from rolldeck.actions.version_facts import RowFacts
from rolldeck.facts import is_moving_tag
from rolldeck.oci import Descriptor, Digest, Manifest, parse_manifest

FIRST = 30
"""Rows wanted first where nobody says what is looked at: about one screen."""


@dataclass(frozen=True, slots=True)
class Unfilled:
    """A version whose config was not read yet.

    It holds the manifest's bytes, since a parsed manifest takes ten times the memory; ``digest``
    is the manifest's, ``facts`` are what it told.
    """

    digest: Digest
    raw: bytes
    media_type: str
    config: Descriptor
    facts: RowFacts

    def manifest(self) -> Manifest:
        """Parse the manifest again."""
        manifest = parse_manifest(self.raw, self.media_type, reference=self.digest)
        return replace(manifest, digest=self.digest)


class Queue:
    """Tags to ask for and configs to read, in an order that follows what is looked at."""

    def __init__(self, limit: int | None) -> None:
        """``limit`` is how many of the newest versions are wanted, None for all."""
        self.unread = 0
        """How many tags are not asked for, since nobody wants them."""
        self._limit = limit
        self._wanted: Collection[str] = ()
        self._looked_at: Sequence[str] | None = None
        self._tags: deque[str] = deque()
        self._to_ask: set[str] = set()
        self._configs: deque[Digest] = deque()
        self._to_fill: dict[Digest, list[Unfilled]] = {}
        self._filling: dict[Digest, list[Unfilled]] = {}
        self._config_of: dict[Digest, Digest] = {}
        self._stopped = False

    # What is wanted.

    def choose(self, tags: Sequence[str]) -> None:
        """Choose the newest of these tags, and the moving words, which may name one of them."""
        if self._limit is None:
            self._wanted = frozenset(tags)
        else:
            self._wanted = {*tags[: self._limit], *_moving(tags)[: self._limit]}
        self.unread = len(tags) - len(self._wanted)

    def wants(self, tag: str) -> bool:
        """Whether a tag was chosen."""
        return tag in self._wanted

    def ask(self, tags: Sequence[str]) -> None:
        """Take the tags to ask for: a screen of them, then moving words, then the rest."""
        wanted = [tag for tag in tags if tag in self._wanted]
        self._tags = deque(dict.fromkeys([*wanted[:FIRST], *_moving(wanted)[:FIRST], *wanted]))
        self._to_ask = set(self._tags)

    def widen(self, board: Board) -> bool:
        """Choose more tags where several of those chosen name one version; False if done."""
        if self._limit is None or not self.unread:
            return False
        have = [row for row in board.rows() if row.label in self._wanted]
        missing = self._limit - sum(not is_moving_tag(row.label) for row in have)
        others = [tag for tag in board.tags if tag not in self._wanted and not is_moving_tag(tag)]
        more = others[: max(missing, 0)]
        self._wanted = {*self._wanted, *more}
        self.unread -= len(more)
        self._tags.extend(more)
        self._to_ask.update(more)
        return bool(more)

    def look_at(self, labels: Sequence[str] | None) -> None:
        """Take what someone looks at, None where nobody says."""
        self._looked_at = labels

    def fill(self, version: Unfilled) -> None:
        """Take a version whose config is to be read; versions that share one are read at once."""
        if self._stopped:
            return
        config = version.config.digest
        self._config_of[version.digest] = config
        if config in self._filling:
            self._filling[config].append(version)
            return
        if config not in self._to_fill:
            self._to_fill[config] = []
            self._configs.append(config)
        self._to_fill[config].append(version)

    def filled(self, config: Digest) -> None:
        """Take that no version joins those any more whose config was read."""
        self._filling.pop(config, None)

    def _take(self, config: Digest) -> list[Unfilled]:
        self._filling[config] = self._to_fill.pop(config)
        return self._filling[config]

    # What is next.

    def next(self, board: Board, unrecalled: Collection[Digest]) -> str | list[Unfilled] | None:
        """Take the next tag, or the versions that share the next config, None where all is taken.

        A tag whose last known version the cache was not asked for yet (``unrecalled``) waits. The
        versions that share a config may become more until ``filled``.
        """
        if self._stopped:
            return None
        looked_at = board.tags[:FIRST] if self._looked_at is None else self._looked_at
        for tag in looked_at:
            if tag in self._to_ask and board.digest(tag) not in unrecalled:
                self._to_ask.remove(tag)
                return tag
            config = self._config_of.get(board.digest(tag) or Digest(""))
            if config in self._to_fill:
                return self._take(config)
        while self._tags and self._tags[0] not in self._to_ask:
            self._tags.popleft()
        if self._tags:
            if board.digest(self._tags[0]) in unrecalled:
                return None
            self._to_ask.remove(self._tags[0])
            return self._tags.popleft()
        while self._configs:
            config = self._configs.popleft()
            if config in self._to_fill:
                return self._take(config)
        return None

    # What will not be read.

    def stop(self) -> None:
        """Give nothing out any more."""
        self._stopped = True

    def tags_left(self) -> Iterator[str]:
        """Yield the tags that were not taken."""
        return (tag for tag in self._tags if tag in self._to_ask)

    def versions_left(self) -> Iterator[Unfilled]:
        """Yield the versions whose config was not taken."""
        return (version for versions in self._to_fill.values() for version in versions)


def _moving(tags: Sequence[str]) -> list[str]:
    """Return the moving words, which stand last in the order of tags."""
    return list(takewhile(is_moving_tag, reversed(tags)))[::-1]

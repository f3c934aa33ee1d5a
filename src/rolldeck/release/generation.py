"""Generations: the numbered moves of a local target, and what they mean for going back.

A journal line says where ``current`` was and where it went. A move that a crash cut short leaves a
line whose successor starts from the same place; such a line took no effect and is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal, cast

from rolldeck.errors import IntegrityError
from rolldeck.oci import Digest, parse_digest

MoveVerb = Literal["pin", "rollback", "undo", "follow", "revert"]


@dataclass(frozen=True, slots=True)
class Generation:
    """One move of ``current``: ``from_digest`` is None for the first pin of a target.

    ``undoes`` is the number of the generation that an undo takes back. ``time`` is RFC 3339 UTC.
    ``chain`` are the kits that the model of ``to_digest`` came from, nearest first.
    """

    number: int
    verb: MoveVerb
    from_digest: Digest | None
    to_digest: Digest | None
    reference: str
    actor: str
    time: str
    reason: str | None = None
    undoes: int | None = None
    chain: tuple[Digest, ...] = ()

    def to_line(self) -> bytes:
        """Return the journal line."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False).encode()


def parse_line(line: bytes, place: str) -> Generation | None:
    """Parse a journal line; None for one that a crash cut short, IntegrityError for a false one."""
    try:
        item = json.loads(line)
    except ValueError:
        return None
    try:
        return Generation(
            number=int(item["number"]),
            verb=cast(MoveVerb, item["verb"]),
            from_digest=parse_digest(item["from_digest"]) if item["from_digest"] else None,
            to_digest=parse_digest(item["to_digest"]) if item["to_digest"] else None,
            reference=str(item["reference"]),
            actor=str(item["actor"]),
            time=str(item["time"]),
            reason=item.get("reason"),
            undoes=item.get("undoes"),
            chain=tuple(parse_digest(digest) for digest in item.get("chain", ())),
        )
    except (KeyError, TypeError, ValueError):
        raise IntegrityError(f"A line of {place} is no generation", reference=place) from None


def effective(generations: Sequence[Generation], current: Digest | None) -> tuple[Generation, ...]:
    """Return the moves that took place, given where ``current`` points now."""
    moved = []
    for index, generation in enumerate(generations):
        is_last = index + 1 == len(generations)
        after = current if is_last else generations[index + 1].from_digest
        cut_short = after == generation.from_digest != generation.to_digest
        if not cut_short:
            moved.append(generation)
    return tuple(moved)


def trail(moves: Sequence[Generation]) -> tuple[Digest, ...]:
    """Return the way back: versions that were current, oldest first, the present one last.

    A pin goes one step on, a rollback returns to an earlier step, and so do a revert and the
    follower of a channel that was rolled back; an undo restores the way as it was before the move
    that it takes back.
    """
    states: dict[int, tuple[Digest, ...]] = {}
    way: tuple[Digest, ...] = ()
    for move in moves:
        before = way
        if move.verb == "undo" and move.undoes is not None:
            way = states.get(move.undoes, ())
        elif move.to_digest is not None:
            if move.verb in ("rollback", "follow", "revert") and move.to_digest in way:
                last = len(way) - 1 - way[::-1].index(move.to_digest)
                way = way[: last + 1]
            elif not way or way[-1] != move.to_digest:
                way = (*way, move.to_digest)
        states[move.number] = before
    return way

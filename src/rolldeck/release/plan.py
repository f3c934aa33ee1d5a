"""Plans: what a move will change and what was checked, shown before anything changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rolldeck.oci import Digest
from rolldeck.release.generation import MoveVerb


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: ``ok`` is None where it could not be known."""

    check: str
    ok: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One move of a local target, ready to be shown and then carried out as it stands.

    ``to_digest`` is None only for undoing a first pin. ``bytes_to_move`` counts what must still
    be fetched or unpacked. ``undoes`` is the generation that an undo takes back. ``removes`` are
    older releases that go after the move. ``follows`` is the channel that a follow goes by, which
    the target ``begins`` to follow or must be following still. ``queues`` is the channel that goes
    back, too, as soon as its registry answers. ``chain`` are the kits that the
    model of ``to_digest`` comes from, nearest first.
    """

    verb: MoveVerb
    target: Path
    from_digest: Digest | None
    from_label: str | None
    to_digest: Digest | None
    to_label: str
    reference: str
    checks: tuple[Check, ...]
    bytes_to_move: int
    summary: str | None = None
    undoes: int | None = None
    removes: tuple[Digest, ...] = ()
    follows: str | None = None
    begins: bool = False
    queues: str | None = None
    chain: tuple[Digest, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return all(check.ok is not False for check in self.checks)

"""Which way of a metric somebody says is good: what the next press sets, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from rolldeck import actions
from rolldeck.compare import Directions, Version
from rolldeck.errors import RolldeckError
from rolldeck.oci import Reference
from rolldeck.tui.failures import told

_WORDS = {True: "higher is better", False: "lower is better", None: "neither way is good"}


def next_choice(own: Mapping[str, bool | None], metric: str) -> tuple[bool | None, bool]:
    """Return what ``b`` sets next, and whether it forgets: higher, lower, neither, forgotten."""
    if metric not in own:
        return True, False
    following: dict[bool | None, tuple[bool | None, bool]] = {
        True: (False, False),
        False: (None, False),
        None: (None, True),
    }
    return following[own[metric]]


def directed(directions: Directions, metric: str) -> Directions:
    """Return the directions with the next choice for a metric."""
    own = dict(directions.own)
    choice, forget = next_choice(own, metric)
    own.pop(metric, None)
    if not forget:
        own[metric] = choice
    return replace(directions, own=own)


def direction_words(directions: Directions, metric: str) -> str:
    """Return what holds for a metric, in words."""
    if metric not in directions.own:
        return "as declared, configured or known by its name"
    return _WORDS[directions.own[metric]]


def remember_direction(directions: Directions, metric: str, sides: Iterable[Version]) -> str | None:
    """Keep what was chosen for the repositories of both sides; returns why it could not be kept."""
    references = []
    for side in sides:
        with suppress(RolldeckError):
            references.append(Reference.parse(side.reference))
    own = directions.own
    try:
        actions.remember_direction(
            tuple(references), metric, own.get(metric), forget=metric not in own
        )
    except RolldeckError as error:
        return told(error)
    return None

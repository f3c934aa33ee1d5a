"""Which way of a metric is good, as the user said it: per repository, remembered here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rolldeck import fsops, half_made, locks
from rolldeck.settings import Settings, state_home

if TYPE_CHECKING:
    from pathlib import Path

    from rolldeck.compare import Directions
    from rolldeck.oci import Reference

_WORDS = {"higher": True, "lower": False, "none": None}

Choice = bool | None
"""Whether higher is better; None means neither way."""


def _file() -> Path:
    return state_home() / "directions.json"


def directions(settings: Settings, *references: Reference) -> Directions:
    """Return what the user said of the metrics of some repositories, those named last first.

    A damaged file counts as empty: directions then come from the settings, versions and names.
    """
    from rolldeck.compare import Directions

    own: dict[str, Choice] = {}
    known = _read()
    for reference in references:
        own.update(known.get(_repository(reference), {}))
    configured = {pattern: _WORDS[word] for pattern, word in settings.directions.items()}
    return Directions(own, configured)


def remember_direction(
    references: tuple[Reference, ...], metric: str, choice: Choice, *, forget: bool = False
) -> None:
    """Remember which way of a metric is good in some repositories, or forget what was said.

    Raises StorageError where it cannot be written, BusyError where another process holds the file.
    """
    fsops.make_directories(_file().parent, 0o700)
    half_made.sweep(_file().parent)
    with locks.locked(_file().with_name("directions.lock")):
        known = _read()
        for reference in references:
            own = known.setdefault(_repository(reference), {})
            own.pop(metric, None)
            if not forget:
                own[metric] = choice
        document = {
            name: {key: _word(good) for key, good in own.items()}
            for name, own in known.items()
            if own
        }
        data = json.dumps(document, ensure_ascii=False, indent=1).encode()
        half_made.write_atomic(_file(), data, 0o600)


def _repository(reference: Reference) -> str:
    """Return what a repository goes by; the library's copy of a registry's is the same one."""
    return reference.name.removeprefix("local:")


def _word(choice: Choice) -> str:
    return next(word for word, good in _WORDS.items() if good is choice)


def _read() -> dict[str, dict[str, Choice]]:
    try:
        document = json.loads(_file().read_bytes())
        return {
            str(name): {str(key): _WORDS[word] for key, word in own.items()}
            for name, own in document.items()
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}

"""Environment variables that a file of a version sets; what looks like a secret is not shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rolldeck.facts.document import without_credentials
from rolldeck.facts.model import EnvironmentFact
from rolldeck.text import clean_line

HIDDEN = "(not shown)"

_MOST = 500
_SECRET = re.compile(
    r"token|secret|passw|passphrase|credential|(api|access|private|auth|account)_?key",
    re.IGNORECASE,
)


def variable_facts(
    variables: Iterable[tuple[str, str]], source: str
) -> tuple[EnvironmentFact, ...]:
    """Return one fact per variable, the last value of each."""
    found: dict[str, str] = {}
    for name, value in variables:
        if (shown := clean_line(name, 250).strip()) and (shown in found or len(found) < _MOST):
            hidden = _SECRET.search(shown) is not None and value != ""
            found[shown] = HIDDEN if hidden else clean_line(without_credentials(value), 500)
    return tuple(EnvironmentFact("variable", *pair, source) for pair in found.items())

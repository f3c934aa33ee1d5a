"""Secrets in memory: they can be used, but not shown, logged or compared by accident.

A server may repeat in its answer what it was sent. So every secret that was made is known here, and
``redact`` takes it out of text before anyone sees it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, NoReturn

_SHORTEST = 6
"""Shorter words are not looked for: taking them out would spoil harmless text."""

_known: deque[str] = deque(maxlen=1024)
"""What must not be shown, the newest last."""


class Secret:
    """A password or token whose text form is ``***``; ``reveal`` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        for form in _forms(value):
            if len(form) >= _SHORTEST and form not in _known:
                _known.append(form)

    def reveal(self) -> str:
        """Return the secret, to be put into a request and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __format__(self, specification: str) -> str:
        return "***"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a secret cannot be pickled")


def _forms(value: str) -> Iterator[str]:
    """Yield what a server may repeat: the whole, the password of a pair, the word of a header."""
    # Imported late: every start imports this module, few ever make a secret.
    import base64
    from urllib.parse import quote, quote_plus

    yield value
    for mark in (":", " "):
        rest = value.partition(mark)[2]
        yield rest
        yield quote(rest, safe="")
    if ":" in value:
        yield base64.b64encode(value.encode()).decode("ascii")
    yield quote(value, safe="")
    yield quote_plus(value)


def redact(text: str) -> str:
    """Return ``text`` with ``***`` for every secret in it that was ever made a ``Secret``."""
    for form in sorted(_known, key=len, reverse=True):
        if form in text:
            text = text.replace(form, "***")
    return text

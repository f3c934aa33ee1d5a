"""Secrets in memory: they can be used, but not shown, logged or compared by accident."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn


class Secret:
    """A password or token whose text form is ``***``; ``reveal`` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret, to be put into a request and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __format__(self, specification: str) -> str:
        return "***"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a secret cannot be pickled")


@dataclass(frozen=True, slots=True)
class Credential:
    """A login: Basic user and password, an identity (refresh) token, or both.

    ``user`` may be shown; ``basic`` is ``user:password``; ``source`` names the file or helper
    program that the login came from.
    """

    user: str
    basic: Secret | None
    identity: Secret | None
    source: str

    def authorization(self) -> str | None:
        """Return the Basic ``Authorization`` header (RFC 7617, UTF-8), None without a password."""
        if self.basic is None:
            return None
        return "Basic " + base64.b64encode(self.basic.reveal().encode()).decode("ascii")


CredentialSource = Callable[[str], Credential | None]
"""Finds the login for ``host[:port]``, None where there is none. Blocks."""


def no_credentials(host: str) -> None:
    """A source without any login."""
    return None

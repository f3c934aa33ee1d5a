"""Logins: what is sent to a registry or its token server, and where it came from."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from rolldeck.secret import Secret

__all__ = ["Credential", "CredentialSource", "Secret", "UnusableLogin", "no_credentials"]


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
"""Finds the login for a place, ``host[:port][/repository]``, None where there is none.

Blocks. Raises UnusableLogin where one should be, and cannot be had.
"""


class UnusableLogin(Exception):
    """A login should be there but cannot be had; its text says why, for a hint."""


def no_credentials(place: str) -> None:
    """A source without any login."""
    return None

"""Where the login for a registry comes from, and whether its helper program works.

Blocks; meant for a thread. Secrets stay where they are: only sources and user names are told.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rolldeck.errors import UsageError
from rolldeck.oci.credentials import CredentialFiles, exposed_files
from rolldeck.oci.secret import UnusableLogin


@dataclass(frozen=True, slots=True)
class LoginSource:
    """A login found, or why there is none.

    ``source`` is a file or a helper program, ``user`` is empty for an identity token, ``problem``
    is what keeps a login from being used. ``exposed`` are credentials files that others on this
    machine can read.
    """

    source: str | None = None
    user: str = ""
    problem: str | None = None
    exposed: tuple[Path, ...] = ()


def find_login(host: str) -> LoginSource:
    """Look for the login of ``host[:port]`` as a request would."""
    exposed = exposed_files()
    try:
        found = CredentialFiles()(host)
    except (UsageError, UnusableLogin) as error:
        return LoginSource(problem=str(error), exposed=exposed)
    if found is None:
        return LoginSource(exposed=exposed)
    return LoginSource(found.source, found.user, exposed=exposed)

"""Where the login for a registry comes from, and whether its helper program works.

Blocks; meant for a thread. Secrets stay where they are: only sources and user names are told.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rolldeck.errors import UsageError
from rolldeck.oci.address import canonical_host
from rolldeck.oci.credential_helper import HelperFailed, ask_helper, check_helper_name
from rolldeck.oci.credentials import CredentialFiles, credential_files
from rolldeck.text import clean_line


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
    files = credential_files()
    exposed = tuple(path for path in files if _is_exposed(path))
    try:
        for path in files:
            if problem := _helper_problem(path, host):
                return LoginSource(problem=problem, exposed=exposed)
        found = CredentialFiles(files)(host)
    except UsageError as error:
        return LoginSource(problem=error.message, exposed=exposed)
    if found is None:
        return LoginSource(exposed=exposed)
    return LoginSource(found.source, found.user, exposed=exposed)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _helper_problem(path: Path, host: str) -> str | None:
    """Return why the helper that a file names for a host, or for all, gives no answer."""
    document = _read(path)
    helpers = document.get("credHelpers")
    named = next(
        (
            program
            for key, program in (helpers if isinstance(helpers, dict) else {}).items()
            if canonical_host(key) == canonical_host(host)
        ),
        document.get("credsStore"),
    )
    if not named:
        return None
    check_helper_name(named, str(path))
    try:
        ask_helper(named, host)
    except HelperFailed as failure:
        return f"docker-credential-{named}, named in {path}, fails: {clean_line(str(failure), 120)}"
    return None


def _is_exposed(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o077 and _read(path).get("auths"))
    except OSError:
        return False

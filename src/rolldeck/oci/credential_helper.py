"""Running Docker's credential helper programs (``docker-credential-<name> get``).

A config file chooses the program, so its name is checked before anything runs; there is no shell,
a time limit, a limit to its output, and its own messages are never shown.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import threading
from typing import IO, Any

from rolldeck.errors import UsageError
from rolldeck.text import clean_line

_NAME = re.compile(r"[a-z0-9._-]+")
_SERVER = re.compile(r"[A-Za-z0-9._:/\[\]-]+")
_TIME_LIMIT = 30.0
_OUTPUT_LIMIT = 1024 * 1024


class HelperFailed(Exception):
    """The program is missing, failed, was too slow, or answered something else."""


def check_helper_name(name: Any, source: str) -> None:
    """Raise UsageError unless ``name``, found in the file ``source``, can be a helper's name."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(
            f"Not the name of a credential helper: {clean_line(str(name), 80)!r} in {source}",
            reference=source,
            hint="credsStore and credHelpers hold names of lower case letters, digits and . _ -",
        )


def ask_helper(name: str, server: str, time_limit: float = _TIME_LIMIT) -> tuple[str, str] | None:
    """Ask a helper, whose name was checked, for the login of ``server``.

    Returns user and secret, or None where the helper has none. Raises HelperFailed.
    """
    if not _SERVER.fullmatch(server):
        raise HelperFailed("not a server")
    try:
        process = subprocess.Popen(
            [f"docker-credential-{name}", "get"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise HelperFailed(error.strerror) from None
    with process:
        output = _converse(process, server, time_limit)
    if process.returncode != 0:
        if b"credentials not found" in output:
            return None
        raise HelperFailed(f"exit status {process.returncode}")
    try:
        answer = json.loads(output)
        user, secret = answer["Username"], answer["Secret"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise HelperFailed("no login in its answer") from None
    if not isinstance(user, str) or not isinstance(secret, str):
        raise HelperFailed("no login in its answer")
    return user, secret


def _converse(process: subprocess.Popen[bytes], server: str, time_limit: float) -> bytes:
    watch = threading.Timer(time_limit, process.kill)
    watch.daemon = True
    watch.start()
    try:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None
        _say(stdin, server)
        output: bytes = stdout.read(_OUTPUT_LIMIT + 1)
        if len(output) > _OUTPUT_LIMIT:
            raise HelperFailed("too much output")
        process.wait()
        return output
    finally:
        watch.cancel()
        process.kill()


def _say(stdin: IO[bytes], server: str) -> None:
    # A helper that ends without reading its input is judged by its answer, not by this.
    with contextlib.suppress(BrokenPipeError):
        stdin.write(server.encode("ascii"))
    with contextlib.suppress(BrokenPipeError):
        stdin.close()

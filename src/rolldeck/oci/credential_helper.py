"""Running Docker's credential helper programs (``docker-credential-<name> get|store|erase``).

A config file chooses the program, so its name is checked before anything runs; there is no shell,
a time limit, a limit to its output, and its own messages are never shown.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import threading
from typing import IO, Any

from rolldeck.errors import UsageError
from rolldeck.secret import Secret
from rolldeck.text import clean_line

_NAME = re.compile(r"[a-z0-9._-]+")
_SERVER = re.compile(r"[A-Za-z0-9._:/\[\]-]+")
_TIME_LIMIT = 30.0
_OUTPUT_LIMIT = 1024 * 1024


class HelperFailed(Exception):
    """The program is missing, failed, was too slow, or answered something else: its text says."""


def check_helper_name(name: Any, source: str) -> str:
    """Return ``name``, found in the file ``source``, if it can be a helper's; else UsageError."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(
            f"Not the name of a credential helper: {clean_line(str(name), 80)!r} in {source}",
            reference=source,
            hint="credsStore and credHelpers hold names of lower case letters, digits and . _ -",
        )
    return name


def ask_helper(name: str, server: str, time_limit: float = _TIME_LIMIT) -> tuple[str, str] | None:
    """Ask a helper, whose name was checked, for the login of ``server``.

    Returns user and secret, or None where the helper has none. Raises HelperFailed.
    """
    if not _SERVER.fullmatch(server):
        raise HelperFailed("not a server")
    output = _run(name, "get", server.encode("ascii"), time_limit)
    if output is None:
        return None
    try:
        answer = json.loads(output)
        user, secret = answer["Username"], answer["Secret"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise HelperFailed("no login in its answer") from None
    if not isinstance(user, str) or not isinstance(secret, str):
        raise HelperFailed("no login in its answer")
    return user, secret


def tell_helper(name: str, server: str, user: str, secret: Secret) -> None:
    """Have a helper, whose name was checked, keep a login for ``server``; raises HelperFailed."""
    login = {"ServerURL": server, "Username": user, "Secret": secret.reveal()}
    if not _SERVER.fullmatch(server) or _run(name, "store", json.dumps(login).encode()) is None:
        raise HelperFailed("it does not keep it")


def clear_helper(name: str, server: str, *, dry_run: bool = False) -> bool:
    """Have a helper forget the login for ``server``; False where it had none.

    A dry run only asks for it. Raises HelperFailed.
    """
    if ask_helper(name, server) is None:
        return False
    return dry_run or _run(name, "erase", server.encode("ascii")) is not None


def _run(name: str, action: str, words: bytes, time_limit: float = _TIME_LIMIT) -> bytes | None:
    """Return what a helper prints; None where it says that it has no such login."""
    try:
        process = subprocess.Popen(
            [f"docker-credential-{name}", action],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise HelperFailed("it is not installed") from None
    except OSError as error:
        raise HelperFailed(error.strerror) from None
    with process:
        output = _converse(process, words, time_limit)
    if process.returncode == -signal.SIGKILL:
        raise HelperFailed(f"no answer in {time_limit:g} s")
    if process.returncode != 0:
        if b"credentials not found" in output:
            return None
        raise HelperFailed(f"exit status {process.returncode}")
    return output


def _converse(process: subprocess.Popen[bytes], words: bytes, time_limit: float) -> bytes:
    watch = threading.Timer(time_limit, process.kill)
    watch.daemon = True
    watch.start()
    try:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None
        _say(stdin, words)
        output: bytes = stdout.read(_OUTPUT_LIMIT + 1)
        if len(output) > _OUTPUT_LIMIT:
            raise HelperFailed("too much output")
        process.wait()
        return output
    finally:
        watch.cancel()
        process.kill()


def _say(stdin: IO[bytes], words: bytes) -> None:
    # A helper that ends without reading its input is judged by its answer, not by this.
    with contextlib.suppress(BrokenPipeError):
        stdin.write(words)
    with contextlib.suppress(BrokenPipeError):
        stdin.close()

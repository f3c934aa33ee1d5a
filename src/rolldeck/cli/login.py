"""The verbs login and logout, and the question whether a token server may get a login."""

from __future__ import annotations

import argparse
import getpass
import sys

from rolldeck.actions import Workspace, log_in, log_out, trust_token_host
from rolldeck.cli.documents import print_document
from rolldeck.cli.terminal import ask, can_ask, message
from rolldeck.cli.upkeep_documents import logged_in_document, logged_out_document
from rolldeck.errors import UntrustedRealmError, UsageError
from rolldeck.progress import Progress
from rolldeck.secret import Secret
from rolldeck.text import clean_line

_LONGEST = 64 * 1024
"""Most bytes of a password read: identity tokens are long."""


def read_login(arguments: argparse.Namespace) -> None:
    """Ask for what the command line does not say; the password is never an argument.

    Called before the event loop runs, so that Ctrl-C ends a question. Raises UsageError.
    """
    if arguments.password_stdin:
        if arguments.user is None:
            raise UsageError(
                "--password-stdin needs a user name", hint="Add -u USER; <token> for a token."
            )
        try:
            text = sys.stdin.buffer.read(_LONGEST).decode()
        except UnicodeDecodeError:
            raise UsageError("The password on stdin is not UTF-8") from None
        arguments.secret = Secret(text.removesuffix("\n").removesuffix("\r"))
        return
    if not can_ask():
        raise UsageError(
            "There is no terminal to ask for the password on",
            hint="Pipe it in: rolldeck login REGISTRY -u USER --password-stdin < FILE",
        )
    where = clean_line(arguments.registry, 200)
    if arguments.user is None:
        sys.stderr.write(f"User name for {where}: ")
        sys.stderr.flush()
        arguments.user = sys.stdin.readline(_LONGEST).strip()
    who = clean_line(arguments.user, 200)
    arguments.secret = Secret(getpass.getpass(f"Password or token of {who} for {where}: "))


async def run_login(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Try a login and save it."""
    done = await log_in(
        workspace,
        arguments.registry,
        arguments.user,
        arguments.secret,
        token_hosts=arguments.trust_token_host,
        dry_run=arguments.dry_run,
    )
    if arguments.json:
        print_document(logged_in_document(done))
        return 0
    where = clean_line(done.saved_in)
    who = clean_line(done.user) or "the holder of a token"
    if not done.checked:
        message(f"{done.registry} wants no login for its API: this one could not be checked.")
    if not done.applied:
        message(f"Dry run: nothing was saved; it would be in {where}.")
        return 0
    print(f"Logged in to {done.registry} as {who}; saved in {where}")
    if done.helper is None:
        message(
            "It is base64 there, which anyone who reads the file can undo. To have it encrypted,"
            " name a credential helper as credsStore in that file, and log in again."
        )
    return 0


async def run_logout(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Remove a login."""
    done = await log_out(workspace, arguments.registry, dry_run=arguments.dry_run)
    if arguments.json:
        print_document(logged_out_document(done))
        return 0
    verb = "Removed" if done.applied else "Dry run: it would be removed"
    for where in done.removed:
        print(f"{verb} from {clean_line(where)}")
    if not done.removed:
        message(f"There is no login for {done.registry} that rolldeck login saved.")
    if done.remaining:
        message(f"A login for {done.registry} is still in {clean_line(done.remaining)}.")
    return 0


def confirm_token_server(error: UntrustedRealmError) -> bool:
    """Ask, where there is a terminal, whether a token server may get a login; remember a yes."""
    if not can_ask():
        return False
    message(error.message)
    question = (
        f"{error.registry} asks to send your login to {error.token_host}: trust it, from now on?"
    )
    if not ask(question):
        return False
    trust_token_host(error)
    return True

"""The entry point: verbs with their exit codes, or the deck where no verb is given."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from rolldeck import __version__
from rolldeck.cli.verbs import ABOUT_CHANNELS, VERBS, Verb, load_verb
from rolldeck.errors import CancelledError, RolldeckError, UntrustedRealmError, UsageError

if TYPE_CHECKING:
    import argparse

    from rolldeck.actions import Workspace
    from rolldeck.progress import Progress
    from rolldeck.settings import Settings

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_BUG = 70
_PIPE_CLOSED = 128 + signal.SIGPIPE


def main(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit code; never lets a traceback out."""
    words = sys.argv[1:] if arguments is None else arguments
    _replace_closed_streams()
    # What is imported stays; collecting garbage meanwhile costs a fifth of the start.
    gc.disable()
    try:
        return _run(words)
    except RolldeckError as error:
        _report(error, as_json="--json" in words)
        return error.code
    except BrokenPipeError:
        # Python would complain once more while it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except OSError as error:
        from rolldeck.fsops import storage_error

        found = storage_error(error)
        _report(found, as_json="--json" in words)
        return found.code
    except Exception as error:
        return _crash(error)
    finally:
        gc.enable()
        # The interpreter would look through all of it once more before it ends.
        gc.freeze()


def run() -> NoReturn:
    """Be the program: ``main``, and out.

    The interpreter is not taken apart before, which is a twentieth of a rollback's time.
    """
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _replace_closed_streams() -> None:
    """Put the null device where a caller closed a standard stream.

    Else the next file that is opened would get its number, and with it what is printed.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8"))


def _run(words: list[str]) -> int:
    if words == ["--version"]:
        print(f"rolldeck {__version__}")
        return 0
    if words[:1] == ["__complete"]:
        return _complete(" ".join(words[1:]))
    # Imported after --version: the parsers and everything below cost what a version need not pay.
    from rolldeck.cli.arguments import deck_parser, verb_parser

    known = tuple(name for name in VERBS if name != "files")
    first = words[0] if words else None
    if first not in known:
        # Help is that of the verb, also behind options: so it is not asked for yet.
        rest = [word for word in words if word not in ("-h", "--help")]
        first = deck_parser().parse_known_args(rest)[0].reference
    if first in known:
        parsed = verb_parser(first).parse_args(words)
        return _open_triage(parsed) if _wants_deck(parsed) else _run_verb(parsed)
    if first is not None and "/" not in first and ":" not in first:
        _reject_misspelt_verb(first, known)
    return _open_deck(deck_parser().parse_args(words))


def _complete(line: str) -> int:
    """Answer a shell that asks what may follow; silent where something is wrong."""
    from rolldeck.cli.completion import complete

    with contextlib.suppress(RolldeckError, OSError, ValueError):
        sys.stdout.write(complete(line).text)
    return 0


def _reject_misspelt_verb(word: str, verbs: tuple[str, ...]) -> None:
    import difflib

    close = difflib.get_close_matches(word, verbs, n=1, cutoff=0.7)
    if close:
        raise UsageError(f"No such verb: {word}", hint=f"Did you mean: rolldeck {close[0]}")


def _settings(parsed: argparse.Namespace) -> Settings:
    from rolldeck.oci import Place, Reference
    from rolldeck.settings import RegistrySettings, load_settings

    settings = load_settings(parsed.settings)
    changes: dict[str, Any] = {}
    library = parsed.library or os.environ.get("ROLLDECK_LIBRARY")
    if library:
        changes["library"] = Path(library).expanduser().absolute()
    concurrency = getattr(parsed, "concurrency", None)
    if concurrency is not None:
        if not 1 <= concurrency <= 64:
            raise UsageError("--concurrency must be between 1 and 64")
        changes["concurrency"] = concurrency
    if getattr(parsed, "plain_http", False):
        names = ("reference", "place", "a", "b", "channel", "target", "baseline")
        named = [str(word) for name in names if (word := getattr(parsed, name, None))]
        if registry := getattr(parsed, "registry", None):
            named.append(f"{registry}/")
        if name := getattr(parsed, "name", None):
            named.append(name.partition(",")[0])
        for name in ("references", "destinations", "what"):
            words = getattr(parsed, name, None) or []
            named += [words] if isinstance(words, str) else words
        registries = dict(settings.registries)
        for text in filter(None, named):
            with contextlib.suppress(UsageError):
                reference = Reference.parse(text)
                if reference.place is Place.REGISTRY:
                    known = registries.get(reference.root, RegistrySettings())
                    registries[reference.root] = replace(known, plain_http=True)
        changes["registries"] = registries
    return replace(settings, **changes)


def _run_verb(parsed: argparse.Namespace) -> int:
    # Imported here, like all that is large: now that no garbage is collected.
    import asyncio

    verb = load_verb("files" if getattr(parsed, "files", False) else parsed.verb)
    if parsed.verb == "login":
        from rolldeck.cli.login import read_login

        read_login(parsed)
    # A thread that makes many files must not keep those that move bytes waiting for 5 ms each.
    sys.setswitchinterval(0.0002)
    _collect_again()
    asked: set[str] = set()
    while True:
        try:
            return asyncio.run(_guarded(verb, parsed))
        except UntrustedRealmError as error:
            from rolldeck.cli.login import confirm_token_server

            if parsed.json or error.token_host in asked or not confirm_token_server(error):
                raise
            asked.add(error.token_host)


async def _guarded(verb: Verb, parsed: argparse.Namespace) -> int:
    """Run a verb; a signal cancels its work, then decides the exit code."""
    import asyncio

    from rolldeck.actions import Workspace
    from rolldeck.progress import Progress

    workspace = Workspace(_settings(parsed), read_only=bool(parsed.read_only))
    progress = Progress()
    loop = asyncio.get_running_loop()
    received: list[int] = []

    def stop(number: int) -> None:
        received.append(number)
        progress.cancel()
        task.cancel()

    task = asyncio.ensure_future(_run_whole(verb, workspace, parsed, progress))
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except (asyncio.CancelledError, CancelledError):
        if not received:
            raise
        return 128 + received[0]
    finally:
        await workspace.close()
        if workspace.library.warning:
            from rolldeck.cli.terminal import message

            message(f"rolldeck: {workspace.library.warning}")


async def _run_whole(
    verb: Verb, workspace: Workspace, parsed: argparse.Namespace, progress: Progress
) -> int:
    """Run a verb, after what waits in the outbox for the channels that it is about."""
    if parsed.verb in ABOUT_CHANNELS and _something_waits():
        from rolldeck.cli.outbox import publish_waiting

        await publish_waiting(workspace, parsed, progress)
    return await verb(workspace, parsed, progress)


def _something_waits() -> bool:
    """Whether anything is in the outbox; asked of every verb of channels, so without importing."""
    from rolldeck.settings import state_home

    try:
        return any(name.endswith(".json") for name in os.listdir(state_home() / "outbox"))
    except OSError:
        return False


def _collect_again() -> None:
    """Collect garbage again, past what the imports made.

    More is made late, which is why garbage may pile up a little higher than is usual.
    """
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()


def _open_deck(parsed: argparse.Namespace) -> int:
    from rolldeck.cli.terminal import has_terminal

    if not has_terminal():
        # A script that meant a verb gets the plain listing instead.
        from rolldeck.cli.arguments import verb_parser

        words = ["ls", *([parsed.reference] if parsed.reference else [])]
        listing = verb_parser("ls").parse_args(words)
        vars(listing).update(vars(parsed))
        _run_verb(listing)
        raise UsageError(
            "The deck needs a terminal", hint="In scripts use the verbs: rolldeck --help"
        )
    from rolldeck.actions import Workspace
    from rolldeck.oci import Reference
    from rolldeck.tui import run_deck

    if parsed.reference:
        # Told here, since it would be gone with the deck's first message.
        Reference.parse(parsed.reference)
    _collect_again()
    workspace = Workspace(_settings(parsed), read_only=bool(parsed.read_only))
    return run_deck(
        workspace, parsed.reference, read_only=workspace.read_only, mouse=not parsed.no_mouse
    )


def _wants_deck(parsed: argparse.Namespace) -> bool:
    """Whether a verb shows the deck on this terminal, and not text."""
    from rolldeck.cli.terminal import has_terminal

    return parsed.verb == "triage" and not (parsed.json or parsed.plain) and has_terminal()


def _open_triage(parsed: argparse.Namespace) -> int:
    from rolldeck.actions import Workspace
    from rolldeck.moments import parse_moment
    from rolldeck.tui import run_deck

    since = parse_moment(parsed.since, datetime.now(UTC)) if parsed.since else None
    _collect_again()
    workspace = Workspace(_settings(parsed), read_only=bool(parsed.read_only))
    return run_deck(workspace, None, read_only=workspace.read_only, triage=(parsed.place, since))


def _report(error: RolldeckError, *, as_json: bool) -> None:
    try:
        if as_json:
            import json

            from rolldeck.cli.documents import error_document

            print(json.dumps(error_document(error)), file=sys.stderr)
        else:
            from rolldeck.cli.terminal import print_error

            print_error(error)
        sys.stderr.flush()
    except OSError:
        # Nobody can be told; the exit code still says it, unless Python fails to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _crash(error: Exception) -> int:
    """Write the report of a bug and say where in one line; the report holds no local values."""
    import traceback

    from rolldeck.secret import redact
    from rolldeck.settings import state_home

    report = redact("".join(traceback.format_exception(error)))
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    path = state_home() / f"crash-{stamp}-{os.getpid()}.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(f"rolldeck {__version__}\n{report}", encoding="utf-8")
        where = f"the report is in {path}"
    except OSError:
        where = "and the report could not be written"
    print(f"rolldeck: a bug in rolldeck ({type(error).__name__}); {where}", file=sys.stderr)
    return _BUG

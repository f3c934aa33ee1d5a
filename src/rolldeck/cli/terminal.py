"""Human output: results through rich on stdout, messages and progress on stderr."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rolldeck.errors import RolldeckError, UsageError
from rolldeck.progress import Progress
from rolldeck.text import clean_line

if TYPE_CHECKING:
    from rich.console import Console

_PIPE_WIDTH = 200
"""Columns of what is drawn to fit, such as a plot, where the output goes to no terminal."""

_APPEARS = 0.4
"""Seconds before bars appear: what ends sooner neither flickers nor loads what draws them."""

_LOOK = 0.2
"""Seconds between two looks at the events of a progress."""


def has_terminal() -> bool:
    """Whether the deck can be shown: keys come from stdin, the screen is drawn on stderr."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def console() -> Console:
    """Return the console for results; without colours where there is no terminal or NO_COLOR."""
    # Imported late, here and below: verbs that print no table need not pay for it.
    from rich.console import Console

    class PipeAware(Console):
        def on_broken_pipe(self) -> None:
            # rich would exit with 1, which means that two versions differ.
            raise BrokenPipeError

    is_terminal = sys.stdout.isatty()
    width = None if is_terminal else _PIPE_WIDTH
    # A program reads lines: only a terminal gets them wrapped.
    wraps = not is_terminal
    return PipeAware(highlight=False, markup=False, emoji=False, soft_wrap=wraps, width=width)


def message(text: str) -> None:
    """Print one line on stderr."""
    print(clean_line(text), file=sys.stderr)


def print_error(error: RolldeckError) -> None:
    """Print an error as one line: the cause, then what to do next."""
    text = clean_line(error.message.rstrip("."))
    if error.hint:
        text += f". {clean_line(error.hint)}"
    print(f"rolldeck: {text}", file=sys.stderr)


def wrapped(text: str, indent: int = 0) -> list[str]:
    """Return lines for the terminal's width; one, where the output goes to no terminal."""
    cleaned = clean_line(text)
    if not sys.stdout.isatty():
        return [cleaned]
    # Imported here: most commands wrap nothing.
    import shutil
    import textwrap

    width = max(shutil.get_terminal_size().columns, 40) - indent
    return textwrap.wrap(cleaned, width, break_on_hyphens=False, break_long_words=False) or [""]


def _draws_bars() -> bool:
    """Whether bars may be drawn: on a terminal that can, for a person who wants them."""
    plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and sys.stderr.isatty() and not plain


def _show_bars(progress: Progress, title: str, ended: threading.Event) -> None:
    if ended.wait(_APPEARS):
        return
    # Imported late: it takes 50 ms, and the transfer runs already.
    from rolldeck.cli.bars import Bars

    Bars(progress, title).run(ended)


def _print_events(progress: Progress, title: str, ended: threading.Event) -> None:
    printed, last = len(progress.events), ""
    going = True
    while going:
        going = not ended.wait(_LOOK)
        for event in progress.events[printed:]:
            printed += 1
            # Blobs that run side by side wait for the same reason.
            if event != last:
                message(event)
            last = event


@contextmanager
def progress_line(progress: Progress, title: str, *, quiet: bool = False) -> Iterator[None]:
    """Show the progress on stderr while the block runs: bars on a terminal, else its events.

    With ``quiet`` no events are printed: stderr is then for the document of an error alone.
    """
    bars = _draws_bars()
    if quiet and not bars:
        yield
        return
    ended = threading.Event()
    show = _show_bars if bars else _print_events
    thread = threading.Thread(target=show, args=(progress, title, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def counting_line() -> Iterator[Callable[[str], None]]:
    """Yield what shows a text on stderr until the block ends; nothing where that is no terminal."""
    if not sys.stderr.isatty() or "NO_COLOR" in os.environ:
        yield lambda text: None
        return

    def say(text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{clean_line(text)}")
        sys.stderr.flush()

    try:
        yield say
    finally:
        say("")


def confirm(question: str, what: str, *, yes: bool) -> bool:
    """Ask on a terminal; elsewhere raise UsageError unless ``yes`` was given.

    ``what`` says in few words what would happen: ``This moves a tag``.
    """
    if yes:
        return True
    if not can_ask():
        raise UsageError(
            f"{what}, and there is no terminal to ask on",
            hint="Add --yes to do it, or --dry-run to see the plan.",
        )
    return ask(question)


def confirm_typed(question: str, word: str, what: str, *, yes: bool) -> bool:
    """As ``confirm``, where only ``word`` itself is a yes: for what should not go by habit."""
    if yes or not can_ask():
        return confirm(question, what, yes=yes)
    sys.stderr.write(f"{clean_line(question)} Type {clean_line(word)} to do it: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == word


def can_ask() -> bool:
    """Whether there is a terminal to put a question on and to get an answer from."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> bool:
    """Put a question on the terminal; anything but a yes is a no."""
    sys.stderr.write(f"{clean_line(question)} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")

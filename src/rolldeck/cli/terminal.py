"""Human output: tables through rich on stdout, messages and progress on stderr."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rolldeck.errors import RolldeckError, UsageError
from rolldeck.progress import Progress
from rolldeck.text import clean_line
from rolldeck.units import human_size

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_PIPE_WIDTH = 200
"""Columns of output that goes to no terminal: wide enough that no name is cut."""

_REFRESH = 0.2
"""Seconds between two looks at a progress counter."""


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

    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return PipeAware(highlight=False, markup=False, emoji=False, soft_wrap=False, width=width)


def message(text: str) -> None:
    """Print one line on stderr."""
    print(clean_line(text), file=sys.stderr)


def print_error(error: RolldeckError) -> None:
    """Print an error as one line: the cause, then what to do next."""
    text = clean_line(error.message.rstrip("."))
    if error.hint:
        text += f". {clean_line(error.hint)}"
    print(f"rolldeck: {text}", file=sys.stderr)


def table(
    columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str | Text]], indent: int = 0
) -> Table:
    """Return a plain table; a column is (title, "left" or "right"), cells are never markup."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, padding=(0, 2, 0, indent), pad_edge=False, header_style="bold dim")
    for title, justify in columns:
        is_right = justify == "right"
        shown.add_column(
            title, justify="right" if is_right else "left", no_wrap=True, overflow="ellipsis"
        )
    for row in rows:
        shown.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return shown


@contextmanager
def progress_line(progress: Progress, title: str) -> Iterator[None]:
    """Show the progress on stderr while the block runs; nothing where that is no terminal."""
    if not sys.stderr.isatty() or "NO_COLOR" in os.environ:
        yield
        return
    done = threading.Event()

    def draw() -> None:
        while not done.wait(_REFRESH):
            share = f"{progress.done * 100 // progress.total:3d} %" if progress.total else ""
            sizes = f"{human_size(progress.done)} of {human_size(progress.total)}"
            sys.stderr.write(f"\r\x1b[K{clean_line(title)}  {share}  {sizes}")
            sys.stderr.flush()

    thread = threading.Thread(target=draw, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def confirm(question: str, what: str, *, yes: bool) -> bool:
    """Ask on a terminal; elsewhere raise UsageError unless ``yes`` was given.

    ``what`` says in few words what would happen: ``This moves a tag``.
    """
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            f"{what}, and there is no terminal to ask on",
            hint="Add --yes to do it, or --dry-run to see the plan.",
        )
    sys.stderr.write(f"{clean_line(question)} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")

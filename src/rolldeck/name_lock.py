"""A lock for file systems whose locks keep nobody out: a link that only one process can make.

Its target says which process holds it, so the link of a killed one is cleared by the next. Slower
than a real lock and not released by the kernel, so it is only the second choice.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rolldeck import fsops
from rolldeck.errors import BusyError
from rolldeck.process import ProcessId


@contextmanager
def name_lock(path: Path, timeout: float) -> Iterator[None]:
    """Hold ``<path>.held`` for the block; BusyError after ``timeout`` seconds."""
    link = path.with_name(path.name + ".held")
    own = json.dumps(ProcessId.own().to_json(), separators=(",", ":"))
    with fsops.storage(link):
        deadline = time.monotonic() + timeout
        while not fsops.make_link(link, own):
            _clear_dead(link, own)
            if time.monotonic() > deadline:
                raise BusyError(
                    f"Another process is changing {path.parent}",
                    reference=str(path.parent),
                    hint=f"Wait for it to finish. If no rolldeck runs anywhere: rm {link}*",
                )
            time.sleep(0.02)
    try:
        yield
    finally:
        with fsops.storage(link):
            fsops.unlink(link)


def _clear_dead(link: Path, own: str) -> None:
    """Remove the link of a process that ended."""
    target = _target(link)
    if target is None or _runs(target) is not False:
        return
    # Whoever clears holds a name, too: the link cannot be another's by the time it is removed.
    clearing = link.with_name(link.name + ".clearing")
    if not fsops.make_link(clearing, own):
        return
    try:
        if _target(link) == target:
            fsops.unlink(link)
    finally:
        fsops.unlink(clearing)


def _target(link: Path) -> str | None:
    try:
        return os.readlink(link)
    except OSError:
        return None


def _runs(target: str) -> bool | None:
    try:
        return ProcessId.from_json(json.loads(target)).runs()
    except (ValueError, KeyError, TypeError, RecursionError):
        return None

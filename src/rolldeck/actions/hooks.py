"""Hooks of a follower: run after a switch, to make a server load it and to see that it does.

A hook is a command without a shell; it must end with 0 within its deadline. It learns from its
environment what happened: ``ROLLDECK_TARGET``, ``ROLLDECK_DIGEST``, ``ROLLDECK_LABEL``.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from rolldeck.text import clean_line
from rolldeck.units import duration

DEADLINE = 60.0
"""Seconds that a hook may take, unless told otherwise."""
_MOST_TOLD = 300
"""Bytes of what a failed hook wrote on stderr last that are told."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """``reload`` makes a server load what is current, ``check`` tells whether that works."""

    reload: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    deadline: float = DEADLINE

    def __bool__(self) -> bool:
        return bool(self.reload or self.check)

    async def run(self, told: Mapping[str, str]) -> str | None:
        """Run both; returns why one failed, None where all is well."""
        for name, words in (("reload", self.reload), ("check", self.check)):
            if words and (problem := await _run(words, told, self.deadline)):
                return f"{name} failed: {problem}"
        return None


async def _run(words: tuple[str, ...], told: Mapping[str, str], deadline: float) -> str | None:
    # To a file, and not through a pipe: what a server that it starts inherits may stay open.
    with tempfile.TemporaryFile() as errors:
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=errors,
                env={**os.environ, **told},
                start_new_session=True,
            )
        except OSError as error:
            return clean_line(f"{words[0]}: {error.strerror}")
        try:
            async with asyncio.timeout(deadline):
                code = await process.wait()
        except TimeoutError:
            return f"not done after {duration(deadline)}"
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        return None if code == 0 else clean_line(f"exit code {code}{_last_line(errors)}")


def _last_line(errors: IO[bytes]) -> str:
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - _MOST_TOLD))
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return f": {lines[-1]}" if lines else ""

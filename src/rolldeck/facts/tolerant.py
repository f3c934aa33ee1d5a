"""What all readers of files have in common: one that cannot read its file says so in words."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from rolldeck.facts.load import UnreadableFile
from rolldeck.facts.model import Facts
from rolldeck.text import clean_line

Reader = Callable[[str, bytes], Facts]
"""From a file's path, which is the source of every fact, and its bytes."""


def tolerant(reader: Reader) -> Reader:
    """Return a reader that raises no UnreadableFile but tells it as what is missing."""

    @wraps(reader)
    def read(path: str, data: bytes) -> Facts:
        try:
            return reader(path, data)
        except UnreadableFile as error:
            return Facts(missing=(f"{clean_line(path)}: {error}",))

    return read

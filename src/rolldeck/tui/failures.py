"""Whatever went wrong, as one of the errors that a user can read."""

from __future__ import annotations

from rolldeck.errors import RolldeckError
from rolldeck.fsops import storage_error
from rolldeck.text import clean_line


def readable(error: Exception) -> RolldeckError:
    """Return an error that has a message and, where there is one, what to do next."""
    if isinstance(error, RolldeckError):
        return error
    if isinstance(error, OSError):
        return storage_error(error)
    return RolldeckError(
        f"A bug in rolldeck: {type(error).__name__}: {clean_line(str(error), 200)}",
        hint="Please report it with what you did just before.",
    )


def told(error: RolldeckError) -> str:
    """Return an error as text: what failed, and in the next line what to do."""
    return error.message if not error.hint else f"{error.message}\n{error.hint}"

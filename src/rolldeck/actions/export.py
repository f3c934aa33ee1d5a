"""Writing a comparison into a file of the user's."""

from __future__ import annotations

import os
from pathlib import Path

from rolldeck import fsops, half_made
from rolldeck.errors import RefusedError


def write_export(path: Path, text: str, *, replace: bool = False) -> None:
    """Write a file whole or not at all; what is there is replaced only where that was said.

    Raises RefusedError where the name is taken, StorageError for what the disk says.
    """
    if not replace:
        with fsops.storage(path):
            try:
                os.close(fsops.create(path))
            except FileExistsError:
                raise RefusedError(
                    f"{path} exists already", reference=str(path), hint="Choose another name."
                ) from None
    try:
        half_made.write_atomic(path, text.encode())
    except BaseException:
        if not replace:
            fsops.unlink(path)
        raise

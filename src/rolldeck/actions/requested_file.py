"""A file of a version that was too much to read unasked, read because somebody asks for it."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError, RefusedError
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.text import clean_line
from rolldeck.units import human_size

if TYPE_CHECKING:
    from rolldeck.compare import Version

LARGEST = 4 * 1024 * 1024
"""Largest file that is read to compare its text, in bytes."""


async def with_file(
    workspace: Workspace, version: Version, path: str, progress: Progress
) -> Version:
    """Return a version with one more of its files read; as it is where it has no such file.

    Raises RefusedError for a file over ``LARGEST``, and as ``copy_out``.
    """
    from rolldeck.actions.files import copy_out

    path = posixpath.normpath(path)
    if path in version.files or not version.may_have(path):
        return version
    data = bytearray()

    def write(chunk: bytes | memoryview) -> None:
        if len(data) + len(chunk) > LARGEST:
            raise RefusedError(
                f"{clean_line(path, 200)} is larger than {human_size(LARGEST)}",
                reference=version.reference,
                hint="rolldeck cat writes it out, whatever its size.",
            )
        data.extend(chunk)

    try:
        await copy_out(workspace, Reference.parse(version.reference), path, write, progress)
    except NotFoundError:
        return version
    listed = {name: known for name, known in version.listed.items() if name != path}
    return replace(version, files={**version.files, path: bytes(data)}, listed=listed)

"""What to say about a tag or digest that is not there: name the tags that are."""

from __future__ import annotations

import re
from collections.abc import Collection

from rolldeck.errors import NotFoundError
from rolldeck.oci.digest import Digest

_MOST = 5
_NUMBER = re.compile(r"\d+|\D+")


def _age(tag: str) -> tuple[bool, list[tuple[int, int, str]]]:
    parts = _NUMBER.findall(tag)
    pieces = [(1, int(part[:18]), "") if part.isdecimal() else (0, 0, part) for part in parts]
    return tag.lstrip("v")[:1].isdecimal(), pieces


def newest_looking(tags: Collection[str]) -> list[str]:
    """Return up to five tags, those that look like the newest versions first.

    Only for hints: numbers inside names decide, and tags that start with one come first.
    """
    return sorted(tags, key=_age, reverse=True)[:_MOST]


def missing_manifest(
    repository: str,
    name: str,
    digest: Digest | None,
    tags: Collection[str] | None,
    error: NotFoundError,
) -> NotFoundError:
    """Return the error for a tag or digest that a repository does not have.

    ``tags`` are those that it has: empty when the repository itself is missing or empty, None
    when that is unknown; ``error`` is then kept, since it says all that is known.
    """
    shown = f"{repository}{'@' if digest else ':'}{name}"
    if tags is None:
        return error
    if not tags:
        return NotFoundError(f"No such repository: {repository}", reference=shown, hint=error.hint)
    kind = "digest" if digest else "tag"
    return NotFoundError(
        f"No such {kind}: {shown}",
        reference=shown,
        hint=f"Tags there: {', '.join(newest_looking(tags))}",
    )

"""What to say about a tag or digest that is not there: name the tags that are."""

from __future__ import annotations

import re
from collections.abc import Collection

from rolldeck.errors import NotFoundError
from rolldeck.oci.digest import Digest
from rolldeck.oci.reference import is_record_tag

_MOST = 5
_VERSION = re.compile(r"v?([0-9]{1,9}(?:\.[0-9]{1,9})*)(.*)")


def _age(tag: str) -> tuple[bool, tuple[int, ...], bool, str]:
    found = _VERSION.fullmatch(tag)
    if found is None:
        return False, (), False, tag
    numbers = tuple(int(number) for number in found.group(1).split("."))
    return True, numbers, not found.group(2), found.group(2)


def newest_looking(tags: Collection[str]) -> list[str]:
    """Return up to five tags, those that look like the newest versions first.

    Only for hints: the numbers at a tag's start decide, tags without come last.
    """
    versions = [tag for tag in tags if not is_record_tag(tag)]
    return sorted(versions, key=_age, reverse=True)[:_MOST]


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

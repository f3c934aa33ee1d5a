"""The tags of a channel: its own, and those of the records that stand beside it.

Beside ``production`` stand ``production.g000043`` (the entry of its generation 43),
``production.v000043`` (its keeper: written once the move was made, it names the version itself and
so saves it from a registry's garbage collection) and ``production.hold``. A verdict has a tag where
the registry has no referrers: ``sha256-<64 hex of the version>.verdict-<name>``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rolldeck.errors import UsageError
from rolldeck.facts import is_version_tag
from rolldeck.oci import Digest, is_tag

RecordKind = Literal["entry", "keeper", "hold", "verdict", "referrers"]

_NUMBERED = re.compile(r"(.+)\.([gv])(\d{6,12})", re.ASCII)
_HOLD = ".hold"
_REFERRER = re.compile(
    r"(sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{128}))(\.verdict-[0-9a-z-]+)?", re.ASCII
)
_MAX_CHANNEL = 100
_KINDS: dict[str, RecordKind] = {"g": "entry", "v": "keeper"}


@dataclass(frozen=True, slots=True)
class RecordTag:
    """A tag that names a record: of which channel, and of an entry or keeper which number."""

    kind: RecordKind
    channel: str
    number: int = 0


def entry_tag(channel: str, number: int) -> str:
    """Return the tag of a generation's entry."""
    return f"{channel}.g{number:06d}"


def keeper_tag(channel: str, number: int) -> str:
    """Return the tag of a generation's keeper."""
    return f"{channel}.v{number:06d}"


def hold_tag(channel: str) -> str:
    """Return the tag of a channel's hold."""
    return channel + _HOLD


def verdict_tag(version: Digest, name: str) -> str:
    """Return the tag of a verdict on a version; ``name`` tells its verdicts apart."""
    return f"{version.replace(':', '-')}.verdict-{name}"


def verdict_prefix(version: Digest) -> str:
    """Return how the tags of all verdicts on a version begin."""
    return verdict_tag(version, "")


def parse_record_tag(tag: str) -> RecordTag | None:
    """Tell which record a tag names; None for a tag that names a version or a channel."""
    if match := _NUMBERED.fullmatch(tag):
        channel, letter, number = match.groups()
        if number == f"{int(number):06d}":
            return RecordTag(_KINDS[letter], channel, int(number))
        return None
    if tag.endswith(_HOLD) and tag != _HOLD:
        return RecordTag("hold", tag.removesuffix(_HOLD))
    if match := _REFERRER.fullmatch(tag):
        return RecordTag("verdict" if match[2] else "referrers", "")
    return None


def require_channel(name: str) -> str:
    """Return a tag that can be a channel; raises UsageError for one that cannot."""
    if not is_tag(name) or len(name) > _MAX_CHANNEL:
        reason = "is no tag of at most 100 characters"
    elif parse_record_tag(name):
        reason = "is the tag of a record"
    elif is_version_tag(name):
        reason = "has the shape of a version, which is never moved"
    else:
        return name
    raise UsageError(
        f"{name} {reason}",
        reference=name,
        hint="A channel is a movable tag such as staging or production.",
    )

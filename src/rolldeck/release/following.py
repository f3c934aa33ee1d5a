"""Which channel a local target follows, and what it knew of it last: ``.rolldeck/pin.json``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rolldeck import fsops, half_made, locks
from rolldeck.errors import BusyError, IntegrityError
from rolldeck.oci import Digest, parse_digest
from rolldeck.release.target import Target


@dataclass(frozen=True, slots=True)
class Following:
    """A channel that a target follows, as ``HOST/REPOSITORY:TAG``, with what it said last.

    ``goal`` is the version that the target should be at: the held one, else the live one. ``good``
    is the channel's last known good, which is kept unpacked. ``checked`` is RFC 3339 UTC.
    ``hooked``: whoever follows runs hooks after a switch. ``unproven`` is the version that they are
    due for, ``failed`` the last one that they failed for.
    """

    channel: str
    goal: Digest | None = None
    good: Digest | None = None
    good_label: str | None = None
    held: bool = False
    checked: str | None = None
    unproven: Digest | None = None
    failed: Digest | None = None
    hooked: bool = False


def following_path(target: Target) -> Path:
    """Where a target keeps which channel it follows."""
    return target.path / ".rolldeck" / "pin.json"


def read_following(target: Target) -> Following | None:
    """Return what a target follows, None for nothing; raises IntegrityError where it is damaged."""
    path = following_path(target)
    try:
        return _parse(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise fsops.storage_error(error, path) from error
    except (ValueError, KeyError, TypeError, AttributeError):
        raise IntegrityError(
            f"{path} is damaged",
            reference=str(target.path),
            hint=f"Follow again: rolldeck pin --follow CHANNEL {target.path}",
        ) from None


def _parse(document: Mapping[str, object]) -> Following:
    def digest(key: str) -> Digest | None:
        found = document.get(key)
        return parse_digest(str(found)) if found else None

    label, checked = document.get("good_label"), document.get("checked")
    return Following(
        str(document["channel"]),
        digest("goal"),
        digest("good"),
        str(label) if label else None,
        bool(document.get("held")),
        str(checked) if checked else None,
        digest("unproven"),
        digest("failed"),
        bool(document.get("hooked")),
    )


def write_following(target: Target, following: Following) -> None:
    """Write down what a target follows, and what is known of it."""
    data = json.dumps(asdict(following), ensure_ascii=False, sort_keys=True).encode()
    half_made.write_atomic(following_path(target), data)


def stop_following(target: Target) -> None:
    """Let a target follow nothing; durable on return."""
    path = following_path(target)
    with fsops.storage(path):
        if path.exists():
            fsops.unlink(path)
            fsops.fsync_directory(path.parent)


@contextmanager
def followed_alone(target: Target) -> Iterator[None]:
    """Be the only one that follows for a target; raises BusyError where another process does."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locks.locked(target.path / ".rolldeck" / "follow.lock", timeout=0))
        except BusyError:
            raise BusyError(
                f"Another process follows the channel of {target.path}",
                reference=str(target.path),
                hint="One is enough: end the other one first, or leave it to it.",
            ) from None
        yield

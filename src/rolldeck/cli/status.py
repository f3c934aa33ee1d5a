"""The verb that tells where targets and channels stand, for people, cron and monitoring: status."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from rolldeck.actions import Workspace
from rolldeck.actions.status import Held, Status, status_of, status_of_all, worst
from rolldeck.cli.documents import Document, print_document
from rolldeck.cli.moves import print_parts
from rolldeck.cli.terminal import message
from rolldeck.progress import Progress
from rolldeck.text import clean_line
from rolldeck.units import human_size, rfc3339, short_digest


async def run_status(workspace: Workspace, arguments: argparse.Namespace, _: Progress) -> int:
    """Tell where a target or channel stands, or all known targets; the exit code says it, too."""
    if arguments.what is not None:
        found = await status_of(workspace, arguments.what)
        if arguments.json:
            print_document(status_document(found))
        else:
            _print(found)
        return found.code
    all_found = await status_of_all(workspace)
    if arguments.json:
        print_document({"targets": [status_document(item) for item in all_found]})
    elif not all_found:
        message("No local target is known here: rolldeck pin REFERENCE TARGET makes one.")
    for item in () if arguments.json else all_found:
        _print(item)
    return worst(all_found)


def status_document(status: Status) -> Document:
    """Return what ``status`` prints of one target or channel."""
    return {
        "name": status.name,
        "live": status.live,
        "label": status.label,
        "last_known_good": status.good,
        "drift": bool(status.drift),
        "differences": list(status.drift),
        "hold": _hold_document(status.hold),
        "rollback": {
            "ready": status.rollback.ready,
            "to": status.rollback.to,
            "bytes": status.rollback.bytes,
            "why_not": status.rollback.why_not,
        },
        "follows": status.follows,
        "channel": status_document(status.channel) if status.channel else None,
        "registry_unknown": status.unknown,
        "notes": list(status.notes),
    }


def _hold_document(hold: Held | None) -> Document | None:
    if hold is None:
        return None
    return {
        "digest": hold.digest,
        "holder": hold.holder,
        "since": rfc3339(hold.time),
        "until": rfc3339(hold.until) if hold.until else None,
        "reason": hold.reason,
    }


def _print(status: Status) -> None:
    mark = {0: ("✓", "green"), 3: ("?", "yellow"), 9: ("×", "red")}[status.code]
    live = f"{status.label} ({short_digest(status.live)})" if status.live else "nothing"
    print_parts(mark, (clean_line(f" {status.name}"), "bold"), (clean_line(f" is {live}"), ""))
    for line in _lines(status):
        print_parts((f"  {clean_line(line)}", ""))


def _lines(status: Status) -> Iterator[str]:
    if status.follows:
        yield f"follows {status.follows}"
    if status.unknown:
        yield f"registry unknown: {status.unknown}"
    for text in status.drift:
        yield f"drift: {text}"
    if hold := status.hold:
        until = f" until {rfc3339(hold.until)}" if hold.until else ""
        said = f": {hold.reason}" if hold.reason else ""
        yield f"held by {hold.holder} at {short_digest(hold.digest)}{until}{said}"
    if status.good:
        yield f"last known good: {status.good_label or short_digest(status.good)}"
    back = status.rollback
    if back.ready:
        size = "size not known" if back.bytes is None else f"{human_size(back.bytes)} to move"
        yield f"rollback ready: to {back.label}, {size}"
    else:
        yield f"no rollback ready: {back.why_not}"
    yield from status.notes

"""The verbs that look at channels: channels, log, at."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from rich.text import Text

from rolldeck.actions import Workspace
from rolldeck.actions.channel import Channel, load_channel, load_channels
from rolldeck.cli.channel_documents import (
    answer_document,
    channels_document,
    log_document,
)
from rolldeck.cli.columns import print_columns
from rolldeck.cli.documents import print_document
from rolldeck.cli.terminal import console, message
from rolldeck.errors import NotFoundError
from rolldeck.moments import both_zones, parse_moment
from rolldeck.oci import Digest, Reference
from rolldeck.progress import Progress
from rolldeck.release.channel import Entry, Hold, ruling
from rolldeck.text import clean_line
from rolldeck.units import age, duration, short_digest

_CHAINS = {
    "broken": "The journal is broken: an entry is missing, unreadable or was replaced.",
    "forked": "Two moves claimed the same generation; both are listed.",
    "pruned": "Older generations were pruned.",
}


async def run_channels(workspace: Workspace, arguments: argparse.Namespace, _: Progress) -> int:
    """List the channels of a repository."""
    repository = Reference.parse(arguments.place)
    found = await load_channels(workspace, repository)
    if arguments.json:
        print_document(channels_document(repository, found))
        return 0
    if not found:
        message(f"{repository.name} has no channels: no tag that moves, such as production.")
        return 0
    now = datetime.now(UTC)
    columns = ["CHANNEL", "VERSION", "DIGEST", "GEN", "SINCE", "BY", "NOTE"]
    print_columns(
        [(title, "left") for title in columns], [_channel_cells(item, now) for item in found]
    )
    return 0


def _channel_cells(channel: Channel, now: datetime) -> list[str | Text]:
    current = channel.journal.current
    entry = current.entry if current else None
    return [
        Text(channel.name, "bold"),
        _label(channel, channel.live),
        short_digest(channel.live) if channel.live else "gone",
        f"g{entry.number}" if entry else "",
        f"{age(entry.time, now)} ago" if entry else "",
        entry.actor if entry else "",
        ", ".join(_marks(channel, now)),
    ]


def _marks(channel: Channel, now: datetime) -> list[str]:
    """Return what is unusual about a channel in a word each: rows are short, ``log`` tells it."""
    pending = channel.journal.pending
    return [
        *(["⚠ drift"] if channel.journal.drift else []),
        *([f"⚠ g{pending.entry.number} pending"] if pending else []),
        *(["⚠ unpublished rollback"] if any(not x.void for x in channel.unpublished) else []),
        *([f"held by {channel.hold.holder}"] if channel.hold and channel.hold.holds(now) else []),
    ]


def _notes(channel: Channel, now: datetime) -> list[str]:
    """Say what is unusual about a channel, most important first."""
    notes = []
    journal = channel.journal
    if journal.drift:
        notes.append("⚠ moved without a record")
    if journal.pending is not None:
        entry = journal.pending.entry
        notes.append(f"⚠ g{entry.number} to {_label(channel, entry.to_digest)} is pending")
    for item in channel.unpublished:
        what = f"rollback to {item.to_label} by {item.actor}, {age(item.time, now)} ago"
        notes.append(f"{what}, is void: {item.void}" if item.void else f"⚠ unpublished: {what}")
    if channel.hold is not None and channel.hold.holds(now):
        notes.append(_held(channel.hold))
    return notes


def _held(hold: Hold) -> str:
    until = f" until {both_zones(hold.until)}" if hold.until else ""
    said = f": {hold.reason}" if hold.reason else ""
    return f"held by {hold.holder}{until}{said}"


def _label(channel: Channel, digest: Digest | None) -> str:
    """Return what a version is called; without a name the start of its digest."""
    if digest is None:
        return ""
    return clean_line(channel.labels.get(digest, short_digest(digest)))


async def run_log(workspace: Workspace, arguments: argparse.Namespace, _: Progress) -> int:
    """List the generations of a channel."""
    channel = await load_channel(workspace, Reference.parse(arguments.reference), limit=None)
    if arguments.json:
        print_document(log_document(channel))
        return 0
    now = datetime.now(UTC)
    live = f"{_label(channel, channel.live)} {short_digest(channel.live or '')}".strip()
    console().print(Text(f"{channel.reference} is {live or 'gone'}", "bold"))
    for note in _notes(channel, now):
        console().print(Text(note, "yellow"))
    if channel.journal.recorded:
        columns = ["GEN", "VERSION", "FROM", "MOVED", "VERB", "BY", "VERDICT", "REASON"]
        rows = [_generation_cells(channel, entry, now) for entry in _all_entries(channel)]
        print_columns([(title, "left") for title in columns], rows)
    else:
        message("No move of it was recorded.")
    if channel.journal.chain in _CHAINS:
        message(_CHAINS[channel.journal.chain])
    return 0


def _all_entries(channel: Channel) -> list[Entry]:
    """Return the entries newest first, each with those that claimed the same number."""
    found = [item.entry for item in (*channel.journal.recorded, *channel.journal.rivals)]
    return sorted(found, key=lambda entry: -entry.number)


def _generation_cells(channel: Channel, entry: Entry, now: datetime) -> list[str | Text]:
    state = channel.journal.outcome(entry)
    said = ruling(channel.verdicts.get(entry.to_digest, ()))
    words: list[str] = [] if state == "made" else [state]
    words += [entry.reason] if entry.reason else []
    return [
        f"g{entry.number}",
        Text(_label(channel, entry.to_digest), "bold" if state == "made" else "dim"),
        _label(channel, entry.from_digest),
        f"{age(entry.time, now)} ago",
        entry.verb,
        entry.actor,
        said.opinion if said else "·",
        ", ".join(words),
    ]


async def run_at(workspace: Workspace, arguments: argparse.Namespace, _: Progress) -> int:
    """Tell what a channel pointed at in the past."""
    moment = parse_moment(arguments.time, datetime.now(UTC))
    channel = await load_channel(workspace, Reference.parse(arguments.reference), limit=None)
    answer = channel.journal.at(moment)
    if arguments.json:
        print_document(answer_document(channel, moment, answer))
        return 0
    name = f"{channel.reference} at {both_zones(moment)}"
    if answer is None:
        oldest = channel.journal.recorded[-1].entry if channel.journal.recorded else None
        raise NotFoundError(
            f"Nobody recorded what {channel.reference} was at {both_zones(moment)}",
            reference=str(channel.reference),
            hint=f"The first move that is recorded is g{oldest.number}, {both_zones(oldest.time)}."
            if oldest
            else "No move of it was recorded.",
        )
    entry = answer.entry
    until = next((s.until for s in channel.journal.stays if s.entry == entry), None)
    console().print(Text(name, "bold"))
    version = f"{_label(channel, entry.to_digest)}  {entry.to_digest}"
    if not answer.certain:
        console().print(Text("unknown since drift: somebody moved it without a record", "yellow"))
        console().print(Text(f"last recorded: {version}"))
    else:
        console().print(Text(version))
    said = f": {entry.reason}" if entry.reason else ""
    console().print(Text(f"g{entry.number}, {entry.verb} by {entry.actor}{said}"))
    console().print(Text(f"from   {both_zones(entry.time)}"))
    if until is not None:
        stayed = duration((until - entry.time).total_seconds())
        console().print(Text(f"until  {both_zones(until)}  ({stayed})"))
    return 0

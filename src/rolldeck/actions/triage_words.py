"""Triage in words: the same on the command line and in the deck, without any layout."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from rolldeck.actions.triage_view import Triage, TriageRow
from rolldeck.moments import both_zones
from rolldeck.text import clean_line
from rolldeck.units import age, duration, human_size, short_digest

COLUMNS = ("gen", "version", "moved", "by", "active", "verdict", "here", "fits", "signed")
"""Heads of the generations' columns."""

_NOBODY_LOOKED = "·"


def cells(row: TriageRow, now: datetime) -> tuple[str, ...]:
    """Return a generation as one text for each column."""
    return (
        row.name,
        clean_line(row.label, 40),
        moved(row.time, now),
        clean_line(row.actor, 40),
        duration(row.active.total_seconds()),
        row.verdict or _NOBODY_LOOKED,
        here(row),
        _yes_no(row.fits),
        _NOBODY_LOOKED if row.signed is None else ("there" if row.signed else "none"),
    )


def moved(time: datetime, now: datetime) -> str:
    """Return when a move was, in the time of this host: the clock today, else the day too."""
    local = time.astimezone()
    if now - time < timedelta(hours=20):
        return f"{local:%H:%M} ({age(time, now)})"
    return f"{local:%m-%d %H:%M}"


def here(row: TriageRow) -> str:
    """Return what this host has of a version."""
    if row.is_current:
        return "current"
    if row.is_gone:
        return "GONE"
    if row.missing is None:
        return _NOBODY_LOOKED
    return "0 B" if row.missing == 0 else human_size(row.missing)


def _yes_no(answer: bool | None) -> str:
    return _NOBODY_LOOKED if answer is None else ("yes" if answer else "NO")


def live_words(triage: Triage) -> str:
    """Return what is known of the live version beside its name."""
    row = triage.live_row
    digest = short_digest(triage.live) if triage.live else ""
    if row is None:
        return f"{digest}  {'nobody recorded by whom' if triage.rows else 'no move is recorded'}"
    said = f'  "{clean_line(row.reason, 60)}"' if row.reason else ""
    ago = f"{age(row.time, triage.now)} ago"
    return f"{digest}  {row.name}  {ago} by {clean_line(row.actor, 40)}{said}"


def good_words(triage: Triage) -> str:
    """Return what is known of the last known good version beside its name; why there is none."""
    row = triage.row(triage.good)
    if row is None or row.digest is None:
        return "no last known good version"
    parts = [short_digest(row.digest), row.name, triage.why_good]
    if row.missing is not None:
        parts.append("on disk" if row.missing == 0 else f"{human_size(row.missing)} to pull")
    return "  ".join(part for part in parts if part)


def incident_words(triage: Triage) -> str | None:
    """Return when the incident began, measured from the move before it; None without one."""
    if triage.since is None:
        return None
    local = triage.since.astimezone()
    clock = f"{local:%H:%M}"
    if local.date() != triage.now.astimezone().date():
        clock = f"{local:%m-%d %H:%M}"
    row = triage.incident_row
    if row is None:
        return f"incident {clock} began before all of these"
    passed = duration((triage.since - row.time).total_seconds())
    return f"incident {clock} began {passed} after {row.name}"


def warnings(triage: Triage) -> list[str]:
    """Return what is unusual, most important first."""
    found = []
    if triage.problem:
        found.append(f"registry down: {clean_line(triage.problem, 200)}")
    if triage.drift:
        found.append(f"drift: {clean_line(triage.drift, 200)}")
    if triage.hold is not None:
        hold = triage.hold
        until = f" until {both_zones(hold.until)}" if hold.until else ""
        said = f": {clean_line(hold.reason, 80)}" if hold.reason else ""
        who = clean_line(hold.holder, 40)
        found.append(f"held on {short_digest(hold.version.digest)} by {who}{until}{said}")
    if triage.pending:
        found.append(clean_line(triage.pending, 200))
    if triage.chain in ("broken", "forked"):
        found.append(f"the journal is {triage.chain}: rolldeck log {triage.name} shows where")
    found += [f"unpublished: {clean_line(item, 200)}" for item in triage.unpublished]
    return found


def freshness(triage: Triage) -> str:
    """Return how old what is shown is; empty where it is of this moment."""
    if triage.is_stale and triage.read is not None:
        return f"remembered from {age(triage.read, triage.now)} ago"
    return "" if triage.is_complete else "comparing …"


def target_words(triage: Triage) -> Sequence[str]:
    """Return a line for each local target of a channel: what is current there."""
    if triage.channel is None:
        return []
    lines = []
    for item in triage.targets:
        path = clean_line(str(item.path), 200)
        if item.problem:
            lines.append(f"{path}  {clean_line(item.problem, 100)}")
        elif item.current == triage.live:
            lines.append(f"{path}  runs what is live")
        else:
            label = clean_line(item.label or "nothing", 60)
            lines.append(f"{path}  runs {label}, which is NOT what is live")
    return lines


def row_words(triage: Triage, row: TriageRow) -> str:
    """Return what else is to be known of a generation: why it was passed over, or its reason."""
    parts = [f"{row.name} {clean_line(row.label, 40)}"]
    if row.is_live:
        parts.append("is live")
    elif row.number == triage.good:
        parts.append("is the last known good")
    if row.skipped:
        parts.append(f"passed over: {clean_line(row.skipped, 200)}")
    if row.fits is False:
        parts.append(f"fits here: {clean_line(row.fit_line, 120)}")
    if row.reason:
        parts.append(f"{row.verb}: {clean_line(row.reason, 120)}")
    return " · ".join(parts)


def clocks(now: datetime) -> str:
    """Return the time of this host and UTC, with seconds: ``03:04:12 EST · 08:04 UTC``."""
    local = now.astimezone()
    if local.utcoffset() == timedelta():
        return f"{now:%H:%M:%S} UTC"
    return f"{local:%H:%M:%S} {clean_line(local.tzname() or '', 12)} · {now:%H:%M} UTC"

"""A job in one line: ``↓ pull acme/fraud:v2  2.1 of 4.1 GiB  210 MiB/s  10 s left``."""

from __future__ import annotations

from rolldeck.text import clean_line
from rolldeck.tui.jobs import Job
from rolldeck.tui.models.lines import Line, Span, cut
from rolldeck.units import human_size

_MARKS = {"running": "↓", "done": "✓", "failed": "×", "cancelled": "·"}
_LOOKS = {"running": "accent", "done": "better", "failed": "worse", "cancelled": "dim"}

_BAR = 24
"""Widest bar, in cells."""


def job_line(job: Job, width: int, more: str = "", *, outcome: bool = True) -> Line:
    """Return a job as one line of at most ``width`` cells, with ``more`` at its end.

    Without ``outcome`` an ended job says only that it ended.
    """
    mark = Span(f"{_MARKS[job.state]} ", _LOOKS[job.state])  # type: ignore[arg-type]
    name = clean_line(job.name, 200)
    if not job.running:
        said = f"{job.state}: {in_one_line(job.outcome)}" if job.outcome and outcome else job.state
        said = clean_line(said)
        room = max(width - len(more) - 4, 8)
        name = cut(name, max(room // 2, room - len(said) - 2))
        said = cut(said, max(room - len(name) - 2, 8))
        return Line((mark, Span(name, "bright"), Span(f"  {said}"), Span(f"  {more}", "dim")))
    parts = [amount(job), rate(job), left(job)]
    figures = "  ".join(part for part in parts if part)
    room = width - 2 - len(figures) - 2 - (len(more) + 2 if more else 0)
    bar = min(_BAR, room - len(name) - 2)
    spans = [mark, Span(cut(name, max(room, 12)), "bright"), Span("  ")]
    if bar >= 8 and job.progress.total:
        filled = int(bar * min(job.progress.done / job.progress.total, 1))
        spans += [Span("━" * filled, "accent"), Span("─" * (bar - filled), "dim"), Span("  ")]
    spans.append(Span(figures))
    if more:
        spans.append(Span(f"  {more}", "dim"))
    return Line(tuple(spans))


def in_one_line(text: str) -> str:
    """Return lines as sentences after each other."""
    parts = [part.strip() for part in text.split("\n") if part.strip()]
    ended = [part if part[-1] in ".!?:" else f"{part}." for part in parts[:-1]]
    return " ".join([*ended, *parts[-1:]])


def amount(job: Job) -> str:
    """Return how much is done: ``2.1 of 4.1 GiB``, ``checking files`` before that is known."""
    progress = job.progress
    note = clean_line(progress.note, 40)
    if progress.cancelled:
        return "stopping"
    if not progress.total:
        return note or "starting"
    total = human_size(progress.total)
    done = human_size(min(progress.done, progress.total))
    if done.rpartition(" ")[2] == total.rpartition(" ")[2]:
        done = done.rpartition(" ")[0]
    return f"{note}  {done} of {total}" if note else f"{done} of {total}"


def rate(job: Job) -> str:
    """Return how fast it goes, nothing before that is known."""
    return f"{human_size(job.rate)}/s" if job.rate and job.progress.total else ""


def left(job: Job) -> str:
    """Return how long it will take from here, nothing before that is known."""
    missing = job.progress.total - job.progress.done
    if job.rate < 1 or missing <= 0:
        return ""
    seconds = int(missing / job.rate) + 1
    if seconds < 90:
        return f"{seconds} s left"
    if seconds < 5400:
        return f"{round(seconds / 60)} min left"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min left"

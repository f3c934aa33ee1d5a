"""A job in lines: ``↓ pull acme/fraud:v2  51 %  2.1 of 4.1 GiB  210 MiB/s``, and its parts."""

from __future__ import annotations

from rich.cells import cell_len

from rolldeck.columns import cut
from rolldeck.pace import watched
from rolldeck.progress_rows import progress_rows
from rolldeck.text import clean_line
from rolldeck.tui.jobs import Job
from rolldeck.tui.models.lines import Line, Look, Span
from rolldeck.units import amount

_MARKS = {"running": "↓", "done": "✓", "failed": "×", "cancelled": "·"}
_LOOKS = {"running": "accent", "done": "better", "failed": "worse", "cancelled": "dim"}

_BAR = 24
"""Widest bar, in cells."""

_SHORTEST_BAR = 8
_LEAST_NAME = 24
"""Cells of a job's name that figures do not take."""

_MOST_PARTS = 12
"""Most parts shown of a job: those at work fit, and other jobs stay in sight."""


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
    figures = _figures(job, width - 2 - (len(more) + 2 if more else 0), name)
    room = width - 2 - len(figures) - 2 - (len(more) + 2 if more else 0)
    bar = min(_BAR, room - cell_len(name) - 2)
    spans = [mark, Span(cut(name, max(room, 12)), "bright"), Span("  ")]
    if bar >= _SHORTEST_BAR and job.progress.total:
        filled = bar * job.progress.percent // 100
        spans += [Span("━" * filled, "accent"), Span("─" * (bar - filled), "dim"), Span("  ")]
    spans.append(Span(figures))
    if more:
        spans.append(Span(f"  {more}", "dim"))
    return Line(tuple(spans))


def part_lines(job: Job, width: int) -> list[Line]:
    """Return the parts of a running job, one line each, at most ``width`` cells wide."""
    parts = job.pace.parts
    shown = watched(parts, _MOST_PARTS)
    lines = []
    for row in progress_rows(shown, width, job.clock()):
        look: Look = "dim" if row.state in ("waiting", "done") else "plain"
        bar = (Span(row.filled, "accent"), Span(row.empty, "dim"), Span("  "))
        ends = (Span(f"{row.figures}  "), Span(row.doing, look))
        has_bar = row.filled or row.empty
        lines.append(Line((Span(f"{row.name}  "), *(bar if has_bar else ()), *ends)))
    if len(shown) < len(parts):
        done = sum(part.progress.state == "done" for part in parts)
        lines.append(Line((Span(f"{len(parts) - len(shown)} more; {done} done", "dim"),)))
    return lines


def in_one_line(text: str) -> str:
    """Return lines as sentences after each other."""
    parts = [part.strip() for part in text.split("\n") if part.strip()]
    ended = [part if part[-1] in ".!?:" else f"{part}." for part in parts[:-1]]
    return " ".join([*ended, *parts[-1:]])


def _figures(job: Job, width: int, name: str) -> str:
    """Return what fits beside the name: share, amount, rate, time left and what is said."""
    progress, said = job.progress, clean_line(job.said, 120)
    if progress.cancelled:
        return "stopping"
    if not progress.total:
        return cut(said or "starting", width - _LEAST_NAME)
    share, size = f"{progress.percent} %", amount(progress.done, progress.total)
    rates = "" if said.startswith("waiting") else job.pace.figures
    wanted = min(cell_len(name), _LEAST_NAME) + 2
    forms = [
        (share, size, rates, said),
        (share, size, rates or said),
        (share, rates or said),
        (share, rates.rpartition("  ")[2] or cut(said, width - wanted - len(share) - 2)),
    ]
    texts = ["  ".join(part for part in form if part) for form in forms]
    return next((text for text in texts if cell_len(text) + wanted <= width), share)

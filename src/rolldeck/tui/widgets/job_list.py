"""The jobs of this run, running and done."""

from __future__ import annotations

from collections.abc import Sequence

from rolldeck.text import clean_line
from rolldeck.tui.jobs import Job
from rolldeck.tui.models.job_line import in_one_line, job_line, part_lines
from rolldeck.tui.models.lines import Line, Span, Stop, wrap
from rolldeck.tui.widgets.cursor_view import CursorView


class JobPane(CursorView):
    """Shows each job with what it did and the command line that does the same, newest first."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.jobs: list[Job] = []
        self._lines: list[Line] = []
        self._stops: list[Stop] = []

    def show(self, jobs: Sequence[Job]) -> None:
        """Show jobs; the cursor stays on its job."""
        selected = self.selected
        self.jobs = list(reversed(jobs))
        before = [line.text for line in self._lines]
        self._lay_out()
        cursor = self.jobs.index(selected) if selected in self.jobs else 0
        if before != [line.text for line in self._lines] or cursor != self.cursor:
            self.rebuilt(cursor)

    @property
    def selected(self) -> Job | None:
        """The job under the cursor."""
        return self.jobs[self.cursor] if 0 <= self.cursor < len(self.jobs) else None

    def _lay_out(self) -> None:
        width = max(self.size.width - 2, 20)
        self._lines, self._stops = [], []
        for index, job in enumerate(self.jobs):
            self._stops.append(Stop(len(self._lines), index))
            line = job_line(job, width, outcome=False)
            self._lines.append(Line((Span(" "), *line.spans)))
            if job.running:
                parts = part_lines(job, width - 4)
                self._lines += [Line((Span("   "), *part.spans)) for part in parts]
            else:
                for text in wrap(clean_line(in_one_line(job.outcome), 400), width - 4, 3):
                    self._lines.append(Line((Span(f"   {text}"),)))
            command, room = clean_line(job.line, 400), width - 4
            for start in range(0, len(command), room):
                self._lines.append(Line((Span(f"   {command[start : start + room]}", "dim"),)))
            self._lines.append(Line())
        if not self.jobs:
            text = "No jobs. p pulls a version, u unpacks one, L pins one to a directory."
            self._lines = [Line((Span(f" {part}", "dim"),)) for part in wrap(text, width)]

    @property
    def stop_count(self) -> int:
        """How many jobs there are."""
        return len(self._stops)

    def stop(self, index: int) -> Stop:
        """Return where a job is drawn."""
        return self._stops[index]

    @property
    def line_count(self) -> int:
        """How many lines there are."""
        return len(self._lines)

    def line_at(self, y: int) -> Line:
        """Return a line."""
        return self._lines[y]

    def on_resize(self) -> None:
        """Lay the lines out for the new width."""
        self._lay_out()
        self.rebuilt(self.cursor)

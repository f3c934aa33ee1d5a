"""The line above the footer: what runs now, or how the last job ended."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget

from rolldeck.tui.jobs import Job
from rolldeck.tui.models.job_line import job_line

LOOK_STYLES = {
    "plain": "",
    "bright": "bold",
    "dim": "$text-muted",
    "accent": "$text-primary",
    "better": "$text-success",
    "worse": "$text-error",
    "changed": "$text-warning",
}
"""Looks of lines as styles of content."""


class JobBar(Widget):
    """Shows one job in one line; not there while there is none to tell of."""

    DEFAULT_CSS = """
    JobBar {
        height: 1;
        display: none;
        padding: 0 1;
    }
    JobBar.-busy {
        display: block;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._jobs: Sequence[Job] = ()
        self._text = ""

    def show(self, jobs: Sequence[Job]) -> None:
        """Show the jobs to tell of; draws only where the line changed."""
        self._jobs = jobs
        self.set_class(bool(jobs), "-busy")
        text = self._line().plain
        if text != self._text:
            self._text = text
            self.refresh()

    def render(self) -> RenderResult:
        """Return the line."""
        return self._line()

    def _line(self) -> Content:
        if not self._jobs:
            return Content("")
        job = next((job for job in self._jobs if job.running), self._jobs[-1])
        others = len(self._jobs) - 1
        more = f"+{others} · 5 jobs" if others else "5 jobs"
        line = job_line(job, max(self.size.width, 20), more)
        return Content.assemble(*((span.text, LOOK_STYLES[span.look]) for span in line.spans))

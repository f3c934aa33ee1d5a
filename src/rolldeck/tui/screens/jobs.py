"""Jobs: what runs, what ended and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen

from rolldeck.commands import Scope, footer_commands
from rolldeck.tui.jobs import Job
from rolldeck.tui.keymap import bindings
from rolldeck.tui.widgets.breadcrumb import Breadcrumb
from rolldeck.tui.widgets.job_list import JobPane
from rolldeck.tui.widgets.key_footer import KeyFooter


class JobsScreen(Screen[None]):
    """The list of jobs; ``x`` cancels the selected one."""

    CSS_PATH = "page.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere", "move", "jobs")

    scope: ClassVar[Scope] = "jobs"
    """Whose keys are shown first in help."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        super().__init__()
        self._jobs = jobs

    def compose(self) -> ComposeResult:
        """Return the list between the top line and the keys."""
        crumb = Breadcrumb()
        crumb.path = ("jobs",)
        yield crumb
        pane = JobPane(id="jobs")
        pane.border_title = Content("5 Jobs")
        yield pane
        footer = KeyFooter()
        footer.commands = footer_commands(
            "jobs", ("filter.open", "view.refresh", "move.open", "command.type")
        )
        yield footer

    def on_mount(self) -> None:
        """Give the list the keys."""
        pane = self.query_one(JobPane)
        pane.show(self._jobs)
        pane.focus()

    def action_job_cancel(self) -> None:
        """Cancel the selected job."""
        job = self.query_one(JobPane).selected
        if job is None or not job.running:
            self.notify("This job does not run.", markup=False)
            return
        job.cancel()
        self.query_one(JobPane).show(self._jobs)

    def action_view_back(self) -> None:
        """Go back."""
        self.dismiss(None)

    def action_pane_jobs(self) -> None:
        """Go back: the key that opened the list closes it."""
        self.dismiss(None)

"""The deck: an app that holds the workspace, the jobs and the log, and wires screens together."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events, on
from textual.binding import BindingType
from textual.dom import DOMNode
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import AwaitMount
from textual.widgets import Input
from textual.worker import Worker, WorkerCancelled, WorkerFailed

from rolldeck.commands import Command, Scope
from rolldeck.errors import CancelledError, RolldeckError
from rolldeck.text import clean, clean_line
from rolldeck.tui._textual_compat import QuietEnd
from rolldeck.tui.clipboard import copy
from rolldeck.tui.failures import readable, told
from rolldeck.tui.jobs import JobList
from rolldeck.tui.keymap import bindings
from rolldeck.tui.messages import JobFinished, JobStarted
from rolldeck.tui.screens.deck import DeckScreen
from rolldeck.tui.silent_keys import words_for
from rolldeck.tui.theme import DARK, LIGHT, chosen_theme, is_plain
from rolldeck.tui.widgets.job_bar import JobBar
from rolldeck.tui.widgets.key_footer import KeyFooter

if TYPE_CHECKING:
    from rolldeck.actions import Workspace
    from rolldeck.oci import Reference
    from rolldeck.tui.jobs import Job, Work
    from rolldeck.tui.models.typed import Typed
    from rolldeck.tui.palette import CommandProvider
    from rolldeck.tui.widgets.job_list import JobPane

_TICK = 0.25
"""Seconds between two looks at running jobs; there is no timer while none runs."""

_PATIENCE = 0.8
"""Seconds that quitting waits for jobs to stop."""


def _commands() -> type[CommandProvider]:
    """Return what the palette asks; imported with the palette."""
    from rolldeck.tui.palette import CommandProvider

    return CommandProvider


class Deck(QuietEnd):
    """A deck over one workspace, which whoever made it closes."""

    TITLE = "rolldeck"
    # The first screen's styles, too: given with the screen they would all be parsed again.
    CSS_PATH: ClassVar = ["app.tcss", "screens/browser.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere")
    COMMANDS: ClassVar = {_commands}
    ESCAPE_TO_MINIMIZE = False
    NOTIFICATION_TIMEOUT = 3

    def __init__(
        self,
        workspace: Workspace,
        open_reference: str | None = None,
        *,
        read_only: bool = False,
        triage: tuple[str, datetime | None] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        # Given before the base class starts: later it would still send grey as RGB.
        super().__init__(ansi_color=True if is_plain() else None)
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = chosen_theme()
        self.animation_level = "none"
        self.workspace = workspace
        self.read_only = read_only or workspace.read_only
        self.now = now
        self.jobs = JobList()
        self.done_lines: list[tuple[str, str]] = []
        """When and how each act is done on the command line, for the log."""
        self._open_reference = open_reference
        self._open_triage = triage
        self._ticker: Timer | None = None
        self._leaving = False

    # Start and end.

    def on_mount(self) -> None:
        """Leave the terminal as it was when somebody ends the process."""
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self.leave, 128 + number)
        if self._open_triage is not None:
            self.show_triage(*self._open_triage)

    def get_default_screen(self) -> Screen[Any]:
        """Return the browser: pushed onto an empty screen, it would be painted after that one."""
        return DeckScreen(
            self.workspace,
            self._open_reference,
            now=self.now,
            waits=self._open_triage is not None,
        )

    def leave(self, code: int = 0) -> None:
        """Stop all jobs and quit."""
        if not self._leaving:
            self._leaving = True
            self.jobs.cancel_all()
            self.run_worker(self._leave(code), group="leave", exit_on_error=False)

    async def _leave(self, code: int) -> None:
        running = [item for item in self.workers if item.group == "jobs" and not item.is_finished]
        if running:
            ends = [asyncio.create_task(self._end_of(item)) for item in running]
            await asyncio.wait(ends, timeout=_PATIENCE)
        self.exit(return_code=code)

    async def _end_of(self, worker: Worker[Any]) -> None:
        with contextlib.suppress(WorkerFailed, WorkerCancelled):
            await worker.wait()

    async def action_quit(self) -> None:
        """Quit; what Textual's own key does."""
        self.action_deck_quit()

    def action_help_quit(self) -> None:
        """Tell how to quit to somebody who tries ctrl+c."""
        self.notify("q quits", markup=False)

    def action_deck_quit(self) -> None:
        """Quit, after a question while a job runs."""
        from rolldeck.tui.dialogs.quit import QuitDialog

        if not self.jobs.running or isinstance(self.screen, QuitDialog):
            self.leave()
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.leave()

        self.push_screen(QuitDialog([job.name for job in self.jobs.running]), answered)

    # Jobs.

    def start_job(self, verb: str, name: str, words: list[str], place: str, work: Work) -> Job:
        """Run something in the background that outlives the screen it was started on."""
        self.see_jobs()
        line = self.command_line(*words)
        job = self.jobs.add(verb, name, line, place)
        self.log_line(line)
        job.stop = self.run_worker(
            self._run_job(job, work), group="jobs", exit_on_error=False
        ).cancel
        if self._ticker is None:
            self._ticker = self.set_interval(_TICK, self._tick)
        self._tick()
        self._tell(JobStarted(job))
        return job

    async def _run_job(self, job: Job, work: Work) -> None:
        try:
            outcome = await work(job.progress)
        except (CancelledError, asyncio.CancelledError):
            self.jobs.end(job, "cancelled", "what came is kept; the same again goes on from there")
        except Exception as error:
            self.jobs.end(job, "failed", told(readable(error)))
        else:
            self.jobs.end(job, "done", outcome)
        self._tick()
        self._tell(JobFinished(job))

    def _tick(self) -> None:
        self.jobs.measure()
        if not self.jobs.running and self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
        for screen in self.screen_stack:
            for bar in screen.query(JobBar):
                bar.show(self.jobs.unseen)
            for pane in screen.query("JobPane"):
                cast("JobPane", pane).show(self.jobs.jobs)

    def see_jobs(self) -> None:
        """Take what is told of ended jobs away: it was read, and something else is done now."""
        self.jobs.see_all()
        self._tick()

    def _tell(self, message: JobStarted | JobFinished) -> None:
        for screen in self.screen_stack:
            screen.post_message(message)

    @property
    def browser(self) -> DeckScreen | None:
        """The screen at the bottom of all others."""
        return next((item for item in self.screen_stack if isinstance(item, DeckScreen)), None)

    def action_pane_jobs(self) -> None:
        """List the jobs."""
        from rolldeck.tui.screens.jobs import JobsScreen

        self.jobs.see_all()

        def closed(_: None) -> None:
            self.jobs.see_all()
            self._tick()

        self.push_screen(JobsScreen(self.jobs.jobs), closed)

    def show_triage(self, what: str | Reference, since: datetime | None = None) -> None:
        """Show triage of a channel, a local target, or a name for one."""
        from rolldeck.tui.screens.triage import TriageScreen

        self.push_screen(TriageScreen(self.workspace, what, since))

    def action_triage_open(self) -> None:
        """Show triage of what is selected in the browser."""
        if self.browser is not None:
            self.browser.action_triage_open()

    # The log and copying.

    @cached_property
    def _elsewhere(self) -> tuple[str, ...]:
        """What a command line needs to work on this deck's library."""
        from rolldeck.settings import load_settings

        try:
            usual = load_settings().library
        except RolldeckError:
            usual = None
        library = self.workspace.settings.library
        return () if library == usual else ("--library", str(library))

    def command_line(self, *words: str) -> str:
        """Return the line for a shell that runs a verb on what this deck works on."""
        return shlex.join(["rolldeck", *words, *self._elsewhere])

    def log_line(self, line: str) -> None:
        """Note a command line that does what the deck just did."""
        self.done_lines.append((self.now().astimezone().strftime("%H:%M:%S"), line))

    def action_log_show(self) -> None:
        """Show the log."""
        from rolldeck.tui.screens.log import LogScreen

        self.push_screen(LogScreen(tuple(self.done_lines)))

    def copy(self, text: str) -> None:
        """Copy a text, and show it: no terminal tells whether it took it."""
        copy(self, text)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a toast in place of the one before; it is plain text, never markup."""
        self.clear_notifications()
        super().notify(
            clean(message, 600),
            title=clean_line(title, 200),
            severity=severity,
            timeout=timeout,
            markup=False,
        )

    # Commands.

    def offers(self, command: Command, screen: Screen[Any]) -> bool:
        """Whether a command can be chosen on a screen."""
        if self.read_only and command.danger != "look":
            return False
        return bool(command.typed) or self._doer(command, screen) is not None

    def _doer(self, command: Command, screen: Screen[Any]) -> DOMNode | None:
        start = screen.focused or screen
        for node in [*start.ancestors_with_self, self]:
            if callable(getattr(node, f"action_{command.action}", None)):
                return node
        return None

    async def run_command(self, command: Command) -> None:
        """Run a command as if its key was pressed; one without a key asks for its arguments."""
        from rolldeck.tui.models.typed import verb_of

        doer = self._doer(command, self.screen)
        if doer is not None:
            await self.run_action(command.action, doer)
        elif command.typed:
            self.ask_command(f"{verb_of(command)} ")

    @on(KeyFooter.Clicked)
    async def _footer_clicked(self, event: KeyFooter.Clicked) -> None:
        await self.run_command(event.command)

    async def on_event(self, event: events.Event) -> None:
        """Open the command line before the next key is looked at, which belongs to it."""
        is_colon = isinstance(event, events.Key) and event.key == "colon"
        if is_colon and not (event.is_forwarded or self._is_typing):
            await self._open_command("")
        else:
            await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """Say of a key that nobody answers to that this is so."""
        words = words_for(self, event)
        if words is not None:
            self.notify(words)

    @property
    def _is_typing(self) -> bool:
        """Whether a colon is text, or goes to a dialog."""
        return self.screen.is_modal or isinstance(self.focused, Input)

    def action_command_palette(self) -> None:
        """Find a command by its name."""
        from rolldeck.tui.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_command_type(self) -> None:
        """Ask for a command with its arguments."""
        self.ask_command("")

    def ask_command(self, text: str) -> None:
        """Ask for a command that begins with ``text``."""
        self._open_command(text)

    def _open_command(self, text: str) -> AwaitMount:
        from rolldeck.tui.dialogs.command import CommandLine

        known = self.browser.known_references() if self.browser else []
        return self.push_screen(CommandLine(text, known, read_only=self.read_only), self._typed)

    def _typed(self, typed: Typed | None) -> None:
        if typed is None or self.browser is None:
            return
        if typed.command.id == "deck.quit":
            self.action_deck_quit()
        elif typed.command.id == "pane.jobs":
            self.action_pane_jobs()
        else:
            self.browser.run_typed(typed)

    def known_repositories(self) -> list[str]:
        """Return all repositories listed so far."""
        return self.browser.known_repositories() if self.browser else []

    def open_place(self, name: str) -> None:
        """Show the versions of a repository, or the repositories of a place."""
        from rolldeck.oci import Reference

        if self.browser is not None:
            while self.screen is not self.browser:
                self.pop_screen()
            self.browser.open(Reference.parse(name))

    def action_help_show(self) -> None:
        """Show the keys of the screen in front, then those of everywhere."""
        from rolldeck.tui.screens.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.screen.dismiss(None)
            return
        screen = self.screen
        scope: Scope = getattr(screen, "scope", "everywhere")
        reasons = screen.reasons() if isinstance(screen, DeckScreen) else {}
        self.push_screen(HelpScreen(scope, reasons, read_only=self.read_only))

"""Jobs: what the deck does in the background, from its start until somebody has seen its end."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from rolldeck.pace import Pace
from rolldeck.progress import Progress

JobState = Literal["running", "done", "failed", "cancelled"]
Work = Callable[[Progress], Awaitable[str]]
"""What a job runs: it is given a progress and returns one line that says what it did."""


@dataclass
class Job:
    """One job; only the registry changes it.

    ``name`` is what it does in few words, ``line`` the command line that does the same, ``place``
    the repository or directory that changes when it ends. ``outcome`` says what it did or what
    went wrong and what to do next.
    """

    number: int
    verb: str
    name: str
    line: str
    place: str
    started: float
    progress: Progress = field(default_factory=Progress)
    state: JobState = "running"
    outcome: str = ""
    ended: float | None = None
    seen: bool = False
    stop: Callable[[], None] = lambda: None
    """Ends its waiting at once, whatever it waits for."""
    clock: Callable[[], float] = time.monotonic
    pace: Pace = field(init=False)
    """Rate and time left, of the job and of its parts."""

    def __post_init__(self) -> None:
        self.pace = Pace(self.progress)

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self.state == "running"

    def cancel(self) -> None:
        """Ask it to stop; while it only asks where its version is, it ends at once.

        Later it may hold something to put back, or be about to show it: there it stops by itself.
        """
        self.progress.cancel()
        if not self.progress.total and not self.progress.note:
            self.stop()

    @property
    def said(self) -> str:
        """What is worth telling beside the numbers."""
        return self.progress.said(self.clock())

    def measure(self) -> None:
        """Take a sample of the rate; called a few times a second while it runs."""
        self.pace.sample(self.clock())


class JobList:
    """All jobs of this run of the deck, oldest first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.jobs: list[Job] = []
        self._clock = clock

    def add(self, verb: str, name: str, line: str, place: str) -> Job:
        """Note a job that starts now."""
        started = self._clock()
        job = Job(len(self.jobs) + 1, verb, name, line, place, started, clock=self._clock)
        self.jobs.append(job)
        return job

    def end(self, job: Job, state: JobState, outcome: str) -> None:
        """Note how a job ended."""
        job.state = state
        job.outcome = outcome
        job.ended = self._clock()

    def measure(self) -> None:
        """Sample the rates of all running jobs."""
        for job in self.running:
            job.measure()

    @property
    def running(self) -> list[Job]:
        """The jobs that still run, oldest first."""
        return [job for job in self.jobs if job.running]

    @property
    def unseen(self) -> list[Job]:
        """The jobs to tell of: those that run, and those whose end nobody has seen."""
        return [job for job in self.jobs if job.running or not job.seen]

    def see_all(self) -> None:
        """Note that the ends of all jobs were shown."""
        for job in self.jobs:
            job.seen = job.seen or not job.running

    def cancel_all(self) -> None:
        """Ask every running job to stop."""
        for job in self.running:
            job.cancel()

"""Jobs as lines: how far, how fast, how long, and what they wait for; by a clock of the test."""

from __future__ import annotations

import pytest

from rolldeck.tui.jobs import Job, JobList
from rolldeck.tui.models.job_line import in_one_line, job_line, part_lines

GIB = 1024**3


class Clock:
    """Seconds that a test lets pass."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


@pytest.fixture
def jobs(clock: Clock) -> JobList:
    """No jobs yet."""
    return JobList(clock)


@pytest.fixture
def job(jobs: JobList, clock: Clock) -> Job:
    """A pull of 4 GiB, half of it done within a second."""
    job = jobs.add("pull", "pull acme/fraud:v2.4.0", "rolldeck pull x", "acme/fraud")
    model = job.progress.part("model 9f3c2ab1d0e7", 3 * GIB)
    job.progress.part("dataset 77ab90c1f2d4", GIB)
    clock.now = 1.0
    jobs.measure()
    model.state = "receiving"
    model.advance(2 * GIB)
    clock.now = 2.0
    jobs.measure()
    return job


def test_a_running_job_says_how_far_how_fast_and_how_long(job: Job) -> None:
    """Amounts with one unit, rate, and time left."""
    text = job_line(job, 120).text
    for said in ("↓ pull acme/fraud:v2.4.0", "50 %", "2.0 of 4.0 GiB", "2.0 GiB/s", "1 s left"):
        assert said in text


def test_an_ended_job_says_what_it_did(jobs: JobList, job: Job) -> None:
    """In the place of the figures."""
    jobs.end(job, "done", "4.0 GiB in 2 s")
    assert job_line(job, 120).text.startswith("✓ pull acme/fraud:v2.4.0  done: 4.0 GiB")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_job_fits_in_its_line(job: Job, clock: Clock, width: int) -> None:
    """Share and time left stay when the rest gives way, and so does the name."""
    more = "+1 · 5 jobs"
    for _ in range(2):
        line = job_line(job, width, more)
        assert line.width <= width
        assert "pull acme/fraud:v2.4.0" in line.text
        assert line.text.endswith(more)
        assert "50 %" in line.text
        assert all(part.width <= width for part in part_lines(job, width))
        job.progress.parts[0].wait(12, "as the registry asked", clock.now)


def test_a_wait_counts_down_in_place_of_the_rate(job: Job, clock: Clock) -> None:
    """While nothing moves, a rate would be a lie."""
    job.progress.parts[0].wait(12, "as the registry asked", clock.now)
    for seconds in (12, 11, 10):
        text = job_line(job, 80, "5 jobs").text
        assert f"waiting {seconds} s as the registry asked" in text
        assert "GiB/s" not in text
        clock.now += 1


def test_a_resumed_job_says_where_it_goes_on(job: Job) -> None:
    """Beside the figures where there is room."""
    job.progress.parts[1].skip(GIB // 2)
    job.progress.parts[1].resume()
    assert "resuming at 50 %" in job_line(job, 120).text


def test_each_part_has_a_line(job: Job) -> None:
    """Name, share, amount, and what it does."""
    model, data = (line.text for line in part_lines(job, 100))
    assert model.startswith("model 9f3c2ab1d0e7")
    for said in ("━", " 66 %", "2.0 of 3.0 GiB", "2.0 GiB/s  1 s left"):
        assert said in model
    assert data.endswith("waiting")
    assert "  0 %  0 B of 1.0 GiB" in data


def test_many_parts_are_counted(jobs: JobList) -> None:
    """Other jobs stay in sight."""
    job = jobs.add("pull", "pull x", "rolldeck pull x", "x")
    for number in range(40):
        job.progress.part(f"code {number}", 10).state = "done" if number < 30 else "waiting"
    jobs.measure()
    lines = [line.text for line in part_lines(job, 80)]
    assert len(lines) == 13
    assert lines[-1] == "28 more; 30 done"


def test_a_job_before_and_after(jobs: JobList) -> None:
    """Before its size is known it says what it does; cancelled, that it stops."""
    job = jobs.add("verify", "verify /srv/x", "rolldeck verify /srv/x", "/srv/x")
    assert "starting" in job_line(job, 80).text
    assert part_lines(job, 80) == []
    job.progress.note = "checking files"
    assert "checking files" in job_line(job, 80).text
    job.progress.cancel()
    assert "stopping" in job_line(job, 80).text


def test_an_error_in_one_line_is_two_sentences() -> None:
    """A full stop stands between what failed and what to do."""
    assert in_one_line("No answer\nCheck the network.") == "No answer. Check the network."
    assert in_one_line("No answer.\nTry again") == "No answer. Try again"

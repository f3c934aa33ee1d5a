"""Slowing down together: who asks a busy registry, when, and how many at once."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from rolldeck.errors import CancelledError, UnavailableError
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.retry import Clocks
from rolldeck.oci.throttle import Throttle
from tests.oci.bench import Bench
from tests.servers.scripted import Scripted, ScriptedServer

OK = Scripted(body=b"ok")
BUSY = Scripted(429, headers={"Retry-After": "7"})


def a_throttle(most: int) -> Throttle:
    return Throttle("host", most, 60.0, Clocks(sleep=lambda _: None, monotonic=lambda: 100.0))


def test_everyone_waits_when_one_was_told_to(scripted: ScriptedServer) -> None:
    scripted.on("GET", "/v2/x", BUSY, OK)
    scripted.on("GET", "/v2/other", OK)
    bench = Bench(scripted)
    bench.get()
    bench.get("/v2/other")
    first, second = bench.slept
    assert first == 7
    assert 0 < second <= 7


def test_nobody_asks_a_registry_that_wants_an_hour(scripted: ScriptedServer) -> None:
    scripted.on("GET", ".*", Scripted(429, headers={"Retry-After": "3600"}))
    bench = Bench(scripted)
    for path in ("/v2/x", "/v2/other"):
        with pytest.raises(UnavailableError, match="asks to slow down") as raised:
            bench.get(path)
        assert raised.value.hint == "Try again in 60 min."
    assert len(scripted.asked) == 1


def test_tries_do_not_count_while_others_are_answered(scripted: ScriptedServer) -> None:
    """A registry that answers ten a second is not broken: who is refused waits for its turn."""
    scripted.on("GET", "/v2/x", *[Scripted(429)] * 9, OK)
    scripted.on("GET", "/v2/other", OK)
    sleeping: list[float] = []

    def sleep(seconds: float) -> None:
        sleeping.append(seconds)
        if len(sleeping) % 2:
            bench.get("/v2/other")

    bench = Bench(scripted, clocks=Clocks(sleep=sleep, chance=lambda: 0.5))
    assert bench.get().body == b"ok"
    assert scripted.paths().count("/v2/x") == 10


def test_another_failure_counts_while_others_are_answered(scripted: ScriptedServer) -> None:
    scripted.on("GET", "/v2/x", Scripted(500))
    scripted.on("GET", "/v2/other", OK)
    bench = Bench(scripted, clocks=Clocks(sleep=lambda _: bench.get("/v2/other")))
    with pytest.raises(UnavailableError, match="3 tries"):
        bench.get()
    assert scripted.paths().count("/v2/x") == 3


def test_a_burst_of_refusals_halves_once_and_good_answers_bring_it_back() -> None:
    throttle = a_throttle(8)
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(throttle.turn(Interrupt()))
        for _ in range(8):
            throttle.slow_down(5)
        assert throttle.allowed == 4
    for _ in range(100):
        with throttle.turn(Interrupt(), throttle.until):
            pass
    assert throttle.allowed == 8


def test_one_at_a_time_is_the_least() -> None:
    throttle = a_throttle(2)
    throttle.slow_down(None)
    assert throttle.allowed == 1
    with throttle.turn(Interrupt(), throttle.until):
        pass


def test_who_waits_for_a_turn_can_be_cancelled() -> None:
    throttle = a_throttle(1)
    cancelled = Interrupt()
    with throttle.turn(Interrupt()):
        cancelled.cancel()
        with pytest.raises(CancelledError), throttle.turn(cancelled):
            pass


def test_head_requests_share_a_connection(scripted: ScriptedServer) -> None:
    scripted.on("HEAD", "/v2/x", OK)
    bench = Bench(scripted)
    for _ in range(5):
        bench.get(method="HEAD")
    assert scripted.connections == 1

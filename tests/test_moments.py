"""Moments as people type them, and in both zones as they are shown."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from rolldeck.errors import UsageError
from rolldeck.moments import both_zones, parse_moment

NOW = datetime(2026, 11, 21, 8, 4, 12, tzinfo=UTC)


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A host in New York: five hours behind UTC in November, four in July."""
    monkeypatch.setenv("TZ", "EST5EDT,M3.2.0,M11.1.0")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T02:00", "2026-11-20T07:00:00+00:00"),
        ("2026-11-20 02:00", "2026-11-20T07:00:00+00:00"),
        ("2026-07-20T02:00", "2026-07-20T06:00:00+00:00"),
        ("2026-11-20T02:00Z", "2026-11-20T02:00:00+00:00"),
        ("2026-11-20T02:00+01:00", "2026-11-20T01:00:00+00:00"),
        ("2026-11-20", "2026-11-20T05:00:00+00:00"),
        ("02:41", "2026-11-21T07:41:00+00:00"),
        ("23:30", "2026-11-21T04:30:00+00:00"),
        ("3h ago", "2026-11-21T05:04:12+00:00"),
        ("35m", "2026-11-21T07:29:12+00:00"),
        ("2 d ago", "2026-11-19T08:04:12+00:00"),
    ],
)
def test_forms_of_a_moment(new_york: None, text: str, expected: str) -> None:
    assert parse_moment(text, NOW).isoformat() == expected


@pytest.mark.parametrize(
    "text", ["", "yesterday", "25:00", "2026-13-01", "2026-11-22", "0001-01-01", "9" * 99]
)
def test_what_is_no_moment_of_the_past_is_refused(new_york: None, text: str) -> None:
    if text == "0001-01-01":
        assert parse_moment("0001-01-02", NOW) < NOW
        return
    with pytest.raises(UsageError):
        parse_moment(text, NOW)


def test_both_zones_are_shown_with_the_day_where_it_differs(new_york: None) -> None:
    assert both_zones(NOW) == "2026-11-21 03:04 EST · 08:04 UTC"
    late = datetime(2026, 11, 21, 2, tzinfo=UTC)
    assert both_zones(late) == "2026-11-20 21:00 EST · 2026-11-21 02:00 UTC"


def test_a_host_in_utc_shows_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC0")
    time.tzset()
    assert both_zones(NOW) == "2026-11-21 08:04 UTC"

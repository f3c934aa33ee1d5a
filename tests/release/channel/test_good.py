"""Which version is the last known good, and why others are not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rolldeck.release.channel import Opinion, Standing, Verdict, candidates, objection
from tests.release.channel.made import START, digest, journal, version

NOW = START + timedelta(days=30)
WHOLE = Standing(complete=True, fits=True)


def verdict(opinion: Opinion) -> Verdict:
    return Verdict(version("a"), opinion, "mia", START, "f1 drop")


def test_candidates_come_newest_first_each_version_once_without_the_live_one() -> None:
    made = journal("-a", "ab", "bc", "cb", "bd", live="d")
    assert [item.digest for item in candidates(made, NOW)] == [
        digest("b"),
        digest("c"),
        digest("a"),
    ]


def test_a_version_that_was_live_for_long_once_has_soaked() -> None:
    made = journal("-a", "ab", "ba", "ac", live="c", hours=48)
    quick = journal("-a", "ab", "ba", "ac", live="c", hours=2)
    first, hasty = next(candidates(made, NOW)), next(candidates(quick, NOW))
    assert objection(first, None, WHOLE) is None
    assert "live for only 2 h" in str(objection(hasty, None, WHOLE))


@pytest.mark.parametrize(
    ("opinion", "standing", "expected"),
    [
        ("good", WHOLE, None),
        ("bad", WHOLE, "marked bad by mia: f1 drop"),
        (None, WHOLE, "live for only 2 h"),
        ("good", Standing(False, missing="2 blobs are gone"), "2 blobs are gone"),
        ("good", Standing(None), "not known to be complete"),
        ("good", Standing(True, False, misfit="needs driver 550"), "needs driver 550"),
        ("good", Standing(True, None), None),
    ],
)
def test_what_speaks_against_a_version(
    opinion: Opinion | None, standing: Standing, expected: str | None
) -> None:
    candidate = next(candidates(journal("-a", "ab", live="b", hours=2), NOW))
    found = objection(candidate, verdict(opinion) if opinion else None, standing)
    assert (found is None) == (expected is None)
    assert (expected or "") in (found or "")

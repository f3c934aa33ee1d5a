"""The rows of a repository while it is read."""

from __future__ import annotations

import random

from rolldeck.actions.version_board import Board
from rolldeck.actions.version_facts import RowFacts
from rolldeck.facts import order_tags, version_label
from rolldeck.oci import Digest, Reference, digest_of

PLACE = Reference.parse("ghcr.io/acme/fraud")
A, B = digest_of(b"a"), digest_of(b"b")
TAGS = ("v2", "v1", "latest", "stable")


def a_board(**digests: Digest) -> Board:
    board = Board(PLACE, TAGS)
    for tag, digest in digests.items():
        board.name(tag, digest)
    return board


def shown(board: Board) -> list[tuple[str, tuple[str, ...]]]:
    return [(row.label, row.badges) for row in board.rows()]


def test_a_row_per_tag_until_they_are_looked_up() -> None:
    assert shown(a_board()) == [(tag, ()) for tag in TAGS]
    assert {row.digest for row in a_board().rows()} == {None}


def test_tags_of_one_digest_are_one_row() -> None:
    """Named by the newest; moving words are badges in front of the others."""
    board = a_board(latest=A, v1=A, v2=A, stable=B)
    assert shown(board) == [("v2", ("latest", "v1")), ("stable", ())]
    assert board.rows()[0].tags == ("v2", "v1", "latest")
    assert str(board.rows()[0].reference) == f"ghcr.io/acme/fraud:v2@{A}"


def test_a_tag_that_moved_leaves_its_row() -> None:
    board = Board(PLACE, TAGS)
    for tag, digest in {"v2": B, "v1": A, "latest": A, "stable": A}.items():
        board.remember(tag, digest)
    assert all(row.remembered for row in board.rows())
    board.name("latest", B)
    board.name("v2", B)
    assert shown(board) == [("v2", ("latest",)), ("v1", ("stable",))]
    assert [row.remembered for row in board.rows()] == [False, True]


def test_a_version_that_lost_its_first_tag_is_named_by_the_next() -> None:
    board = a_board(v2=A, v1=A)
    board.drop("v2")
    assert shown(board)[0] == ("v1", ())
    board.drop("v1")
    assert shown(board) == [("latest", ()), ("stable", ())]


def test_what_a_version_says_stays_with_its_digest() -> None:
    """Facts may come before a tag is known, and follow a tag that moves."""
    board = a_board(v2=A)
    board.describe(B, RowFacts("modelkit", 7, loaded=True))
    board.name("v2", B)
    assert board.rows()[0].size == 7
    again = Board(PLACE, TAGS, facts=board.facts)
    again.name("latest", B)
    assert [row.size for row in again.rows()] == [None, None, 7, None]


def test_a_problem_is_told_in_the_row_of_its_tag() -> None:
    board = a_board(v2=A, latest=A)
    board.fail("v2", "broken")
    first = board.rows()[0]
    assert (first.label, first.problem, first.loaded) == ("v2", "broken", True)
    assert ("latest", ()) in shown(board)


def test_what_is_in_the_library_is_local() -> None:
    board = Board(PLACE, TAGS, held=frozenset({A}))
    board.name("v1", A)
    board.name("v2", B)
    assert [row.local for row in board.rows()] == [False, True, False, False]


def test_any_sequence_ends_as_if_it_were_told_at_once() -> None:
    """The rows depend on what the tags name in the end, not on how that came to be known."""
    chance = random.Random(1)
    tags = order_tags(["v3", "v2", "v1", "run-7", "latest", "prod", "0f3c2ab1"])
    digests = [digest_of(b"%d" % number) for number in range(4)]
    for _ in range(300):
        board = Board(PLACE, tags)
        final: dict[str, Digest] = {}
        for tag in tags:
            if chance.random() < 0.5:
                board.remember(tag, chance.choice(digests))
        for tag in chance.sample(tags, len(tags)):
            fate = chance.random()
            if fate < 0.1:
                board.drop(tag)
            else:
                final[tag] = chance.choice(digests)
                board.name(tag, final[tag])
            board.describe(chance.choice(digests), RowFacts("modelkit", 1))
        expected = {
            digest: version_label([tag for tag in final if final[tag] == digest])
            for digest in set(final.values())
        }
        rows = board.rows()
        assert {row.digest: (row.label, row.badges) for row in rows} == expected
        assert [row.label for row in rows] == [
            tag for tag in tags if tag in {label for label, _ in expected.values()}
        ]
        assert not any(row.remembered for row in rows)

"""The operations on channels that every kill is tried on, in the library and in a registry.

A world's channel is ``production`` beside v1 and v2, of which v1 is marked good. What is recorded
is seen as anybody sees it: through ``audit``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tests.faults.forked import Ran
from tests.faults.operations import World

AT_ONCE = """
import rolldeck.actions.channel_apply as apply, rolldeck.actions.outbox as outbox
import rolldeck.release.channel.move as move
move._WATCHED = 0.0
for function in (apply.apply_channel, outbox.publish, move.make_move, move.finish):
    function.__kwdefaults__["settle"] = 0.0
"""
"""Nobody else moves these channels, so nobody has to be waited for."""

DOWN = """
from rolldeck.errors import UnavailableError
from rolldeck.oci.transport import HttpTransport
def request(self, *words, **more):
    raise UnavailableError("down")
HttpTransport.request = request
"""

KILL_AT_REQUEST = """
import itertools, os
from rolldeck.oci.transport import HttpTransport
count, real = itertools.count(1), HttpTransport.exchange
def exchange(self, call, *rest, **more):
    number = next(count) if call.method in {methods!r} else 0
    if number == {number} and not {after}:
        os._exit({code})
    try:
        return real(self, call, *rest, **more)
    finally:
        if number == {number} and {after}:
            os._exit({code})
HttpTransport.exchange = exchange
"""
"""Ends the process at a request: before it is sent, or after it was answered."""


@dataclass(frozen=True)
class ChannelWorld:
    """A world with a channel; ``is_local`` where that is in the library."""

    world: World
    is_local: bool

    def at(self, tag: str) -> str:
        """A version or channel, as a user types it."""
        return self.world.local(tag) if self.is_local else self.world.version(tag)

    def run(self, *words: object, script: str = "", **more: Any) -> Ran:
        """Run a command line here."""
        return self.world.run(*words, script=AT_ONCE + script, **more)

    def must(self, *words: object, script: str = "") -> Ran:
        """Run a command line that succeeds."""
        ran = self.run(*words, script=script)
        assert ran.code == 0, ran
        return ran

    def recorded(self) -> dict[str, Any]:
        """What is recorded, but for times and what was never made."""
        ran = self.run("audit", self.at("production"), "--json", "--read-only")
        assert ran.code == 0, ran
        (place,) = ran.document["places"]
        moves = [row for row in place["records"] if row["kind"] == "move"]
        return {
            "live": self.live(),
            "moves": [(row["verb"], row["to"]) for row in moves if row["outcome"] == "made"],
            "marks": sorted(
                (row["kind"], row["verb"], row["to"], row["reason"] or "")
                for row in place["records"]
                if row["kind"] != "move"
            ),
            "notes": [note["kind"] for note in place["notes"] if note["kind"] != "void"],
        }

    def live(self) -> str | None:
        """What the channel points at."""
        found = self.run("channels", self.at("v1").rpartition(":")[0], "--json", "--read-only")
        assert found.code == 0, found
        return next(
            (row["digest"] for row in found.document["channels"] if row["name"] == "production"),
            None,
        )


@dataclass(frozen=True)
class ChannelOperation:
    """One operation: ``words`` after ``prepare``. ``repeats``: once more it does nothing."""

    name: str
    prepare: Callable[[ChannelWorld], None]
    words: Callable[[ChannelWorld], list[object]]
    repeats: bool = False

    def run(self, place: ChannelWorld, script: str = "", **more: Any) -> Ran:
        """Run it."""
        return place.run(*self.words(place), script=script, **more)


def _at(*tags: str) -> Callable[[ChannelWorld], None]:
    def prepare(place: ChannelWorld) -> None:
        place.must("verdict", place.at("v1"), "good")
        for tag in tags:
            place.must("promote", place.at(tag), "production", "--yes")

    return prepare


def _rolled_back(place: ChannelWorld) -> None:
    _at("v1", "v2")(place)
    place.must("rollback", place.at("production"), "--yes")


def _drifted(place: ChannelWorld) -> None:
    _at("v1")(place)
    place.must("tag", place.at("v2"), "production", "--yes")


def _queued(place: ChannelWorld) -> None:
    """A rollback of the local target, made while the registry was down."""
    _at("v1", "v2")(place)
    target = place.world.target.path
    for tag in ("v1", "v2"):
        place.must("pin", place.at(tag), target, "--yes")
    words = ("rollback", target, "--channel", "production", "--reason", "f1 drop", "--yes")
    place.must(*words, script=DOWN)


OPERATIONS = [
    ChannelOperation(
        "promote",
        _at("v1"),
        lambda place: ["promote", place.at("v2"), "production", "--yes"],
        repeats=True,
    ),
    ChannelOperation(
        "rollback",
        _at("v1", "v2"),
        lambda place: ["rollback", place.at("production"), "--yes", "--reason", "f1 drop"],
    ),
    ChannelOperation("undo", _rolled_back, lambda place: ["undo", place.at("production"), "--yes"]),
    ChannelOperation("adopt", _drifted, lambda place: ["adopt", place.at("production"), "--yes"]),
    ChannelOperation(
        "restore", _drifted, lambda place: ["restore", place.at("production"), "--yes"]
    ),
]

PUBLISH = ChannelOperation("publish", _queued, lambda place: ["publish"], repeats=True)
"""Only of a registry: the library is never down."""


def in_repository(world: World, name: str) -> World:
    """Copy the versions into a repository of their own, which a trial may change."""
    host, _, repository = world.source.partition("/")
    fresh = f"{host}/{repository}-{name}"
    for tag in ("v1", "v2"):
        world.must("copy", world.version(tag), f"{fresh}:{tag}")
    return replace(world, source=fresh)

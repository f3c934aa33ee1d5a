"""What changes anything: each verb of the registry of commands, so that none can be forgotten.

A verb that is added to the commands without a line here fails.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rolldeck.actions import apply_channel
from rolldeck.cli.arguments import verb_parser
from rolldeck.commands import command_of_verb, verbs
from rolldeck.oci.transport import HttpTransport
from tests.cli.conftest import Run
from tests.release import processes
from tests.release.channel.places import Site, site_in
from tests.servers.registry import RunningRegistry

CHANGING = tuple(verb for verb in verbs() if command_of_verb(verb).danger != "look")

REMOVES_WITH_APPLY = ("gc", "prune")
"""Without it they only report, and only with it they change anything."""

ASKS_NOTHING = {
    "follow": "pin --follow was agreed to",
    "publish": "the rollback was agreed to when it was made",
    "logout": "it removes what can be typed again",
}
"""Verbs that change what is live, or remove something, without a question."""

NO_DRY_RUN = {"demo": "it works in a directory of its own, which it makes"}

LINES = {
    "pull": ["pull", "{version}"],
    "unpack": ["unpack", "{version}", "-d", "{home}/out"],
    "pin": ["pin", "{version}", "{target}"],
    "follow": ["follow", "{target}", "--once"],
    "promote": ["promote", "{version}", "{channel}", "--force"],
    "rollback": ["rollback", "{channel}", "--to", "{tag}"],
    "undo": ["undo", "{channel}"],
    "hold": ["hold", "{channel}"],
    "unhold": ["unhold", "{held}"],
    "verdict": ["verdict", "{version}", "bad"],
    "adopt": ["adopt", "{drifted}"],
    "restore": ["restore", "{drifted}"],
    "publish": ["publish"],
    "init": ["init", "{home}/context"],
    "pack": ["pack", "{home}/packed", "-t", "made:v1"],
    "push": ["push", "local:{channel}", "{repository}:pushed"],
    "copy": ["copy", "{version}", "oci:{home}/copied:v1"],
    "tag": ["tag", "{version}", "drifted"],
    "untag": ["untag", "local:{channel}"],
    "rm": ["rm", "local:{channel}"],
    "gc": ["gc", "--apply", "--grace", "0"],
    "prune": ["prune", "{target}", "--apply", "--keep", "1"],
    "login": ["login", "{host}", "-u", "mia", "--password-stdin"],
    "logout": ["logout", "{host}"],
    "demo": ["demo", "--headless", "--directory", "{home}/demo"],
}
"""A command line of each that would do something in the world below."""

ALSO = {
    "follow a channel": ["pin", "--follow", "{channel}", "{target}"],
    "roll a target back": ["rollback", "{target}"],
    "roll both back": ["rollback", "{target}", "--channel", "{channel}"],
    "undo a target": ["undo", "{target}"],
    "rehearse": ["rollback", "{channel}", "--to", "{tag}", "--rehearse"],
    "verify and repair": ["verify", "--repair"],
    "doctor that writes": ["doctor", "{repository}", "--write"],
    "unpack on the way": ["pull", "{version}", "--unpack", "{home}/out"],
    "pack and push": ["pack", "{home}/packed", "-t", "{repository}:packed", "--push"],
}
"""Other forms of a verb, and verbs that only look without an option."""


@dataclass(frozen=True)
class Scene:
    """A registry with channels, a library, and a target that is behind the channel it follows."""

    names: dict[str, str]
    home: Path
    sent: list[str]

    def line(self, words: list[str]) -> list[str]:
        """A command line with the names of this world."""
        return [word.format(**self.names) for word in words]

    def files(self) -> dict[str, str]:
        """Everything on the disk but what is only remembered, by its content."""
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            if path.is_file() and not path.is_symlink()
            else str(path.readlink() if path.is_symlink() else "")
            for path in sorted(self.home.rglob("*"))
            if "cache" not in path.relative_to(self.home).parts[:1] and path.suffix != ".lock"
        }


@pytest.fixture
def scene(
    docker_registry: RunningRegistry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rolldeck: Run,
) -> Iterator[Scene]:
    """A channel went a, b; a target that follows it is at a; another channel drifted."""
    home = tmp_path / "home"
    for kind in ("STATE", "CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
    monkeypatch.setenv("ROLLDECK_LIBRARY", str(home / "library"))
    monkeypatch.setenv("DOCKER_CONFIG", str(home / "docker"))
    monkeypatch.setitem(apply_channel.__kwdefaults__, "settle", 0.0)  # nobody else moves them
    processes.see_all(monkeypatch)
    with site_in("docker", docker_registry, tmp_path) as site:
        names = _names(site, home)
        sent: list[str] = []
        _prepare(rolldeck, names, home)
        monkeypatch.setattr(HttpTransport, "exchange", _noting(HttpTransport.exchange, sent))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"secret\n")))
        yield Scene(names, home, sent)


def _noting(real: Any, sent: list[str]) -> Any:
    def exchange(self: HttpTransport, call: Any, *rest: Any, **more: Any) -> Any:
        sent.append(call.method)
        return real(self, call, *rest, **more)

    return exchange


def _names(site: Site, home: Path) -> dict[str, str]:
    repository = str(site.reference)
    return {
        "repository": repository,
        "version": f"{repository}:v1.0.2",
        "tag": "v1.0.0",
        "channel": f"{repository}:production",
        "held": f"{repository}:held",
        "drifted": f"{repository}:drifted",
        "target": str(home / "serving"),
        "home": str(home),
        "host": repository.partition("/")[0],
    }


def _prepare(rolldeck: Run, names: dict[str, str], home: Path) -> None:
    first, second, third = (f"{names['repository']}:v1.0.{number}" for number in range(3))
    for channel in ("production", "held", "drifted"):
        _do(rolldeck, "promote", first, channel, "--yes")
    _do(rolldeck, "hold", names["held"], "--yes")
    for words in (
        ("--follow", names["channel"]),
        (second,),
        (third,),
        ("--follow", names["channel"]),
    ):
        _do(rolldeck, "pin", *words, names["target"], "--yes")
    # Else the next move would take the target along.
    (home / "state" / "rolldeck" / "targets.json").unlink()
    _do(rolldeck, "promote", second, "production", "--yes", "--force")
    _do(rolldeck, "tag", second, "drifted", "--yes")
    _do(rolldeck, "pull", names["channel"])
    _do(rolldeck, "pull", first)
    _do(rolldeck, "untag", f"local:{first}", "--yes")
    (home / "docker").mkdir()
    login = {"auths": {names["host"]: {"auth": "bWlhOnNlY3JldA=="}}}
    (home / "docker" / "config.json").write_text(json.dumps(login))
    for name in ("context", "packed"):
        (home / name).mkdir()
        (home / name / "model.onnx").write_bytes(b"weights")
    _do(rolldeck, "init", home / "packed")


def _do(rolldeck: Run, *words: object) -> None:
    ran = rolldeck(*words)
    assert ran.code == 0, (words, ran.err)


def _options(verb: str) -> set[str]:
    (action,) = (item for item in verb_parser()._actions if item.dest == "verb")
    assert action.choices is not None
    parser: ArgumentParser = action.choices[verb]  # type: ignore[call-overload]
    return set(parser._option_string_actions)


def test_every_verb_that_changes_anything_is_tried_here() -> None:
    assert set(LINES) == set(CHANGING)


def test_read_only_takes_every_changing_verb_away(scene: Scene, rolldeck: Run) -> None:
    """Code 8 and one line; nothing on the disk changes, and a registry is at most read."""
    before = scene.files()
    for name, words in {**LINES, **ALSO}.items():
        agreed = ["--yes"] if "--yes" in _options(words[0]) else []
        ran = rolldeck(*scene.line(words), *agreed, "--read-only")
        assert ran.code == 8, (name, ran)
        assert "read-only" in ran.err, (name, ran)
        assert scene.files() == before, name
    assert set(scene.sent) <= {"GET", "HEAD"}


@pytest.mark.parametrize("verb", [verb for verb in CHANGING if verb not in NO_DRY_RUN])
def test_a_dry_run_of_every_changing_verb_changes_nothing(
    scene: Scene, rolldeck: Run, verb: str
) -> None:
    before = scene.files()
    ran = rolldeck(*scene.line(LINES[verb]), "--dry-run")
    assert ran.code == 0, ran
    assert scene.files() == before
    assert set(scene.sent) <= {"GET", "HEAD"}


@pytest.mark.parametrize("verb", CHANGING)
def test_every_changing_verb_speaks_json(verb: str) -> None:
    assert "--json" in _options(verb)


@pytest.mark.parametrize(
    "verb",
    [
        verb
        for verb in CHANGING
        if command_of_verb(verb).danger == "changes" and verb not in ASKS_NOTHING
    ],
)
def test_without_a_terminal_nothing_is_moved_or_removed_unasked(
    scene: Scene, rolldeck: Run, verb: str
) -> None:
    """Code 2 without ``--yes``; with it the same line is carried out."""
    before = scene.files()
    ran = rolldeck(*scene.line(LINES[verb]))
    assert ran.code == 2, ran
    assert "--yes" in ran.err
    assert scene.files() == before
    assert set(scene.sent) <= {"GET", "HEAD"}
    assert rolldeck(*scene.line(LINES[verb]), "--yes").code == 0

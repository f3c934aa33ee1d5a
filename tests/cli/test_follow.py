"""pin --follow, follow, status and prune on the command line; several followers as processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rolldeck.oci import Digest
from rolldeck.release import Target
from rolldeck.release.following import followed_alone
from tests.actions.channels import Desk, desk_at
from tests.cli.conftest import Run
from tests.release import processes
from tests.release.channel.places import Site, site_in
from tests.servers.registry import RunningRegistry


@pytest.fixture
def site(
    docker_registry: RunningRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    """A registry with a channel: a was good for days, b came an hour ago."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("ROLLDECK_LIBRARY", str(tmp_path / "library"))
    processes.see_all(monkeypatch)
    with site_in("docker", docker_registry, tmp_path) as found:
        at(found, lambda desk: desk.record("a", "b", ago=1))
        yield found


def at(site: Site, use: Any) -> Any:
    """Do something with the channel behind the command line's back."""

    async def run() -> Any:
        async with desk_at(site) as desk:
            return await use(desk)

    return asyncio.run(run())


@pytest.fixture
def channel(site: Site) -> str:
    return str(site.reference.tagged("production"))


@pytest.fixture
def serving(rolldeck: Run, channel: str, tmp_path: Path) -> Target:
    """A target that follows it."""
    ran = rolldeck("pin", "--follow", channel, tmp_path / "serving")
    assert ran.code == 0, ran.err
    return Target(tmp_path / "serving")


def test_pin_follow_as_a_document(rolldeck: Run, site: Site, channel: str, tmp_path: Path) -> None:
    path = tmp_path / "serving"
    planned = rolldeck("pin", "--follow", channel, path, "--dry-run", "--json").document
    assert (planned["digest"], planned["applied"]) == (site.versions["b"], False)
    assert not path.exists()
    done = rolldeck("pin", "--follow", channel, path, "--json").document
    assert (done["digest"], done["generation"]) == (site.versions["b"], 1)


def test_follow_streams_a_line_per_event(
    rolldeck: Run, site: Site, channel: str, serving: Target
) -> None:
    at(site, lambda desk: desk.roll_back(reason="f1 drop"))
    ran = rolldeck("follow", serving.path, "--once", "--json")
    assert ran.code == 0, ran.err
    (event,) = [json.loads(line) for line in ran.out.splitlines()]
    assert (event["event"], event["digest"], event["previous"]) == (
        "switched",
        site.versions["a"],
        site.versions["b"],
    )
    assert (event["channel"], event["held"], event["bytes"]) == (channel, True, 0)


def test_a_refusal_is_code_8(rolldeck: Run, site: Site, serving: Target) -> None:
    at(site, lambda desk: desk.retag("c"))
    at(site, lambda desk: desk.mark("c", "bad"))
    ran = rolldeck("follow", serving.path, "--once")
    assert ran.code == 8
    assert "marked bad by mia: f1 drop" in ran.out
    assert serving.current() == site.versions["b"]


def test_a_failed_hook_goes_back_and_is_code_8(rolldeck: Run, site: Site, serving: Target) -> None:
    at(site, lambda desk: desk.record("c"))
    check = f"sh -c 'test $ROLLDECK_DIGEST != {site.versions['c']}'"
    ran = rolldeck("follow", serving.path, "--once", "--check", check)
    assert ran.code == 8
    assert "went back: check failed: exit code 1; v1.0.1 is back" in ran.out
    assert serving.current() == site.versions["b"]
    status = rolldeck("status", serving.path)
    assert status.code == 9
    assert "failed its hooks here and was left" in status.out


@pytest.mark.parametrize("words", [["--check", "a 'b"], ["--reload", ""], ["--interval", "0"]])
def test_mistakes_are_told_before_anything_runs(
    rolldeck: Run, serving: Target, words: list[str]
) -> None:
    assert rolldeck("follow", serving.path, "--once", *words).code == 2


def test_read_only_takes_following_away(rolldeck: Run, channel: str, serving: Target) -> None:
    assert rolldeck("follow", serving.path, "--once", "--read-only").code == 8
    assert rolldeck("pin", "--follow", channel, serving.path, "--read-only").code == 8
    assert rolldeck("prune", serving.path, "--apply", "--yes", "--read-only").code == 8


def test_what_follows_nothing_cannot_be_followed(rolldeck: Run, tmp_path: Path) -> None:
    assert rolldeck("follow", tmp_path, "--once").code == 3


def test_a_rollback_of_the_channel_takes_the_targets_of_this_host_along(
    rolldeck: Run, site: Site, channel: str, serving: Target
) -> None:
    """In the same command, whether or not a follower runs; undo takes them back again."""
    planned = rolldeck("rollback", channel, "--dry-run")
    assert "switch 1 local target here" in planned.out
    assert serving.current() == site.versions["b"]
    ran = rolldeck("rollback", channel, "--yes")
    assert ran.code == 0, ran.err
    assert "0 B moved" in ran.out
    assert serving.current() == site.versions["a"]
    assert rolldeck("status", serving.path).code == 0
    (event,) = rolldeck("undo", channel, "--yes", "--json").document["followers"]
    assert (event["event"], event["digest"]) == ("switched", site.versions["b"])
    assert [move.verb for move in serving.history()] == ["follow"] * 3


def test_a_rollback_of_one_target_says_how_all_go_back(
    rolldeck: Run, channel: str, serving: Target
) -> None:
    ran = rolldeck("rollback", serving.path, "--dry-run")
    assert f"{channel} stays; for all who follow it: rolldeck rollback {channel}" in ran.out
    assert f"stops following {channel}; again: rolldeck pin --follow" in ran.out


def test_a_version_that_is_not_unpacked_is_left_to_the_follower(
    rolldeck: Run, site: Site, channel: str, serving: Target
) -> None:
    version = str(site.reference.tagged("v1.0.2"))
    words = ("promote", version, channel, "--yes", "--json", "--force")
    (event,) = rolldeck(*words).document["followers"]
    assert event["event"] == "waiting"
    assert f"rolldeck follow --once {serving.path}" in event["detail"]
    assert serving.current() == site.versions["b"]


def test_a_target_that_a_process_follows_is_left_to_it(
    rolldeck: Run, site: Site, channel: str, serving: Target
) -> None:
    """It may have hooks to run."""
    with followed_alone(serving):
        (event,) = rolldeck("rollback", channel, "--yes", "--json").document["followers"]
    assert (event["event"], event["channel"]) == ("waiting", channel)
    assert serving.current() == site.versions["b"]


def test_a_rollback_that_did_not_come_to_its_targets_is_ended_by_the_same_command(
    rolldeck: Run, site: Site, channel: str, serving: Target
) -> None:
    """Instead of going one further back."""
    with followed_alone(serving):
        assert rolldeck("rollback", channel, "--yes").code == 0
    assert serving.current() == site.versions["b"]
    again = rolldeck("rollback", channel, "--yes")
    assert "was cut short; nothing moves again" in again.out
    assert serving.current() == site.versions["a"]
    assert len(rolldeck("log", channel, "--json").document["generations"]) == 3


def test_the_hooks_of_a_target_that_went_along_are_run_by_its_follower(
    rolldeck: Run, site: Site, channel: str, serving: Target, tmp_path: Path
) -> None:
    hook = f"sh -c 'echo $ROLLDECK_DIGEST >> {tmp_path}/loaded'"
    assert rolldeck("follow", serving.path, "--once", "--reload", hook).code == 0
    assert rolldeck("rollback", channel, "--yes").code == 0
    assert not (tmp_path / "loaded").exists()
    assert rolldeck("follow", serving.path, "--once", "--reload", hook).code == 0
    assert (tmp_path / "loaded").read_text().split() == [site.versions["a"]]


def test_a_target_that_cannot_be_read_does_not_undo_the_move(
    rolldeck: Run, site: Site, channel: str, serving: Target
) -> None:
    """The channel has moved; the damage is told beside it."""
    history = serving.path / ".rolldeck" / "history.jsonl"
    history.write_text("{}\n" + history.read_text())
    ran = rolldeck("rollback", channel, "--yes", "--json")
    assert ran.code == 0
    (event,) = ran.document["followers"]
    assert event["event"] == "failed"
    assert at(site, lambda desk: desk.live()) == "a"


class Process:
    """A follower as a process of its own; its events are read as they come."""

    def __init__(self, path: Path) -> None:
        self._ran = subprocess.Popen(
            [sys.executable, "-m", "rolldeck", "follow", str(path), "--interval", "1", "--json"],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ,
        )

    def wait_for(self, kind: str) -> dict[str, Any]:
        """Read events until one of that kind; fails where the process ends before."""
        assert self._ran.stdout is not None
        for line in self._ran.stdout:
            event: dict[str, Any] = json.loads(line)
            if event["event"] == kind:
                return event
        raise AssertionError(f"no event {kind}")

    def end(self) -> int:
        """Ask it to end; returns its exit code."""
        self._ran.send_signal(signal.SIGTERM)
        code = self._ran.wait(20)
        assert self._ran.stdout is not None
        self._ran.stdout.close()
        return code


def test_three_followers_switch_after_one_rollback_to_the_held_version_only(
    rolldeck: Run, site: Site, channel: str, tmp_path: Path
) -> None:
    """Automation moves the tag on at once; none of them goes there, neither then nor later."""
    paths = [tmp_path / f"serving-{number}" for number in range(3)]
    for path in paths:
        assert rolldeck("pin", "--follow", channel, path).code == 0
    running = [Process(path) for path in paths]
    try:
        for follower in running:
            follower.wait_for("current")

        async def roll_back_and_retag(desk: Desk) -> None:
            await desk.roll_back(reason="f1 drop")
            await desk.retag("c")

        at(site, roll_back_and_retag)
        for follower in running:
            event = follower.wait_for("switched")
            assert (event["digest"], event["bytes"]) == (site.versions["a"], 0)
        for follower in running:
            assert follower.wait_for("current")["goal"] == site.versions["a"]
    finally:
        codes = [follower.end() for follower in running]
    assert codes == [128 + signal.SIGTERM] * 3
    for path in paths:
        went: list[Digest | None] = [move.to_digest for move in Target(path).history()]
        assert went == [site.versions["b"], site.versions["a"]]


def test_status_of_a_target_that_is_where_its_channel_is(
    rolldeck: Run, site: Site, channel: str, serving: Target
) -> None:
    ran = rolldeck("status", serving.path, "--json")
    assert ran.code == 0, ran.out
    found = ran.document
    assert (found["live"], found["last_known_good"]) == (site.versions["b"], site.versions["a"])
    assert found["rollback"] == {
        "ready": True,
        "to": site.versions["a"],
        "bytes": 0,
        "why_not": None,
    }
    assert (found["drift"], found["hold"], found["follows"]) == (False, None, channel)
    assert found["channel"]["live"] == site.versions["b"]


def test_status_of_a_target_that_is_behind_is_code_9(
    rolldeck: Run, site: Site, serving: Target
) -> None:
    at(site, lambda desk: desk.roll_back())
    ran = rolldeck("status", serving.path, "--json")
    assert ran.code == 9
    assert ran.document["drift"] is True
    assert ran.document["hold"]["digest"] == site.versions["a"]
    assert "is held at v1.0.0" in ran.document["differences"][0]


def test_status_without_the_registry_answers_from_the_target(
    rolldeck: Run, serving: Target
) -> None:
    """What is unpacked is ready, whoever is down."""
    document = json.loads((serving.path / ".rolldeck" / "pin.json").read_bytes())
    document["channel"] = "127.0.0.1:1/gone:production"
    (serving.path / ".rolldeck" / "pin.json").write_text(json.dumps(document))
    ran = rolldeck("status", serving.path)
    assert ran.code == 0
    assert "registry unknown: " in ran.out
    assert "rollback ready: to v1.0.0, 0 B to move" in ran.out


def test_status_of_all_known_targets(rolldeck: Run, serving: Target) -> None:
    ran = rolldeck("status", "--json")
    assert [item["name"] for item in ran.document["targets"]] == [str(serving.path)]
    assert ran.code == 0


def test_status_of_a_channel(rolldeck: Run, site: Site, channel: str) -> None:
    found = rolldeck("status", channel, "--json")
    assert found.code == 0
    assert found.document["rollback"]["to"] == site.versions["a"]
    assert found.document["rollback"]["bytes"] > 0
    at(site, lambda desk: desk.retag("c"))
    drifted = rolldeck("status", channel)
    assert drifted.code == 9
    assert "drift: its journal says v1.0.1: moved without a record" in drifted.out


def test_status_where_nothing_can_be_gone_back_to_is_code_3(
    rolldeck: Run, site: Site, channel: str
) -> None:
    at(site, lambda desk: desk.mark("a", "bad"))
    ran = rolldeck("status", channel, "--json")
    assert ran.code == 3
    assert "marked bad by mia" in ran.document["rollback"]["why_not"]


def test_status_of_a_link_that_was_changed_by_hand(rolldeck: Run, serving: Target) -> None:
    serving.link.unlink()
    serving.link.symlink_to("/somewhere")
    ran = rolldeck("status", serving.path)
    assert ran.code == 9
    assert "which rolldeck did not unpack" in ran.out


def test_status_of_files_that_were_changed(rolldeck: Run, serving: Target) -> None:
    file = next(path for path in (serving.path / "current").rglob("*") if path.is_file())
    file.chmod(0o644)
    file.write_bytes(b"changed")
    ran = rolldeck("status", serving.path)
    assert ran.code == 9
    assert f"drift: {file.name}" in ran.out


def test_status_of_what_is_not_there(rolldeck: Run, site: Site, tmp_path: Path) -> None:
    assert rolldeck("status", tmp_path / "nothing").code == 3
    assert rolldeck("status", site.reference.tagged("nothing")).code == 3
    assert rolldeck("status", str(site.reference)).code == 2


def test_prune_reports_and_removes(
    rolldeck: Run, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "serving"
    for letter in "abc":
        version = site.reference.at(site.versions[letter])
        assert rolldeck("pin", version, path, "--yes").code == 0
    assert rolldeck("prune", path, "--json").document["removed"] == []
    reported = rolldeck("prune", path, "--keep", 1, "--json").document
    assert [item["digest"] for item in reported["removed"]] == [site.versions["a"]]
    assert reported["applied"] is False
    assert rolldeck("prune", path, "--keep", 1, "--apply").code == 2
    ran = rolldeck("prune", path, "--keep", 1, "--apply", "--yes")
    assert "keeps 2 releases, 1 can go, frees " in ran.out
    assert Target(path).unpacked() == {site.versions["b"], site.versions["c"]}

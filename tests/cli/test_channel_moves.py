"""promote, rollback, undo, adopt, restore, hold, unhold and verdict on the command line."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from rolldeck.cli import terminal
from tests.actions.channels import Desk, desk_at
from tests.cli.conftest import Run
from tests.release.channel.places import Site, site_in
from tests.servers.registry import RunningRegistry


@pytest.fixture
def site(docker_registry: RunningRegistry, tmp_path: Path) -> Iterator[Site]:
    """A layout with three versions."""
    with site_in("layout", docker_registry, tmp_path) as found:
        yield found


@pytest.fixture
def channel(site: Site) -> str:
    """Its channel: a was good for days, b came an hour ago."""

    async def make() -> None:
        async with desk_at(site) as desk:
            await desk.record("a", "b", ago=1)

    asyncio.run(make())
    return str(site.reference.tagged("production"))


def at(site: Site, use: Any) -> Any:
    """Do something with the channel behind the command line's back."""

    async def run() -> Any:
        async with desk_at(site) as desk:
            found: Coroutine[Any, Any, Any] = use(desk)
            return await found

    return asyncio.run(run())


def live(site: Site) -> str | None:
    found: str | None = at(site, Desk.live)
    return found


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have a terminal on which somebody types an answer."""

    def typed(text: str) -> None:
        monkeypatch.setattr(terminal, "can_ask", lambda: True)
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{text}\n"))

    return typed


def test_a_rollback_shows_its_plan_and_prints_what_it_did(
    rolldeck: Run, site: Site, channel: str
) -> None:
    ran = rolldeck("rollback", channel, "--yes", "--reason", "f1 drop")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[0] == f"roll back {channel}"
    assert lines[1].startswith("  v1.0.1 (")
    assert "  ✓ last known good: g1, live 2 days" in lines
    assert any("will write g3, hold it until" in line for line in lines)
    assert any("marked bad" in line for line in lines)
    assert lines[-1] == f"Take it back: rolldeck undo {channel}"
    assert live(site) == "a"


def test_a_rollback_as_a_document(rolldeck: Run, site: Site, channel: str) -> None:
    planned = rolldeck("rollback", channel, "--dry-run", "--json").document
    assert (planned["applied"], planned["entry"], live(site)) == (False, None, "b")
    document = rolldeck("rollback", channel, "--yes", "--json").document
    assert document["channel"] == channel
    assert (document["from"], document["to"]) == (site.versions["b"], site.versions["a"])
    assert (document["generation"], document["applied"]) == (3, True)
    assert document["hold"]["digest"] == site.versions["a"]
    assert document["marked_bad"] == site.versions["b"]
    assert document.keys() == planned.keys()
    assert {item["check"] for item in document["plan"]} >= {"complete", "contract", "signed"}


def test_without_a_terminal_nothing_moves_unless_told(
    rolldeck: Run, site: Site, channel: str
) -> None:
    for words in (
        ["rollback", channel],
        ["undo", channel],
        ["promote", str(site.reference.tagged("v1.0.2")), channel],
        ["hold", channel],
    ):
        assert rolldeck(*words).code == 2
    assert live(site) == "b"


@pytest.mark.parametrize(("typed", "moved"), [("production", True), ("y", False), ("", False)])
def test_forward_asks_for_the_channels_name(
    rolldeck: Run, site: Site, channel: str, answer: Any, typed: str, moved: bool
) -> None:
    answer(typed)
    ran = rolldeck("promote", "v1.0.2", channel)
    assert ran.code == (0 if moved else 130)
    assert live(site) == ("c" if moved else "b")


@pytest.mark.parametrize(("typed", "moved"), [("y", True), ("n", False)])
def test_back_asks_for_one_y(
    rolldeck: Run, site: Site, channel: str, answer: Any, typed: str, moved: bool
) -> None:
    answer(typed)
    assert rolldeck("rollback", channel).code == (0 if moved else 130)
    assert live(site) == ("a" if moved else "b")


def test_a_tag_alone_is_one_of_the_other_arguments_repository(
    rolldeck: Run, site: Site, channel: str
) -> None:
    for words in ([f"{site.reference.name}:v1.0.2", "production"], ["v1.0.2", channel]):
        plan = rolldeck("promote", *words, "--dry-run", "--json").document
        assert (plan["channel"], plan["to"]) == (channel, site.versions["c"])


def test_a_hold_is_set_seen_and_released(rolldeck: Run, site: Site, channel: str) -> None:
    held = rolldeck("hold", channel, "--for", "2", "--reason", "audit", "--yes", "--json").document
    assert (held["digest"], held["reason"], held["applied"]) == (site.versions["b"], "audit", True)
    assert held["record"].startswith("sha256:")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_ACTIONS", "true")
        patch.setenv("GITHUB_REPOSITORY", "acme/fraud")
        ran = rolldeck("promote", "v1.0.2", channel, "--yes")
    assert (ran.code, live(site)) == (8, "b")
    assert "holds" in ran.err
    assert "before: held at" in rolldeck("unhold", channel, "--yes").out
    assert rolldeck("unhold", channel, "--yes").code == 3
    assert rolldeck("promote", "v1.0.2", channel, "--yes").code == 0


def test_a_verdict_needs_no_yes_and_rules(rolldeck: Run, site: Site, channel: str) -> None:
    version = str(site.reference.tagged("v1.0.2"))
    said = rolldeck("verdict", version, "bad", "--reason", "f1", "--json").document
    assert (said["verdict"], said["digest"]) == ("bad", site.versions["c"])
    assert rolldeck("promote", version, channel, "--yes").code == 8
    assert rolldeck("verdict", version, "withdraw").code == 0
    assert rolldeck("verdict", version, "withdraw").code == 3
    assert rolldeck("verdict", version, "note").code == 2
    assert rolldeck("promote", version, channel, "--yes").code == 0


def test_a_dry_run_writes_nothing(rolldeck: Run, site: Site, channel: str) -> None:
    before = (Path(site.reference.root) / "index.json").read_bytes()
    version = str(site.reference.tagged("v1.0.2"))
    for words in (
        ["promote", version, channel],
        ["rollback", channel],
        ["undo", channel],
        ["hold", channel],
        ["verdict", version, "bad"],
    ):
        assert rolldeck(*words, "--dry-run").code == 0
    assert (Path(site.reference.root) / "index.json").read_bytes() == before


def test_read_only_takes_the_verbs_away(rolldeck: Run, site: Site, channel: str) -> None:
    version = str(site.reference.tagged("v1.0.2"))
    for words in (
        ["promote", version, channel],
        ["rollback", channel],
        ["rollback", channel, "--rehearse"],
        ["undo", channel],
        ["adopt", channel],
        ["restore", channel],
        ["hold", channel],
        ["unhold", channel],
        ["verdict", version, "bad"],
    ):
        assert (
            rolldeck(*words, "--read-only", "--yes" if "verdict" not in words else "--json").code
            == 8
        )
    assert live(site) == "b"


def test_a_rehearsal_does_all_but_the_move(rolldeck: Run, site: Site, channel: str) -> None:
    document = rolldeck("rollback", channel, "--rehearse", "--json").document
    assert (document["rehearsed"], document["applied"]) == (True, False)
    assert document["files"] == 2  # with its Kitfile
    assert live(site) == "b"
    assert "is whole" in rolldeck("rollback", channel, "--rehearse").out
    scratch = Path(site.home / "library")
    assert not [path for path in scratch.rglob("*") if path.name == "version"]


def test_a_rehearsal_finds_what_is_damaged(rolldeck: Run, site: Site, channel: str) -> None:
    layer = Path(site.reference.root) / "blobs"
    digest = at(site, lambda desk: desk.workspace.manifest(desk.version("a"))).layers[0].digest
    path = layer / digest.replace(":", "/")
    path.write_bytes(bytes(len(path.read_bytes())))
    assert rolldeck("rollback", channel, "--dry-run").code == 0
    assert rolldeck("rollback", channel, "--rehearse").code == 6


def test_drift_is_adopted_or_restored(rolldeck: Run, site: Site, channel: str) -> None:
    at(site, lambda desk: desk.retag("c"))
    ran = rolldeck("rollback", channel, "--yes")
    assert (ran.code, live(site)) == (8, "c")
    assert "adopt" in ran.err
    assert rolldeck("adopt", channel, "--dry-run", "--json").document["verb"] == "external"
    assert rolldeck("restore", channel, "--yes").code == 0
    assert live(site) == "b"
    at(site, lambda desk: desk.retag("c"))
    assert rolldeck("adopt", channel, "--yes").code == 0
    assert rolldeck("adopt", channel, "--yes").code == 3
    assert rolldeck("rollback", channel, "--to", "v1.0.0", "--yes").code == 0


def test_without_a_good_version_the_candidates_are_named(
    rolldeck: Run, site: Site, channel: str
) -> None:
    at(site, lambda desk: desk.mark("a", "bad"))
    ran = rolldeck("rollback", channel, "--yes", "--json")
    assert (ran.code, ran.error["kind"]) == (3, "not-found")
    assert "g1 v1.0.0: marked bad by mia: f1 drop" in ran.error["hint"]
    assert "--to g1" in ran.error["hint"]


def test_options_of_channels_are_none_of_directories(rolldeck: Run, tmp_path: Path) -> None:
    for option in ("--rehearse", "--no-hold", "--no-mark", "--force"):
        ran = rolldeck("rollback", tmp_path, option)
        assert ran.code == 2
        assert "for channels" in ran.err


def test_hours_that_make_no_sense_are_refused(rolldeck: Run, channel: str) -> None:
    for hours in ("-1", "nan", "99999", "soon"):
        assert rolldeck("rollback", channel, "--hold-for", hours).code == 2
    assert rolldeck("rollback", channel, "--hold-for", "1", "--no-hold").code == 2


def test_hostile_text_is_inert(rolldeck: Run, site: Site, channel: str) -> None:
    rolldeck("hold", channel, "--yes", "--reason", "\x1b[31mred\nsecond line")
    ran = rolldeck("promote", "v1.0.2", channel, "--dry-run")
    assert "\x1b" not in ran.out
    assert "\\x1b[31mred second line" in ran.out

"""The verb doctor: what is printed, as text and as JSON, and its exit codes."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.cli.conftest import Run
from tests.servers.registry import RunningRegistry
from tests.terminal.terminal import Terminal, environment


def test_this_machine_alone(rolldeck: Run) -> None:
    """Without a registry nothing is asked."""
    ran = rolldeck("doctor")
    assert ran.code == 0
    assert ran.err == ""
    assert [line for line in ran.out.splitlines() if not line.startswith(" ")] == [
        "settings",
        "library",
        "disk",
        "6 as they should be, 0 to know of, 0 that fail, 0 not known",
    ]


def test_a_registry_as_json(rolldeck: Run, golden_registry: RunningRegistry) -> None:
    """The keys that docs/json.md promises."""
    ran = rolldeck("doctor", golden_registry.host, "--json")
    assert ran.code == 0
    document = ran.document
    assert set(document) == {"ok", "registry", "findings"}
    assert (document["ok"], document["registry"]) == (True, golden_registry.host)
    keys = {"area", "check", "severity", "detail", "meaning", "hint"}
    assert all(set(item) == keys for item in document["findings"])
    ranges = next(item for item in document["findings"] if item["check"] == "ranges")
    assert ranges["severity"] == "ok"


def test_the_exit_code_is_that_of_the_failure(
    rolldeck: Run, locked_registry: RunningRegistry, tmp_path: Path
) -> None:
    """And the document says that something fails."""
    ran = rolldeck("doctor", locked_registry.host, "--json")
    assert (ran.code, ran.document["ok"]) == (4, False)
    assert rolldeck("doctor", "127.0.0.1:1").code == 5
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "thesis.tex").touch()
    ran = rolldeck("doctor", "--library", tmp_path / "library")
    assert ran.code == 2
    assert "neither empty nor a library" in ran.out


def test_usage(rolldeck: Run) -> None:
    """What is no registry is refused before anything is asked."""
    assert rolldeck("doctor", "oci:/tmp/x").code == 2
    assert rolldeck("doctor", "ghcr.io", "--write").code == 2
    assert rolldeck("doctor", "ghcr.io/acme/x", "--write", "--read-only").code == 8


def test_it_fits_in_80_columns(golden_registry: RunningRegistry, tmp_path: Path) -> None:
    """Long lines are broken between words and stand under each other."""
    command = [sys.executable, "-m", "rolldeck", "doctor", f"{golden_registry.host}/golden/wdbc"]
    terminal = Terminal(command, environment(tmp_path), (80, 60))
    try:
        assert terminal.wait() == 0
    finally:
        terminal.close()
    lines = terminal.text.splitlines()
    (first,) = [n for n, line in enumerate(lines) if line.startswith("  ! referrers")]
    assert lines[first + 1].startswith(" " * 18 + "Signatures and records")
    assert lines[first + 2].startswith(" " * 18)
    assert max(map(len, lines)) <= 80

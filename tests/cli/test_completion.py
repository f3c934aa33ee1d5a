"""Completion: what may follow on a line, and that real shells complete it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rolldeck.actions.demo import fill_library
from rolldeck.cli.completion import complete, split_line
from rolldeck.release.known import remember
from rolldeck.store import Library
from tests.cli.conftest import Run
from tests.terminal.terminal import Terminal, environment
from tests.test_import_hygiene import modules

TAGS = ["v1.0.0", "v1.1.0", "v2.0.0"]


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library with the demo's versions."""
    path = tmp_path / "library"
    fill_library(Library(path))
    monkeypatch.setenv("ROLLDECK_LIBRARY", str(path))
    return path


def words(line: str) -> list[str]:
    """The candidates at the end of a line."""
    return [item.word for item in complete(line).candidates]


def test_verbs_and_references_stand_first() -> None:
    """A reference opens the deck there."""
    assert words("rolldeck sho") == ["show"]
    assert {"ls", "pull", "rollback", "movie-recommend:v1.0.0"} <= set(words("rolldeck "))
    assert words("rolldeck --read-only --library /nowhere sh") == ["show"]


def test_options_of_the_verb() -> None:
    """Those of all verbs, and its own."""
    assert {"--json", "--library", "--tolerance"} <= set(words("rolldeck diff --"))
    assert words("rolldeck show --tol") == []
    assert words("rolldeck show --json --lib") == ["--library"]


def test_references_of_the_library() -> None:
    """Repository and tag; a tag alone after the first of two."""
    assert words("rolldeck show mov") == [f"movie-recommend:{tag}" for tag in TAGS]
    assert words("rolldeck pull x:v1 movie-recommend:v1.") == [
        "movie-recommend:v1.0.0",
        "movie-recommend:v1.1.0",
    ]
    assert words("rolldeck diff movie-recommend:v1.0.0 v") == TAGS
    assert words("rolldeck ls m") == ["movie-recommend"]
    assert words("rolldeck show x:v1 mov") == []


def test_what_the_verbs_of_channels_and_of_many_versions_take(library: Path) -> None:
    """Channels, repositories, and tags for a baseline, also after a repository alone."""
    manifest = Library(library).entries()[0].descriptor
    Library(library).tag("movie-recommend", ["production"], manifest)
    assert words("rolldeck triage mov") == ["movie-recommend:production", "movie-recommend"]
    assert words("rolldeck channels mov") == ["movie-recommend"]
    assert words("rolldeck table movie-recommend --baseline v") == TAGS
    assert words("rolldeck plot movie-recommend:v1.0.0 --baseline v1.1") == ["v1.1.0"]


def test_a_copy_of_a_registrys_version_has_both_names(library: Path) -> None:
    """At the registry, and here."""
    manifest = Library(library).entries()[0].descriptor
    Library(library).tag("ghcr.io/acme/fraud", ["v7"], manifest)
    assert words("rolldeck pull ghcr") == ["ghcr.io/acme/fraud:v7"]
    assert words("rolldeck show local:") == ["local:ghcr.io/acme/fraud:v7"]


def test_another_library_and_no_library(tmp_path: Path, library: Path) -> None:
    """The option goes before the environment; what is not there has no candidates."""
    assert words(f"rolldeck --library {tmp_path}/none show mov") == []
    assert words(f"rolldeck --library={library} show mov:") == []
    (library / "index.json").write_text("damaged")
    assert words("rolldeck show mov") == []


def test_registries_of_the_settings(tmp_path: Path) -> None:
    """Hosts, and the repositories named there; a bad file is no reason to be loud."""
    path = tmp_path / "s.toml"
    path.write_text('[registries."ghcr.io"]\nrepositories = ["acme/fraud"]\nunknown = 1\n')
    line = f"rolldeck ls --settings {path} gh"
    assert words(line) == ["ghcr.io/", "ghcr.io/acme/fraud"]
    path.write_text("= not toml")
    assert words(line) == []


def test_targets_and_paths(tmp_path: Path) -> None:
    """Targets known here are named, others found by the shell; a new directory only by it."""
    remember(tmp_path / "serving", "movie-recommend")
    for line in ("rolldeck rollback ", "rolldeck undo ", "rolldeck pin movie-recommend:v1.0.0 "):
        assert [word for word in words(line) if "/" in word] == [str(tmp_path / "serving")]
        assert "movie-recommend:v1.0.0" not in words(line)  # a version is no channel
        assert complete(line).paths == "directories"
    unpack = complete("rolldeck unpack movie-recommend:v1.0.0 -d ")
    assert (unpack.paths, unpack.candidates) == ("directories", ())
    assert complete("rolldeck ls --settings ").paths == "files"
    assert complete("rolldeck ls --settings=").paths == "files"
    both = words("rolldeck verify ")
    assert {str(tmp_path / "serving"), "movie-recommend:v1.0.0"} <= set(both)


def test_choices_and_what_stands_after_two_dashes() -> None:
    """An argument with a few values; nothing is an option any more."""
    assert words("rolldeck completion ") == ["bash", "zsh", "fish"]
    assert words("rolldeck show -- -") == []
    assert words("rolldeck show -- mov") == [f"movie-recommend:{tag}" for tag in TAGS]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("rolldeck ", ["rolldeck", ""]),
        ("rolldeck show x", ["rolldeck", "show", "x"]),
        ("rolldeck -d 'a b", ["rolldeck", "-d", "a b"]),
        ('rolldeck -d "a ', ["rolldeck", "-d", "a "]),
        ("rolldeck -d a\\ ", ["rolldeck", "-d", "a "]),
        ("", [""]),
    ],
)
def test_a_line_is_split_as_a_shell_does(line: str, found: list[str]) -> None:
    """Quotes may be open still."""
    assert split_line(line) == found


def test_names_that_a_shell_would_run_are_left_out(library: Path) -> None:
    """A shell puts a candidate on its line as it is."""
    manifest = Library(library).entries()[0].descriptor
    hostile = ["v1;reboot", "$(reboot)", "`reboot`", "v1\nreboot", "v1\x1b[2J", "v 1"]
    Library(library).tag("m", [*hostile, "v2"], manifest)
    assert words("rolldeck show m:") == ["m:v2"]
    assert "\x1b" not in complete("rolldeck show m:\x1b[2J").text


def test_no_network_stack_is_loaded() -> None:
    """A key must be quick."""
    loaded = modules(["__complete", "rolldeck show "])
    assert not loaded & {"textual", "rich", "urllib3", "pydantic", "yaml", "requests"}


def test_what_cannot_be_completed_is_silent(rolldeck: Run) -> None:
    """Whatever stands on the line."""
    for line in ("", "rolldeck", "rolldeck --nope=", "rolldeck nope x ", "'", "rolldeck -- "):
        ran = rolldeck("__complete", line)
        assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_printed(rolldeck: Run, shell: str) -> None:
    """As it is, or in a document."""
    plain = rolldeck("completion", shell).out
    assert "rolldeck __complete" in plain
    assert rolldeck("completion", shell, "--json").document == {"shell": shell, "script": plain}
    assert rolldeck("completion", "tcsh").code == 2


START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["setsid", "--ctty", "--wait", "fish", "--no-config", "-i"],
}
SOURCE = {
    "bash": "source <(rolldeck completion bash)",
    "zsh": "autoload -U compinit && compinit -u && source <(rolldeck completion zsh)",
    "fish": "rolldeck completion fish | source",
}


@pytest.fixture(params=["bash", "zsh", "fish"])
def shell(request: pytest.FixtureRequest, tmp_path: Path, library: Path) -> Iterator[Terminal]:
    """An interactive shell in a terminal, with the completion loaded as the README says."""
    name = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "rolldeck"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m rolldeck "$@"\n')
    program.chmod(0o755)
    (tmp_path / "some-directory").mkdir()
    kept = {key: os.environ[key] for key in ("LD_LIBRARY_PATH", "FPATH") if key in os.environ}
    env = environment(
        tmp_path,
        **kept,
        ROLLDECK_LIBRARY=str(library),
        PATH=f"{programs}:{os.environ['PATH']}",
        PS1="$ ",
        XDG_STATE_HOME=os.environ["XDG_STATE_HOME"],
    )
    terminal = Terminal(START[name], env, (100, 50))
    try:
        terminal.send(f"cd {tmp_path} && {SOURCE[name]}\n echo rea''dy\n")
        terminal.wait_for("ready")
        yield terminal
    finally:
        terminal.close()


def test_a_real_shell_completes(shell: Terminal) -> None:
    """A verb, an option, a reference with its colon, a directory."""
    shell.send("rolldeck sho\t")
    shell.wait_for("rolldeck show")
    shell.send("movie-recommend:v2\t")
    shell.wait_for("rolldeck show movie-recommend:v2.0.0")
    shell.send("--jso\t")
    shell.wait_for("rolldeck show movie-recommend:v2.0.0 --json")
    shell.send("\x15")
    shell.send("rolldeck unpack movie-recommend:v1.0.0 -d some\t")
    shell.wait_for("-d some-directory")
    shell.send("\x15")
    shell.send("rolldeck diff movie-recommend:v1.0.0 v\t\t")
    shell.wait_for("v2.0.0")
    shell.send("\x15")
    shell.send("rolldeck verify some\t")
    shell.wait_for("rolldeck verify some-directory")


def test_a_real_script_has_no_mistakes() -> None:
    """bash itself looks."""
    script = subprocess.run(
        [sys.executable, "-m", "rolldeck", "completion", "bash"], capture_output=True, check=True
    ).stdout
    subprocess.run(["bash", "-n"], input=script, check=True)

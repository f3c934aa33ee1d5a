"""Help: short, in 80 columns, with examples that work."""

from __future__ import annotations

import shlex
from importlib import import_module

import pytest

from rolldeck.cli import main
from rolldeck.cli.arguments import deck_parser, verb_parser
from rolldeck.commands import command_of_verb, verbs
from tests.cli.conftest import Run


@pytest.mark.parametrize("verb", ["", *verbs()])
def test_help_fits_in_80_columns(
    verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every verb's, and that of rolldeck."""
    monkeypatch.setenv("COLUMNS", "80")
    parser = verb_parser() if verb else deck_parser()
    with pytest.raises(SystemExit) as stop:
        parser.parse_args([verb, "--help"] if verb else ["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    examples = command_of_verb(verb).examples if verb else ()
    for line in text.splitlines():
        assert len(line) < 80 or line.strip() in examples
    assert text.startswith("usage: rolldeck")
    assert "positional" not in text


def test_every_verb_is_told_with_what_it_does() -> None:
    """In the help of rolldeck."""
    text = " ".join(deck_parser().format_help().split())
    for verb in verbs():
        assert f"{verb} {command_of_verb(verb).help}" in text


@pytest.mark.parametrize(
    "example", [line for verb in verbs() for line in command_of_verb(verb).examples]
)
def test_examples_are_command_lines(example: str) -> None:
    """Each is one that the parser takes."""
    words = shlex.split(example.partition(" | ")[0].partition(" > ")[0])
    assert words[0] == "rolldeck"
    assert verb_parser().parse_args(words[1:]).verb == words[1]


def test_usage_names_what_must_be_given(rolldeck: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Arguments and options without which the verb does not run."""
    for verb, usage in (
        ("unpack", "rolldeck unpack [options] -d DIR REFERENCE"),
        ("verify", "rolldeck verify [options] [REFERENCE|TARGET ...]"),
        ("ls", "rolldeck ls [options] [PLACE]"),
        ("completion", "rolldeck completion [options] bash|zsh|fish"),
    ):
        with pytest.raises(SystemExit):
            rolldeck(verb, "-h")
        assert capsys.readouterr().out.splitlines()[0] == f"usage: {usage}"


def test_the_verbs_are_those_of_the_registry() -> None:
    """Which verbs there are is known without the registry; a shell waits for every start."""
    known = import_module("rolldeck.cli.verbs").VERBS
    assert {name for name in known if name != "files"} == set(verbs())


def test_help_behind_options_is_that_of_the_verb(capsys: pytest.CaptureFixture[str]) -> None:
    """As git and kit have it."""
    for words in (["--json", "pull", "--help"], ["--library", "/x", "pull", "-h"]):
        with pytest.raises(SystemExit):
            main(words)
        assert capsys.readouterr().out.startswith("usage: rolldeck pull ")
    with pytest.raises(SystemExit):
        main(["--json", "--help"])
    assert capsys.readouterr().out.startswith("usage: rolldeck [options] [REFERENCE]")

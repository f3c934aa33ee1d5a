"""The registry of commands: sound by itself, and equal to what is written of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolldeck.commands import (
    COMMANDS,
    FOOTER_LIMIT,
    SCOPES,
    Scope,
    clashes,
    command,
    commands_of,
    footer_commands,
    keys_markdown,
    verbs,
)

DOCS = Path(__file__).parent.parent / "docs"


def test_no_key_means_two_things() -> None:
    """In each scope, with those that work together with it, each key has one meaning."""
    assert clashes() == ()


def test_ids_are_unique() -> None:
    """An id names one command, and is a noun and a verb."""
    ids = [item.id for item in COMMANDS]
    assert len(set(ids)) == len(ids)
    assert all(len(identifier.split(".")) == 2 for identifier in ids)


def test_dialog_keys_are_no_ctrl_chords_and_mean_yes_and_no() -> None:
    """``y`` and ``n`` answer in a dialog; outside they copy and search."""
    assert command("dialog.accept").keys == ("y",)
    assert "n" in command("dialog.refuse").keys
    assert command("version.copy").keys == ("y",)
    assert command("hit.next").keys == ("n",)


def test_lower_case_looks_and_upper_case_changes() -> None:
    """A key that changes anything is upper case; of lower case only p, u and e write."""
    for item in COMMANDS:
        for key in item.keys:
            if item.danger == "changes":
                assert key.isupper()
            if item.danger == "adds":
                assert key in ("p", "u", "e")


def test_no_action_is_on_a_ctrl_chord() -> None:
    """Ctrl chords move or open the palette; terminals and multiplexers eat the rest."""
    chords = {key for item in COMMANDS for key in item.keys if key.startswith("ctrl+")}
    assert chords == {"ctrl+p", "ctrl+u", "ctrl+d"}


@pytest.mark.parametrize("scope", SCOPES)
def test_footer_holds_at_most_eight_and_help(scope: Scope) -> None:
    """More keys are not read; help is never left out."""
    shown = footer_commands(scope)
    assert len(shown) <= FOOTER_LIMIT
    if scope != "dialog":
        assert shown[-1].id == "help.show"


def test_triage_is_in_the_footer_of_the_browser_alone() -> None:
    """Its key works everywhere, but only there is it what somebody looks for."""
    shown = {scope for scope in SCOPES if command("triage.open") in footer_commands(scope)}
    assert shown == {"browse"}


@pytest.mark.parametrize("scope", ["compare", "text", "table", "triage"])
def test_the_way_back_is_in_the_footer(scope: Scope) -> None:
    """Of every screen over the browser, where its keys leave room for few others."""
    hidden = ("filter.open", "command.type", "view.refresh", "move.open", "deck.quit")
    assert "view.back" in {item.id for item in footer_commands(scope, hidden)}


def test_every_command_is_described() -> None:
    """Title and help are there, and help is one sentence."""
    for item in COMMANDS:
        assert item.title
        assert item.help.endswith(".")
        assert "\n" not in item.help


def test_verbs_of_the_command_line() -> None:
    """Each verb comes from one command."""
    assert len(set(verbs())) == len(verbs())
    assert {"ls", "show", "diff", "pull", "unpack", "pin", "rollback", "undo"} <= set(verbs())


def test_moving_keys_work_in_every_list() -> None:
    """The keys to move are one scope, so that they are the same everywhere."""
    assert {"j", "k", "g", "G", "enter"} <= {k for item in commands_of("move") for k in item.keys}


def test_docs_are_generated() -> None:
    """``docs/keys.md`` is what the registry says."""
    assert (DOCS / "keys.md").read_text(encoding="utf-8") == keys_markdown()

"""What the user said of metrics, kept per repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolldeck.actions import remember_direction
from rolldeck.actions.directions import directions
from rolldeck.oci import Reference
from rolldeck.settings import Settings, state_home

FRAUD, SPAM = (Reference.parse(f"ghcr.io/acme/{name}:v1") for name in ("fraud", "spam"))


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def own(reference: Reference) -> dict[str, bool | None]:
    return dict(directions(Settings(), reference).own)


def test_each_repository_has_its_own() -> None:
    remember_direction((FRAUD,), "drift", False)
    assert own(FRAUD) == {"drift": False}
    assert own(SPAM) == {}


def test_every_version_and_the_library_copy_of_a_repository_share_it() -> None:
    remember_direction((FRAUD,), "drift", True)
    assert own(FRAUD.tagged("v9")) == {"drift": True}
    assert own(Reference.parse("local:ghcr.io/acme/fraud:v1")) == {"drift": True}


def test_neither_way_is_remembered_and_forgetting_removes() -> None:
    remember_direction((FRAUD, SPAM), "f1", None)
    assert own(SPAM) == {"f1": None}
    remember_direction((FRAUD, SPAM), "f1", None, forget=True)
    assert own(SPAM) == own(FRAUD) == {}


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"ghcr.io/acme/fraud": {"f1": "up"}}'])
def test_a_damaged_file_counts_as_empty(text: str) -> None:
    state_home().mkdir(parents=True)
    (state_home() / "directions.json").write_text(text)
    assert own(FRAUD) == {}
    remember_direction((FRAUD,), "f1", True)
    assert own(FRAUD) == {"f1": True}


def test_settings_are_the_configured_ones() -> None:
    found = directions(Settings(directions={"*_drift": "lower", "noise": "none"}), FRAUD)
    assert (found.of("psi_drift"), found.of("noise")) == (False, None)

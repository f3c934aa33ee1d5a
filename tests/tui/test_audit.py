"""The audit in the deck: of the selected repository, or of a place that is typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolldeck import actions
from rolldeck.actions.audit import Audit
from rolldeck.errors import UnavailableError
from rolldeck.release.audit import Audited, AuditNote, AuditRow
from rolldeck.tui.models.audit_lines import audit_lines
from rolldeck.tui.screens.audit import AuditScreen
from tests.tui.conftest import Open
from tests.tui.world import NOW, digest_of

FOUND = Audited(
    "ghcr.io/acme/fraud:production",
    (
        AuditRow(
            "ghcr.io/acme/fraud:production", "move", NOW, "rollback", "mia", 3, "unpublished",
            digest_of("b"), "v2.4.1", digest_of("a"), "v2.4.0", "[red]f1 drop[/]",
        ),
        AuditRow("ghcr.io/acme/fraud:production", "verdict", NOW, "bad", "mia", to_label="v2.4.1",
                 to_digest=digest_of("b")),
    ),
    (AuditNote("ghcr.io/acme/fraud:production", "gap", "the entry of g2 is missing", 2),),
)  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The places that were audited."""
    places: list[str] = []

    async def audit(workspace: actions.Workspace, place: str) -> Audit:
        places.append(place)
        if "down" in place:
            raise UnavailableError("down.example cannot be reached")
        return Audit((FOUND,))

    monkeypatch.setattr("rolldeck.actions.audit.audit", audit)
    return places


async def test_a_audits_the_selected_repository(stage: Open, asked: list[str]) -> None:
    """Its channels and its local targets; nothing in it is markup."""
    async with stage() as play:
        await play.settle()
        await play.press("2", "a")
        await play.until(lambda: isinstance(play.deck.screen, AuditScreen))
        await play.see("× the chain is broken", "gap: g2 the entry of g2 is missing")
        await play.see("rollback, unpublished", "v2.4.1 → v2.4.0", "[red]f1 drop[/]")
        assert asked[0] == "ghcr.io/acme/fraud"
        assert any("rolldeck audit ghcr.io/acme/fraud" in line for _, line in play.deck.done_lines)
        await play.press("escape")


async def test_a_place_is_typed_and_a_failure_is_told(stage: Open, asked: list[str]) -> None:
    async with stage() as play:
        await play.settle()
        await play.press(":", *"audit", "space", *"down.example/x", "enter")
        await play.until(lambda: isinstance(play.deck.screen, AuditScreen))
        await play.see("down.example cannot be reached", "r tries again")
        assert asked == ["down.example/x"]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_page(width: int, tmp_path: Path) -> None:
    long = Audited(
        f"oci:{tmp_path}/" + "x" * 80,
        tuple(FOUND.rows) * 2,
        (AuditNote("x", "drift", "somebody moved it without a record " * 5),),
    )
    lines = audit_lines(Audit((long,)), width)
    assert max(line.width for line in lines) <= width

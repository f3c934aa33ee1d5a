"""``rolldeck ls`` of a registry: lists cut off, limited, remembered, and as text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.text import Text

from rolldeck.cli.columns import print_columns
from rolldeck.oci.pages import PAGE_LIMIT
from tests.cli.conftest import Run, narrow
from tests.oci.bench import tags_page
from tests.servers.repository import made_up
from tests.servers.scripted import Answer, Asked, Scripted, ScriptedServer

NEXT = "</v2/many/tags/list?last=x>; rel=next"


def lying(scripted: ScriptedServer, *pages: Answer) -> str:
    """Let a registry with five versions answer with these pages; returns the repository."""
    scripted.on("GET", "/v2/many/tags/list.*", *pages)
    made_up(5).serve(scripted)
    return f"{scripted.host}/many"


TAGS = [f"v1.0.{number}" for number in range(5)]
LIES = {
    "a page that leads to itself": [
        tags_page(*TAGS, link="</v2/many/tags/list?n=1000>; rel=next"),
    ],
    "a page that leads to another host": [
        tags_page(*TAGS, link="<http://127.0.0.1:1/v2/many/tags/list>; rel=next"),
    ],
    "a page that leads to another scheme": [tags_page(*TAGS, link="<file:///x>; rel=next")],
    "a page of names that are no tags": [tags_page(*TAGS, "../../x", "a b", "x" * 129)],
    "a second page of nothing new": [tags_page(*TAGS, link=NEXT), tags_page(*TAGS, link=NEXT)],
    "a second page that is too large": [
        tags_page(*TAGS, link=NEXT),
        Scripted(body=b" " * (PAGE_LIMIT + 1)),
    ],
    "a second page that is no list": [tags_page(*TAGS, link=NEXT), Scripted(body=b"{}")],
    "a second page that is a web page": [tags_page(*TAGS, link=NEXT), Scripted(body=b"<html>")],
    "a second page that is not there": [tags_page(*TAGS, link=NEXT), Scripted(404)],
}


@pytest.mark.parametrize("lie", LIES)
def test_a_list_that_lies_is_cut_off(rolldeck: Run, scripted: ScriptedServer, lie: str) -> None:
    """What it gave is listed and marked; the exit code is that of success."""
    repository = lying(scripted, *LIES[lie])
    ran = rolldeck("ls", repository, "--json")
    assert ran.code == 0
    assert ran.document["complete"] is False
    assert [row["tags"] for row in ran.document["versions"]] == [[tag] for tag in TAGS[::-1]]
    assert all(row["digest"] and row["problem"] is None for row in ran.document["versions"])
    assert len([path for path in scripted.paths() if "tags/list" in path]) <= 2


def test_pages_without_end_are_cut_off(
    rolldeck: Run, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rolldeck.oci.pages.MOST_PAGES", 12)
    pages = 0

    def more(asked: Asked) -> Scripted:
        nonlocal pages
        pages += 1
        link = f"</v2/many/tags/list?last={pages}>; rel=next"
        return tags_page(f"v1.0.{pages - 1}", link=link)

    ran = rolldeck("ls", lying(scripted, more))
    assert ran.code == 0
    assert pages == 12
    assert "The list is incomplete" in ran.err
    assert [line.split()[0] for line in ran.out.splitlines()[1:]] == TAGS[::-1]


def test_a_first_page_that_is_too_large_is_an_error(
    rolldeck: Run, scripted: ScriptedServer
) -> None:
    ran = rolldeck("ls", lying(scripted, Scripted(body=b" " * (PAGE_LIMIT + 1))))
    assert ran.code == 6


def test_limit_lists_the_newest(rolldeck: Run, scripted: ScriptedServer) -> None:
    """And says how many tags were not read."""
    made_up(20).serve(scripted)
    ran = rolldeck("ls", f"{scripted.host}/many", "--limit", 3)
    assert [line.split()[0] for line in ran.out.splitlines()] == [
        "VERSION", "v1.0.19", "v1.0.18", "v1.0.17",
    ]  # fmt: skip
    assert "17 more tags were not read" in ran.err
    ran = rolldeck("ls", f"{scripted.host}/many", "--limit", 3, "--json")
    assert (len(ran.document["versions"]), ran.document["unread"]) == (3, 17)
    assert rolldeck("ls", f"{scripted.host}/many", "--limit", 0).code == 2


def test_offline_the_list_is_marked_stale(
    rolldeck: Run, start_scripted: Callable[[], ScriptedServer]
) -> None:
    """With its age, as text and as JSON; one version of it too."""
    server = start_scripted()
    made_up(3).serve(server)
    repository = f"{server.host}/many"
    before = rolldeck("ls", repository, "--json").document
    assert before["stale"] is None
    server.close()
    after = rolldeck("ls", repository, "--json").document
    assert after["stale"].endswith("Z")
    assert after["versions"] == before["versions"]
    ran = rolldeck("ls", repository)
    assert "This is what was seen" in ran.err
    assert server.host in ran.err
    one = rolldeck("ls", f"{repository}:v1.0.1", "--json").document
    assert [row["tags"] for row in one["versions"]] == [["v1.0.1"]]


def test_nothing_is_counted_where_there_is_no_terminal(
    rolldeck: Run, scripted: ScriptedServer
) -> None:
    made_up(3).serve(scripted)
    assert rolldeck("ls", f"{scripted.host}/many").err == ""


def test_a_broken_version_is_told_in_its_row(rolldeck: Run, scripted: ScriptedServer) -> None:
    found = made_up(3)
    found.answers["v1.0.1"] = Scripted(body=b"{")
    found.serve(scripted)
    ran = rolldeck("ls", f"{scripted.host}/many")
    assert ran.code == 0
    newest, broken, oldest = ran.out.splitlines()[1:]
    assert broken.startswith("v1.0.1 ")
    assert "  –             The manifest is not valid JSON: " in broken
    assert "3 B" in newest
    assert "1 B" in oldest


def test_columns_are_aligned_and_cut_to_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wide characters count two cells; a text gives way, a number does not."""
    narrow(monkeypatch, 24)
    columns = [("NAME", "left"), ("SIZE", "right"), ("HERE", "left")]
    rows = [("模型" * 6, "9 B", "–"), (Text("v1", style="bold"), "1.5 GiB", "–"), ("v2", "broken")]
    print_columns(columns, rows)
    assert capsys.readouterr().out.splitlines() == [
        "NAME          SIZE  HERE",
        "模型模型…      9 B  –",
        "v1         1.5 GiB  –",
        "v2         broken",
    ]


def test_columns_to_spare_are_left_out_before_any_is_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands across the rest stays, whichever columns go."""
    narrow(monkeypatch, 20)
    columns = [("NAME", "left"), ("KIND", "left"), ("SIZE", "right"), ("F1", "right")]
    rows = [("v1", "modelkit", "1.5 GiB", "0.93"), ("v2", "broken")]
    assert print_columns(columns, rows, spare=(3, 1)) == 2
    assert capsys.readouterr().out.splitlines() == [
        "NAME     SIZE",
        "v1    1.5 GiB",
        "v2    broken",
    ]


def test_the_last_text_is_cut_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, 37)
    columns = [("TIME", "left"), ("REASON", "left")]
    print_columns(columns, [("2026-11-21T21:20:09Z", "fewer neighbours")])
    assert capsys.readouterr().out.splitlines()[1] == "2026-11-21T21:20:09Z  fewer neighbou…"


def test_notes_that_do_not_fit_stand_below(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, 24)
    columns = [("", "left"), ("v1", "right"), ("", "left")]
    print_columns(columns, [("recall", "0.21", "within noise"), ("f1", "0.9", "")], under=True)
    assert capsys.readouterr().out.splitlines() == [
        "          v1",
        "recall  0.21",
        "    within noise",
        "f1       0.9",
    ]


def test_a_program_gets_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no terminal nothing is cut, however long a name is."""
    print_columns([("NAME", "left"), ("SIZE", "right")], [("x" * 300, "9 B")])
    assert capsys.readouterr().out.splitlines()[1] == f"{'x' * 300}   9 B"


def test_hostile_cells_are_shown_as_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    print_columns([("NAME", "left")], [("\x1b]52;c;eA==\x07[bold]x[/]\n",)])
    assert capsys.readouterr().out == "NAME\n\\x1b]52;c;eA==\\x07[bold]x[/]\n"

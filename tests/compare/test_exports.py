"""Exports: complete, and inert whatever a version says of itself."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from rolldeck.compare import (
    Comparison,
    Guardrail,
    Policy,
    Report,
    Row,
    Section,
    Side,
    compare,
    curves,
    judged,
)
from rolldeck.compare.export import export
from rolldeck.compare.export_markdown import code, prose
from rolldeck.compare.export_tsv import COLUMNS
from tests.golden_kits import load_version

CANARIES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</title></style><svg onload=alert(1)>",
    '" onmouseover="alert(1)',
    "[x](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "https://evil.example/x",
    "www.evil.example",
    "a|b",
    "a\\|b | **bold**",
    "``` | `x",
    "`",
    "\\",
    "@everyone fixes #1",
    "# heading",
    "&lt;b&gt;",
    "=HYPERLINK(\"https://evil.example\")",
    "+cmd|' /C calc'!A0",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "＝1+1",
    '"=1+1"',
    "line\nbreak\rreturn\u2028separator",
    "\x1b]52;c;aGk=\x07\u202eevil",
)  # fmt: skip


def hostile(text: str) -> Report:
    """Return a report in which every text is the same one."""
    side = Side(f"host/{text}:v1", "sha256:" + "a" * 64, text)
    rows = (
        Row(text, "changed", 0.9, 0.8, -0.1, -0.1111, "worse", text, True, text, metric=text),
        Row(f"{text} 2", "changed", text, f"{text}x", note=text),
    )
    others = Row(text, "added", None, text)
    comparison = Comparison(
        side, side, False, text, (Section("metrics", rows), Section("parameters", (others,)))
    )
    policy = Policy({text: Guardrail(min=0.85)})
    return Report(judged(replace(comparison, problems=(text,)), policy))


class Page(HTMLParser):
    """Notes the tags, attributes and words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page(text: str) -> Page:
    parsed = Page()
    parsed.feed(text)
    parsed.close()
    return parsed


PLAIN = page(export(hostile("plain"), "html"))


@pytest.mark.parametrize("canary", CANARIES)
def test_html_holds_text_as_text(canary: str) -> None:
    text = export(hostile(canary), "html")
    found = page(text)
    assert found.tags <= PLAIN.tags
    assert found.attributes <= PLAIN.attributes
    assert not any(ord(character) < 32 and character != "\n" for character in text)


def test_html_shows_the_canary_to_the_reader() -> None:
    found = page(export(hostile(CANARIES[0]), "html"))
    assert CANARIES[0] in found.words


def test_html_loads_nothing_and_runs_nothing() -> None:
    a, b = load_version("wdbc:v1.2.0"), load_version("wdbc:v2.0.0")
    text = export(Report(compare(a, b), show_all=True, curves=curves(a, b)), "html")
    assert not re.search(r"\b(src|href|action|data|url|import|on[a-z]+)\s*[=(]", text)
    assert not page(text).tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_html_draws_the_curves_of_both_runs_else_bars() -> None:
    a, b = load_version("wdbc:v1.2.0"), load_version("wdbc:v2.0.0")
    comparison = compare(a, b)
    bars = export(Report(comparison), "html")
    assert bars.count("<svg") == comparison.section("metrics").changed
    assert "<polyline" not in bars
    key = ("recall", "test")
    drawn = {key: (((0.0, 0.1), (1.0, 0.9)), ((0.0, 0.2), (1.0, float("nan")), (2.0, 1e308)))}
    curved = export(Report(comparison, curves=drawn), "html")
    assert curved.count("<polyline") == 2
    assert "nan" not in curved.partition("<svg")[2]


def tokens(text: str) -> list[str]:
    """Return the kinds of tokens that a Markdown parser finds, with tables and links in plain."""
    parser = MarkdownIt("gfm-like", {"linkify": False}).enable("table")
    found = []
    for token in parser.parse(text):
        found.append(token.type)
        found += [child.type for child in token.children or ()]
    return found


@pytest.mark.parametrize("canary", CANARIES)
def test_markdown_has_the_structure_of_a_plain_one(canary: str) -> None:
    kinds = {"text", "text_special", "softbreak"}
    found = [kind for kind in tokens(export(hostile(canary), "markdown")) if kind not in kinds]
    plain = [kind for kind in tokens(export(hostile("plain"), "markdown")) if kind not in kinds]
    assert found == plain


@pytest.mark.parametrize("canary", CANARIES)
def test_markdown_mentions_nobody_and_links_nowhere(canary: str) -> None:
    text = re.sub(r"(`+)( ?).*?[^`]\2\1(?!`)", "", export(hostile(canary), "markdown"))
    assert "@" not in text
    assert not re.search(r"#\d", text)
    assert "://" not in text
    assert "www." not in text


def test_code_spans_hold_what_they_are_given() -> None:
    parser = MarkdownIt()
    for text in ("`", "a``b", "x `y` z", "*a*", "\\"):
        (span,) = parser.parseInline(code(text))[0].children or ()
        assert (span.type, span.content) == ("code_inline", text)
    assert prose("a * b") == "a \\* b"


@pytest.mark.parametrize("canary", CANARIES)
def test_tsv_has_no_formula_and_whole_lines(canary: str) -> None:
    rows = list(csv.reader(io.StringIO(export(hostile(canary), "tsv")), dialect="excel-tab"))
    plain = list(csv.reader(io.StringIO(export(hostile("plain"), "tsv")), dialect="excel-tab"))
    assert len(rows) == len(plain)
    assert {len(row) for row in rows} == {len(COLUMNS)}
    for cell in (cell for row in rows for cell in row):
        is_number = re.fullmatch(r"[+-]?[\d.]+(e[+-]?\d+)?", cell)
        assert is_number or not cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋"))


def test_json_is_strict_and_whole() -> None:
    document = json.loads(export(hostile(CANARIES[0]), "json"))
    assert document["guardrails"][0]["outcome"] == "failed"
    assert document["guardrails"][0]["by"] == pytest.approx(0.05)
    assert [section["name"] for section in document["sections"]] == ["metrics", "parameters"]


@pytest.mark.parametrize("form", ["markdown", "html", "tsv"])
def test_every_export_tells_the_same(form: str) -> None:
    a, b = load_version("wdbc:v1.2.0"), load_version("wdbc:v2.0.0")
    policy = Policy({"recall": Guardrail(min=0.99)})
    report = Report(compare(a, b, 0.012, policy=policy))
    text = export(report, form)  # type: ignore[arg-type]
    for words in ("signature", "brier_score", "n_estimators", "≈ 3 within 1.2", "like for like"):
        assert words in text
    assert "below the min of 0.99" in text
    assert "roc_auc" not in text
    assert "roc_auc" in export(replace(report, show_all=True), form)  # type: ignore[arg-type]


def test_only_the_sections_that_were_asked_for() -> None:
    comparison = compare(load_version("wdbc:v1.2.0"), load_version("wdbc:v2.0.0"))
    report = Report(comparison, only=("data",))
    assert [item["name"] for item in json.loads(export(report, "json"))["sections"]] == ["data"]
    assert "Parameters" not in export(report, "markdown")
    assert (
        not Report(comparison, only=("lineage",)).differs or comparison.section("lineage").changed
    )

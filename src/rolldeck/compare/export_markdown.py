"""A comparison as Markdown for a pull request (GitHub Flavored Markdown).

Text from versions is inert: names and values stand in code spans, where neither markup nor
mentions count, and sentences have their punctuation escaped.
"""

from __future__ import annotations

import re

from rolldeck.compare import wording
from rolldeck.compare.model import Row, Section, Side
from rolldeck.compare.report import Report, guardrail_title
from rolldeck.text import clean_line
from rolldeck.units import short_digest

_LIMIT = 300
"""Most characters of one value."""
_MARKUP = re.compile(r"([\\`*_\[\]<>|~&!$]|^[-+=])")
_FOUND_LATE = (("@", "＠"), ("#", "＃"), ("://", "：//"), ("www.", "www．"))
"""What is looked for after the markup, so that no escape helps, with what looks alike."""
_OUTCOMES = {"failed": "❌", "unknown": "❔", "passed": "✅"}


def to_markdown(report: Report) -> str:
    """Return the report as text with a newline at its end."""
    comparison = report.comparison
    lines = [f"### {_side(comparison.a)} → {_side(comparison.b)}", ""]
    lines += [f"**{prose(comparison.summary)}**", ""]
    for text in (report.caveat, *report.problems):
        if text:
            lines += [f"> {prose(text)}", ""]
    if report.guardrails:
        lines += [f"#### Guardrails: {guardrail_title(report.guardrails)}", ""]
        lines += [f"- {_OUTCOMES[item.outcome]} {prose(item.detail)}" for item in report.guardrails]
        lines.append("")
    for section, rows in report.sections():
        lines += _table(report, section, rows)
    if report.hidden:
        lines += [f"{prose(report.hidden)} not shown", ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _side(side: Side) -> str:
    return f"{code(side.label)} ({code(short_digest(side.digest))})"


def _table(report: Report, section: Section, rows: tuple[Row, ...]) -> list[str]:
    comparison = report.comparison
    title = f"#### {section.name.capitalize()} ({section.changed} of {len(section.rows)})"
    heads = ["", code(comparison.a.label), code(comparison.b.label)]
    is_metrics = section.name == "metrics"
    marks = ["---", "---:", "---:"] if is_metrics else ["---"] * 3
    if is_metrics:
        heads += ["Δ", "relative", ""]
        marks += ["---:", "---:", "---"]
    lines = [title, "", _row([*heads, ""]), _row([*marks, "---"])]
    for row in rows:
        lines.append(_row(_cells(row, is_metrics)))
    return [*lines, ""]


def _cells(row: Row, is_metrics: bool) -> list[str]:
    a, b = wording.pair(row)
    cells = [code(row.key), code(a), code(b)]
    if is_metrics:
        cells += [prose(wording.absolute(row)), wording.relative(row), wording.verdict(row)]
    remark = row.note if row.note or row.status in ("equal", "changed") else row.status
    return [*cells, prose(remark)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def code(text: str) -> str:
    """Return a text as a code span that may stand in a table."""
    line = clean_line(text, _LIMIT).strip() or "–"
    # Parsers disagree on two backslashes before a bar, so that never occurs.
    line = re.sub(r"\\(?=\|)", r"\\ ", line).replace("|", r"\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def prose(text: str) -> str:
    """Return a sentence in which nothing is markup, a link, a mention or a number of an issue."""
    line = clean_line(text, 2 * _LIMIT)
    for found, alike in _FOUND_LATE:
        line = re.sub(re.escape(found), alike, line, flags=re.IGNORECASE)
    return _MARKUP.sub(r"\\\1", line)

"""A comparison as one HTML page that needs nothing else: for an incident, a ticket, a printer.

It has no scripts and loads nothing, which its own policy also tells the browser. Text from
versions is escaped.
"""

from __future__ import annotations

from html import escape

from rolldeck.compare import wording
from rolldeck.compare.model import Row, Section, Side
from rolldeck.compare.plot import plot
from rolldeck.compare.report import Report, guardrail_title
from rolldeck.text import clean_line

_LIMIT = 1000
"""Most characters of one value."""
_MOST_PLOTS = 24

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #59636e; --line: #d1d9e0; --ground: #fff;
  --worse: #b3261e; --better: #1a6e3a; --a: #6e7781; --b: #0b62c4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9198a1; --line: #3d444d;
  --ground: #0d1117; --worse: #ff8b83; --better: #5fd389; --a: #9198a1; --b: #6cb6ff; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.25rem; } h2 { font-size: 1.05rem; margin: 1.8rem 0 .4rem; }
.summary { font-size: 1.1rem; font-weight: 600; } .dim, .note, h2 span { color: var(--dim); }
h2 span { font-weight: 400; }
table { border-collapse: collapse; width: 100%; } th, td { border-bottom: 1px solid var(--line);
  padding: .25rem .6rem .25rem 0; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.equal { color: var(--dim); } .worse { color: var(--worse); font-weight: 600; }
.better { color: var(--better); font-weight: 600; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; width: 20rem; }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: var(--dim); }
polyline { fill: none; stroke-width: 2; } polyline.a { stroke: var(--a); stroke-dasharray: 5 3; }
polyline.b { stroke: var(--b); } rect.a { fill: var(--a); } rect.b { fill: var(--b); }
@media print { :root { --ink: #000; --dim: #444; --line: #999; --ground: #fff; --worse: #a00;
  --better: #060; --a: #777; --b: #036; } body { margin: 0; max-width: none; }
  tr, figure { break-inside: avoid; } }
"""


def to_html(report: Report) -> str:
    """Return the whole page."""
    comparison = report.comparison
    title = f"{_text(comparison.a.label)} → {_text(comparison.b.label)}"
    body = [
        f"<h1>{title}</h1>",
        f"<p>{_side('A', comparison.a)}<br>{_side('B', comparison.b)}</p>",
        f'<p class="summary">{_text(comparison.summary)}</p>',
        *(
            f'<p class="note">{_text(text)}</p>'
            for text in (report.caveat, *report.problems)
            if text
        ),
        *_guardrails(report),
    ]
    for section, rows in report.sections():
        body += _section(report, section, rows)
    if report.hidden:
        body.append(f'<p class="dim">{_text(report.hidden)} not shown</p>')
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _text(text: str) -> str:
    return escape(clean_line(text, _LIMIT))


def _side(letter: str, side: Side) -> str:
    reference = _text(side.reference.partition("@")[0])
    return f'<b>{letter}</b> {reference} <span class="dim">{_text(side.digest)}</span>'


def _guardrails(report: Report) -> list[str]:
    if not report.guardrails:
        return []
    classes = {"failed": "worse", "passed": "better", "unknown": "dim"}
    lines = [f"<h2>Guardrails <span>{guardrail_title(report.guardrails)}</span></h2>", "<ul>"]
    lines += [
        f'<li><span class="{classes[item.outcome]}">{item.outcome}</span> {_text(item.detail)}</li>'
        for item in report.guardrails
    ]
    return [*lines, "</ul>"]


def _section(report: Report, section: Section, rows: tuple[Row, ...]) -> list[str]:
    comparison = report.comparison
    count = f"{section.changed} of {len(section.rows)}"
    is_metrics = section.name == "metrics"
    side = ' class="number"' if is_metrics else ""
    heads = ["<th></th>"]
    heads += [f"<th{side}>{_text(item.label)}</th>" for item in (comparison.a, comparison.b)]
    if is_metrics:
        heads += ["<th class=number>Δ</th>", "<th class=number>relative</th>", "<th></th>"]
    lines = [f"<h2>{section.name.capitalize()} <span>{count}</span></h2>"]
    lines += [f"<table><thead><tr>{''.join(heads)}<th></th></tr></thead><tbody>"]
    lines += [_row(row, is_metrics, side) for row in rows]
    lines.append("</tbody></table>")
    return lines + (_plots(report, rows) if is_metrics else [])


def _row(row: Row, is_metrics: bool, side: str) -> str:
    a, b = wording.pair(row)
    arrow = f" {wording.direction(row)}".rstrip()
    cells = [f"<td>{_text(row.key)}{arrow}</td>", *(f"<td{side}>{_text(x)}</td>" for x in (a, b))]
    if is_metrics:
        texts = (wording.absolute(row), wording.relative(row))
        cells += [f'<td class="number">{_text(text)}</td>' for text in texts]
        cells.append(f'<td class="{row.verdict}">{wording.verdict(row)}</td>')
    remark = row.note if row.note or row.status in ("equal", "changed") else row.status
    cells.append(f'<td class="note">{_text(remark)}</td>')
    return f'<tr class="{row.status}">{"".join(cells)}</tr>'


def _plots(report: Report, rows: tuple[Row, ...]) -> list[str]:
    figures = []
    for row in rows[:_MOST_PLOTS]:
        drawn = plot(row, report.curves.get((row.metric, row.slice), ((), ())))
        if drawn:
            figures.append(f"<figure>{drawn}<figcaption>{_text(row.key)}</figcaption></figure>")
    return ['<div class="plots">', *figures, "</div>"] if figures else []

"""The page of a comparison as lines of styled spans: head, summary, sections, folded rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.cells import cell_len

from rolldeck.compare.model import Comparison, Section, Side
from rolldeck.compare.report import UNDECLARED
from rolldeck.text import clean_line
from rolldeck.tui.models.comparison_columns import Columns, lay_out
from rolldeck.tui.models.comparison_files import FileChange, file_lines
from rolldeck.tui.models.comparison_guardrails import guardrail_lines
from rolldeck.tui.models.comparison_history import NO_HISTORY, History
from rolldeck.tui.models.comparison_rows import row_lines
from rolldeck.tui.models.comparison_state import TITLES, Target, View, ordered
from rolldeck.tui.models.lines import Line, Look, Span, Stop, cut, left, line, right, wrap
from rolldeck.tui.models.text_lines import window
from rolldeck.units import short_digest

GUTTER = 2
"""Cells at the left that hold the cursor's mark."""

HALF_LIMIT = 64
"""Most cells from the head of A to that of B: further apart they are not read together."""

LABEL_LIMIT = 40
"""Longest version name written in full."""


@dataclass(frozen=True, slots=True)
class Page:
    """A comparison laid out for one width."""

    lines: tuple[Line, ...] = ()
    stops: tuple[Stop, ...] = ()
    targets: tuple[Target, ...] = ()
    """What each stop is."""


@dataclass(slots=True)
class _Draft:
    """A page while it is written."""

    lines: list[Line] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def stop(self, target: Target, start: int = 0, end: int | None = None) -> None:
        """Make the next line a place for the cursor."""
        self.stops.append(Stop(len(self.lines), target, start, end))
        self.targets.append(target)


def build_page(
    comparison: Comparison,
    view: View,
    width: int,
    *,
    dense: bool = False,
    changes: Mapping[Target, FileChange] | None = None,
    remarks: tuple[str, str] = ("", ""),
    history: History = NO_HISTORY,
) -> Page:
    """Return a comparison as lines of at most ``width`` cells.

    ``dense`` leaves out the empty lines between sections. ``changes`` says how the text of files
    differs, as far as that is known yet. ``remarks`` is what else is to be said of both sides,
    ``history`` what metrics were in the versions before.
    """
    draft = _Draft(_head(comparison, width, remarks))
    sections = ordered(comparison)
    opened = [section for section in sections if _stands(comparison, view, section)]
    opened.sort(key=lambda section: view.resting(comparison, section))
    rows = [
        row
        for section in opened
        if not view.folded(comparison, section)
        for row in view.rows(section)
    ]
    labels = (clean_line(comparison.a.label), clean_line(comparison.b.label))
    columns = lay_out(rows, labels, width, view.relative, history.versions)
    for section in opened:
        if not dense or section is opened[0]:
            draft.lines.append(line())
        _section(draft, comparison, section, view, columns, changes or {}, history)
    rest = [section for section in sections if section not in opened]
    rest.sort(key=lambda section: not section.rows)
    if rest:
        draft.lines.append(line())
        _strip(draft, rest, width)
    lines = [item if item.width <= width else _clipped(item, width) for item in draft.lines]
    return Page(tuple(lines), tuple(draft.stops), tuple(draft.targets))


def _clipped(wide: Line, width: int) -> Line:
    """Return a line that is too wide, cut: only where the page is very narrow."""
    return Line(tuple(window(wide.spans, 0, width)))


def _stands(comparison: Comparison, view: View, section: Section) -> bool:
    """Return whether a section has a head of its own, instead of a place in the last line."""
    return not (view.resting(comparison, section) and view.folded(comparison, section))


def _head(comparison: Comparison, width: int, remarks: tuple[str, str]) -> list[Line]:
    a, b = _side("A", comparison.a, remarks[0]), _side("B", comparison.b, remarks[1])
    half = min(width // 2, HALF_LIMIT)
    if a.width <= half - GUTTER - 2 and b.width <= half - 1:
        gap = Span(" " * (half - a.width - GUTTER))
        heads = [Line((Span(" " * GUTTER), *a.spans, gap, *b.spans))]
    else:
        heads = [Line((Span(" " * GUTTER), *side.spans)) for side in (a, b)]
    return [*heads, line(), *_summary(comparison, width)]


def _side(letter: str, side: Side, remark: str) -> Line:
    label = cut(clean_line(side.label), LABEL_LIMIT)
    digest = Span(short_digest(clean_line(side.digest)), "dim")
    said = Span(f"  {clean_line(remark)}" if remark else "")
    return line(Span(f"{letter}  ", "accent"), Span(label, "bright"), "  ", digest, said)


def _summary(comparison: Comparison, width: int) -> list[Line]:
    text = clean_line(comparison.summary)
    if comparison.identical:
        text = "Identical: A and B are the same version, byte for byte. Nothing differs."
    verdicts = {row.verdict for section in comparison.sections for row in section.rows}
    parts = text.split(" · ")
    # What is not like for like says so before any number.
    first = " · ".join(parts[: 1 if comparison.like_for_like is not False else 2])
    look: Look = "bright"
    if "worse" in verdicts and "worse" in first:
        look = "worse"
    elif "better" in verdicts and "better" in first:
        look = "better"
    lines, left_of_first = [], len(first)
    for part in wrap(text, width - GUTTER - 1):
        spans = [Span(" " * GUTTER)]
        if left_of_first > 0:
            spans.append(Span(part[:left_of_first], look))
            spans.append(Span(part[left_of_first:], "bright"))
            left_of_first -= len(part) + 1
        else:
            spans.append(Span(part, "bright"))
        lines.append(Line(tuple(spans)))
    if comparison.like_for_like is None:
        lines.append(Line((Span(" " * GUTTER), Span(cut(UNDECLARED, width - GUTTER - 1), "dim"))))
    for problem in comparison.problems:
        texts = wrap(f"not read: {clean_line(problem, 400)}", width - GUTTER - 1, 2)
        lines += [Line((Span(" " * GUTTER), Span(text, "changed"))) for text in texts]
    return [*lines, *guardrail_lines(comparison.guardrails, width - GUTTER - 1, GUTTER)]


def _section(
    draft: _Draft,
    comparison: Comparison,
    section: Section,
    view: View,
    columns: Columns,
    changes: Mapping[Target, FileChange],
    history: History,
) -> None:
    folded = view.folded(comparison, section)
    mark, title = "▶" if folded else "▼", TITLES[section.name]
    files = " files" if section.name == "code" else ""
    count = f"{section.changed} of {len(section.rows)}{files}"
    head = line(" " * GUTTER, Span(f"{mark} {title}", "accent"), Span(f"  {count}", "dim"))
    rows = () if folded else view.rows(section)
    if section.name != "code" and any(columns.short(row) for row in rows):
        head = _named(head, comparison, columns, any(row.delta is not None for row in rows))
    if section.name == "metrics" and rows and columns.history:
        head = _with_history(head, columns)
    draft.stop(Target(section.name))
    draft.lines.append(head)
    hinted = False
    for row in rows:
        target = Target(section.name, row.key)
        draft.stop(target)
        if section.name == "code":
            change = changes.get(target)
            hint = change is not None and not hinted
            hinted = hinted or hint
            draft.lines += file_lines(row, columns, change, hint)
        else:
            labels = (comparison.a.label, comparison.b.label)
            past = history.of(row) if section.name == "metrics" else ""
            draft.lines += row_lines(row, columns, view.relative, labels, past)


def _named(head: Line, comparison: Comparison, columns: Columns, deltas: bool) -> Line:
    """Return a section's head with the names of its columns, where they do not run into it."""
    names = [right(clean_line(side.label), columns.value) for side in (comparison.a, comparison.b)]
    text = f"{names[0]}  {names[1]}" + (f"  {right('Δ', columns.delta)}" if deltas else "")
    start = columns.indent + columns.key + 2
    blank = len(text) - len(text.lstrip())
    if head.width + 2 > start + blank:
        return head
    pad = left("", start - head.width) if start >= head.width else ""
    return Line((*head.spans, Span(pad + text[max(head.width - start, 0) :], "dim")))


def _with_history(head: Line, columns: Columns) -> Line:
    """Return the head of the metrics with the name of the sparklines, where it fits."""
    for name in (f"last {columns.history} versions", f"last {columns.history}"):
        # Moved to the left where it would not fit above the first value.
        blank = min(columns.sparkline, columns.width - 1 - len(name)) - head.width
        if blank > 1:
            return Line((*head.spans, Span(" " * blank + name, "dim")))
    return head


def _strip(draft: _Draft, sections: list[Section], width: int) -> None:
    """Write the folded sections in as few lines as they fit into."""
    spans: list[Span] = []
    used = 0
    for section in sections:
        title = TITLES[section.name]
        if not section.rows:
            text = f"· {title} none"
        elif section.changed:
            text = f"▶ {title} {section.changed}"
        else:
            text = f"▶ {title} same"
        size = cell_len(text)
        if spans and used + GUTTER + size + 1 > width:
            draft.lines.append(Line(tuple(spans)))
            spans, used = [], 0
        if section.rows:
            draft.stop(Target(section.name), used, used + GUTTER + size + 1)
        spans += [Span(" " * GUTTER), Span(text, "plain" if section.changed else "dim"), Span(" ")]
        used += GUTTER + size + 1
    if spans:
        draft.lines.append(Line(tuple(spans)))

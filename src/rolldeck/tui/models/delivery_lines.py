"""A push, a copy or new tags in words: what goes where, and which tags move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolldeck.text import clean_line
from rolldeck.tui.models.lines import Line, Look, Span
from rolldeck.tui.models.plan_lines import PlanPage
from rolldeck.units import human_size, short_digest

if TYPE_CHECKING:
    from rolldeck.actions import Delivery


def delivery_page(delivery: Delivery) -> PlanPage:
    """Return a delivery as a dialog shows it."""
    source, digest = delivery.source, short_digest(delivery.digest)
    name = str(source.tagged(source.tag)) if source.tag else source.name
    lines = [
        Line((Span("version  "), Span(f"{clean_line(name, 120)}  {digest}", "bright"))),
        Line((Span("to       "), Span(clean_line(delivery.target.name, 160)))),
        Line(),
    ]
    for item in delivery.tags:
        mark, look, words = _change(item.before, delivery.digest)
        lines.append(Line((Span(f"{mark} ", look), Span(f"{item.tag}: {words}"))))
    size = human_size(delivery.graph.size)
    return PlanPage(
        f"{delivery.verb.capitalize()} {clean_line(name, 60)} → {delivery.target.name}",
        f"at most {size} to move" if delivery.graph.size else "0 B to move",
        lines,
        delivery.verb,
        True,
    )


def _change(before: str | None, digest: str) -> tuple[str, Look, str]:
    if before is None:
        return "✓", "better", "new"
    if before == digest:
        return "✓", "better", "names it already"
    return "!", "changed", f"moves here from {short_digest(before)}"

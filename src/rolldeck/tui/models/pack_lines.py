"""Packing a directory in words: its layers, what of it is left out, the tags that it gets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rolldeck.text import clean_line
from rolldeck.tui.models.lines import Line, Look, Span
from rolldeck.tui.models.plan_lines import PlanPage
from rolldeck.units import human_size, short_digest

if TYPE_CHECKING:
    from rolldeck.actions import Packing
    from rolldeck.kit.pack_plan import PlannedLayer

_MOST_LAYERS = 6
_MOST_NAMED = 2
"""Most that is named of what is left out, and of warnings: their number always fits."""


def pack_page(packing: Packing) -> PlanPage:
    """Return the plan of a pack as a dialog shows it."""
    layers = packing.plan.layers
    lines = list(_tags(packing))
    left_out = [f"{path}: {reason}" for path, reason in packing.plan.left_out]
    warnings = [f"{item.file}:{item.line}: {item.message}" for item in packing.warnings]
    lines += _told("left out", left_out)
    lines += _told("warnings", warnings)
    if lines:
        lines.append(Line())
    lines += _layers(layers)
    size = human_size(sum(layer.content_size for layer in layers))
    return PlanPage(
        f"Pack {clean_line(str(packing.plan.context), 160)} → {packing.reference}",
        f"{size} in {len(layers)} layer{'s' if len(layers) != 1 else ''}",
        lines,
        "pack",
        True,
    )


def _tags(packing: Packing) -> Iterator[Line]:
    """Yield a line for each tag that another version may have."""
    # Imported here: a deck that packs nothing need not wait for what tells versions.
    from rolldeck.facts import is_version_tag

    for item in packing.tags:
        if item.before is None:
            continue
        fate = "stays there, unless it comes out the same" if is_version_tag(item.tag) else "moves"
        text = f"{item.tag} is {short_digest(item.before)} and {fate}"
        yield Line((Span("! ", "changed"), Span(text)))


def _told(title: str, texts: Sequence[str]) -> Iterator[Line]:
    """Yield how many there are, the first ones, and whether there are more."""
    if not texts:
        return
    look: Look = "changed"
    yield Line((Span("! ", look), Span(f"{title}: {len(texts)}")))
    for text in texts[:_MOST_NAMED]:
        yield Line((Span(f"    {clean_line(text, 140)}", "dim"),))
    if len(texts) > _MOST_NAMED:
        more = f"and {len(texts) - _MOST_NAMED} more; rolldeck pack --dry-run tells all"
        yield Line((Span(f"    {more}", "dim"),))


def _layers(layers: Sequence[PlannedLayer]) -> Iterator[Line]:
    if not layers:
        yield Line((Span("no layers: the Kitfile alone", "dim"),))
    for layer in layers[:_MOST_LAYERS]:
        files = sum(not entry.is_dir for entry in layer.entries)
        text = f"{files} file{'s' if files != 1 else ''}, {human_size(layer.content_size)}"
        path = clean_line(layer.clean_path, 120)
        yield Line((Span(f"{layer.kind:<9}  ", "dim"), Span(path, "bright"), Span(f"  {text}")))
    if rest := layers[_MOST_LAYERS:]:
        size = human_size(sum(layer.content_size for layer in rest))
        yield Line((Span(f"and {len(rest)} more, {size}", "dim"),))

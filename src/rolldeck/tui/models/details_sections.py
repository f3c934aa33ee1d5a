"""What each section of the details says, folded and unfolded."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rolldeck.cells import BYTES, number, value
from rolldeck.errors import RolldeckError
from rolldeck.text import clean, clean_line, clean_tree
from rolldeck.tui.models.details_weights import (
    Rows,
    pickles_brief,
    pickles_rows,
    signature_rows,
    weights_brief,
    weights_rows,
)
from rolldeck.tui.models.lines import Line, Span, cut, left
from rolldeck.units import human_size, short_digest

if TYPE_CHECKING:
    from rolldeck.compare import Version
    from rolldeck.facts import EnvironmentFact, Metric
    from rolldeck.kit import Layer

_LONGEST_TEXT = 200_000
"""Most characters of a Kitfile or manifest shown here; ``i`` shows all of it."""

_FIRST_PACKAGES = ("torch", "tensorflow", "jax", "transformers", "scikit-learn", "xgboost", "numpy")
"""Packages that are named first: what a model most often breaks on."""

_BYTE_UNITS = BYTES | {"By"}

_KINDS = {
    "modelkit": "ModelKit",
    "modelpack": "ModelPack",
    "artifact": "OCI artifact",
    "image": "container image",
    "index": "image index",
}


@dataclass(frozen=True, slots=True)
class Section:
    """One section: ``brief`` are its main facts while it is folded, ``lines`` is all of it."""

    id: str
    title: str
    count: int
    brief: tuple[str, ...]
    lines: Callable[[int], list[Line]]


def kind_name(kind: str) -> str:
    """Return what a kind of version is called."""
    return _KINDS.get(kind, clean_line(kind, 40))


def sections(version: Version) -> list[Section]:
    """Return the sections of a version, those with something to say."""
    kit, facts = version.kit, version.facts
    found = [
        Section(
            "metrics",
            "Metrics",
            len(facts.metrics),
            _metrics_brief(facts.metrics) or ("none recorded",),
            lambda width: [_metric_line(item, facts.metrics, width) for item in facts.metrics],
        ),
        Section(
            "layers",
            "Layers",
            len(kit.layers),
            _layers_brief(kit.layers) or ("none",),
            lambda width: [layer_line(item, width) for item in kit.layers],
        ),
        Section(
            "environment",
            "Environment",
            len(facts.environment),
            _environment_brief(facts.environment) or ("not recorded",),
            lambda width: _pairs(
                [(_fact_name(item), item.value, item.group) for item in facts.environment], width
            ),
        ),
        Section(
            "parameters",
            "Parameters",
            len(facts.parameters),
            tuple(
                f"{clean_line(item.name, 60)} {cut(value(item.value), 24)}"
                for item in facts.parameters
            )
            or ("none recorded",),
            lambda width: _pairs(
                [(item.name, value(item.value), item.source) for item in facts.parameters], width
            ),
        ),
    ]
    for title, brief, rows in (
        ("Tensors", weights_brief(facts), weights_rows(facts)),
        ("Pickles", pickles_brief(facts), pickles_rows(facts)),
    ):
        if brief:
            found.append(_of_rows(title, len(brief), brief, rows))
    if version.chain or version.chain_problem:
        found.append(_chain_section(version))
    if kit.kitfile is not None:
        kitfile = kit.kitfile
        found.append(
            Section("kitfile", "Kitfile", 0, (), lambda width: _text(kitfile_text(kitfile), width))
        )
    document = kit.manifest.document
    found.append(
        Section("manifest", "Manifest", 0, (), lambda width: _text(json_text(document), width))
    )
    data = [(item.name, f"{item.scheme} {item.identity}", item.role) for item in facts.data]
    lineage = [(item.name, item.value, item.source) for item in facts.lineage]
    for title, rows in (
        ("Signature", signature_rows(facts)),
        ("Data", data),
        ("Lineage", lineage),
    ):
        if rows:
            found.append(_of_rows(title, len(rows), (), rows))
    if facts.missing:
        missing = facts.missing
        found.append(
            Section(
                "missing",
                "Not read",
                len(missing),
                (),
                lambda width: [Line((Span(cut(clean_line(text), width)),)) for text in missing],
            )
        )
    return found


def _of_rows(title: str, count: int, brief: tuple[str, ...], rows: Rows) -> Section:
    """Return a section of names with values."""
    return Section(title.lower(), title, count, brief, lambda width: _pairs(rows, width))


def _chain_section(version: Version) -> Section:
    """Return the kits that the model comes from, nearest first, or why they are not known."""
    rows = [
        (link.name, f"{human_size(link.size)}  {short_digest(link.kit.digest)}", "")
        for link in version.chain
    ]
    brief = [f"{link.name} {human_size(link.size)}" for link in version.chain]
    if version.chain_problem:
        rows.append(("not read", clean_line(version.chain_problem), ""))
        brief.append(clean_line(version.chain_problem))
    return Section(
        "chain", "Model from", len(version.chain), tuple(brief), lambda width: _pairs(rows, width)
    )


def kitfile_text(kitfile: Mapping[str, Any]) -> str:
    """Return a Kitfile as kit writes it; one that kit could not have written as JSON."""
    # Imported here: its patterns take 12 ms, and the Kitfile stands folded at first.
    from rolldeck.kit.kitfile_yaml import kitfile_yaml

    try:
        return clean(kitfile_yaml(kitfile).decode(), _LONGEST_TEXT)
    except RolldeckError:
        return json_text(kitfile)


def json_text(document: object) -> str:
    """Return a document as indented JSON."""
    text = json.dumps(clean_tree(document), indent=2, ensure_ascii=False)
    return clean(text, _LONGEST_TEXT)


def _text(text: str, width: int) -> list[Line]:
    return [Line((Span(cut(line.replace("\t", "    "), width)),)) for line in text.splitlines()]


def _metric_value(metric: Metric) -> str:
    if metric.value is None:
        return clean_line(metric.text or "–", 20)
    if metric.unit in _BYTE_UNITS:
        return human_size(metric.value)
    unit = "" if metric.unit in (None, "", "1") else f" {clean_line(str(metric.unit), 12)}"
    return number(metric.value, 4) + unit


def _metrics_brief(metrics: Sequence[Metric]) -> tuple[str, ...]:
    """Return each metric with as short a name as tells it from the others."""
    counts = Counter(item.name for item in metrics)
    return tuple(
        f"{clean_line(item.name if counts[item.name] == 1 else item.key, 60)} {_metric_value(item)}"
        for item in metrics
    )


def _layers_brief(layers: Sequence[Layer]) -> tuple[str, ...]:
    """Return each kind of layer with its count and size."""
    counts = Counter(item.kind for item in layers)
    sizes: Counter[str] = Counter()
    for item in layers:
        sizes[item.kind] += item.size
    return tuple(
        f"{kind} {human_size(sizes[kind])}" + (f" in {count}" if count > 1 else "")
        for kind, count in counts.items()
    )


def _metric_line(metric: Metric, everything: Sequence[Metric], width: int) -> Line:
    name = min(max(len(clean_line(item.key, 80)) for item in everything), max(width // 2, 12))
    notes = []
    if metric.higher_is_better is not None:
        notes.append("higher is better" if metric.higher_is_better else "lower is better")
    if metric.n is not None:
        notes.append(f"n = {metric.n}")
    notes += [
        f"{clean_line(place, 60)} says {clean_line(text, 20)}" for place, text in metric.conflicts
    ]
    notes.append(clean_line(metric.source, 80))
    figure = _metric_value(metric).rjust(10)
    head = f"{left(clean_line(metric.key, 80), name)}  {figure}  "
    look = "changed" if metric.conflicts else "dim"
    return Line((Span(head), Span(cut(" · ".join(notes), max(width - len(head), 0)), look)))  # type: ignore[arg-type]


def layer_line(layer: Layer, width: int) -> Line:
    """Return a layer: for what, how large, packed how, and its name."""
    name = clean_line(layer.path or layer.name or "", 200)
    if layer.origin:
        name += f"   from {layer.origin}"
    form = "tar" if layer.is_archive else layer.form
    packing = form if layer.compression == "none" else f"{form} {layer.compression}"
    size = human_size(layer.size).rjust(10)
    head = f"{left(layer.kind, 10)}{size}  {short_digest(layer.digest)}  "
    return Line(
        (Span(head), Span(left(packing, 9), "dim"), Span(cut(name, max(width - len(head) - 9, 0))))
    )


def _environment_brief(facts: Sequence[EnvironmentFact]) -> tuple[str, ...]:
    packages = {item.name: item for item in facts if item.group == "package"}
    python = [item for item in facts if (item.group, item.name) == ("python", "version")]
    first = [packages[name] for name in _FIRST_PACKAGES if name in packages]
    hardware = [item for item in facts if item.group == "hardware"]
    order = dict.fromkeys((*python, *first, *hardware, *facts))
    return tuple(f"{_fact_name(item)} {cut(clean_line(item.value, 60), 24)}" for item in order)


def _fact_name(item: EnvironmentFact) -> str:
    """Return a name that says what it is about: ``python`` for its version, ``os release``."""
    name = clean_line(item.name, 40)
    if item.group in ("package", "variable", "seed"):
        return name
    return item.group if name in ("version", "name", "type") else f"{item.group} {name}"


def _pairs(rows: Sequence[tuple[str, str, str]], width: int) -> list[Line]:
    """Return name, value and a dim remark in columns."""
    names = [clean_line(name, 120) for name, _, _ in rows]
    first = min(max((len(name) for name in names), default=0), max(width // 2, 12))
    lines = []
    for name, (_, text, remark) in zip(names, rows, strict=True):
        head = left(name, first) + "  "
        body = cut(clean_line(text), max(width - len(head), 0))
        room = width - len(head) - len(body) - 3
        note = clean_line(remark, 80)
        tail = (Span(f"   {note}", "dim"),) if note and len(note) <= room else ()
        lines.append(Line((Span(head, "plain"), Span(body, "bright"), *tail)))
    return lines

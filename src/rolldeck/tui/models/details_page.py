"""The details of a version as lines: a head, what changed, and sections that fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rolldeck.text import clean_line
from rolldeck.tui.models.details_sections import Section, kind_name, sections
from rolldeck.tui.models.lines import Line, Look, Span, Stop, cut, left, wrap
from rolldeck.units import age, human_size

if TYPE_CHECKING:
    from rolldeck.actions import VersionRow
    from rolldeck.compare import Version
    from rolldeck.fit import Fit

TITLE = 14
"""Cells of a section's title where its facts stand beside it."""

OPEN_FIRST = frozenset[str]()
"""Sections that are open before anybody opens one: the folded ones show their main facts."""


@dataclass(frozen=True, slots=True)
class DetailsView:
    """What is known of the selected version so far, and how it is looked at."""

    row: VersionRow | None = None
    version: Version | None = None
    problem: tuple[str, str] | None = None
    """Why it could not be read, and what to do next."""
    since: tuple[str, str] | None = None
    """Label of the version before, and what changed since, in one sentence."""
    fit: Fit | None = None
    """Whether it fits this host, once that was judged."""
    here: str = ""
    """Where it lies on this host: ``current in /srv/a, on disk in /srv/b``."""
    unfolded: frozenset[str] = OPEN_FIRST
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class LayerTarget:
    """What a stop on a layer's line stands for: the layer's number among all of the version."""

    number: int


@dataclass(slots=True)
class DetailsPage:
    """The laid out page; a stop's target is the id of its section, or a layer in it."""

    lines: list[Line] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)


def details_page(view: DetailsView, width: int) -> DetailsPage:
    """Return the page for one width."""
    page = DetailsPage()
    if view.row is None:
        return page
    width = max(width, 20)
    page.lines += _head(view, view.row, width)
    if view.problem is not None:
        message, hint = view.problem
        page.lines += [
            Line((Span(" × ", "worse"), Span(text))) for text in wrap(message, width - 4)
        ]
        page.lines += [Line((Span(f"   {text}", "dim"),)) for text in wrap(hint, width - 4) if hint]
        return page
    if view.version is None:
        page.lines.append(Line((Span("   reading …", "dim"),)))
        return page
    if view.since is not None:
        label, summary = view.since
        text = f"since {clean_line(label, 60)}: {clean_line(summary, 400)}"
        page.lines += [Line((Span(" "), Span(part))) for part in wrap(text, width - 2, 2)]
    if view.fit is not None:
        page.lines += _fit(view.fit, width)
    page.lines.append(Line())
    _sections(page, sections(view.version), view.unfolded, width)
    return page


def _fit(fit: Fit, width: int) -> list[Line]:
    """Return one line, two where the reason is long: ``fits here: no: torch 2.7 wants …``."""
    looks: dict[bool | None, Look] = {True: "plain", False: "worse", None: "dim"}
    texts = wrap(clean_line(f"fits here: {fit.line}", 400), width - 2, 2)
    return [Line((Span(" "), Span(text, looks[fit.fits]))) for text in texts]


def _head(view: DetailsView, row: VersionRow, width: int) -> list[Line]:
    name = clean_line(" ".join(part for part in (row.name, row.version) if part), 120)
    facts = [kind_name(row.kind)] if row.kind else []
    version = view.version
    if version is not None:
        count = len(version.kit.own_layers)
        facts.append(f"{count} layer{'s' if count != 1 else ''}")
    if row.size is not None:
        facts.append(human_size(row.size))
    if version is not None:
        authors = version.kit.package.get("authors")
        if isinstance(authors, list) and authors and isinstance(authors[0], str):
            more = f" +{len(authors) - 1}" if len(authors) > 1 else ""
            facts.append(f"by {clean_line(authors[0], 40)}{more}")
        facts.append("signature not checked")
    head = name or clean_line(row.label, 120)
    rest = "   " + " · ".join(facts)
    lines = [Line((Span(" "), Span(cut(head, width - 2), "bright")))]
    if len(head) + len(rest) + 2 <= width:
        lines = [Line((*lines[0].spans, Span(rest, "dim")))]
    else:
        lines += [Line((Span(f" {text}", "dim"),)) for text in wrap(rest.strip(), width - 2, 2)]
    if row.created is not None:
        lines.append(Line((Span(f" {cut(_moment(row.created, view.now), width - 2)}", "dim"),)))
    if view.here:
        texts = wrap(clean_line(view.here, 600), width - 2, 3)
        lines += [Line((Span(f" {text}", "better"),)) for text in texts]
    description = version.kit.package.get("description") if version is not None else None
    if isinstance(description, str) and description:
        texts = wrap(clean_line(description, 400), width - 2, 2)
        lines += [Line((Span(f" {text}"),)) for text in texts]
    return lines


def _moment(moment: datetime, now: datetime | None) -> str:
    """Return a moment in local time with UTC beside it, and how long ago it was."""
    utc = moment.astimezone(UTC)
    local = moment.astimezone()
    text = f"created {local:%Y-%m-%d %H:%M}"
    if local.utcoffset():
        text += f" ({utc:%H:%M} UTC)"
    else:
        text += " UTC"
    since = age(moment, now)
    return f"{text}, {since}" + ("" if since == "in future" else " ago")


def _sections(
    page: DetailsPage, found: Sequence[Section], unfolded: frozenset[str], width: int
) -> None:
    """Write all sections; folded ones with nothing to say beside their title share a line."""
    short: list[Section] = []
    for section in found:
        if section.id in unfolded or section.brief:
            _flush(page, short, width)
            short = []
        if section.id in unfolded:
            _unfolded(page, section, width)
        elif section.brief:
            _folded(page, section, width)
        else:
            short.append(section)
    _flush(page, short, width)


def _folded(page: DetailsPage, section: Section, width: int) -> None:
    page.stops.append(Stop(len(page.lines), section.id))
    spans = [Span(" ▶ "), Span(left(section.title, TITLE), "accent")]
    room = width - TITLE - 4
    shown = 0
    for fact in section.brief:
        text = fact if not shown else f"   {fact}"
        more = len(section.brief) - shown - 1
        reserve = 10 if more else 0
        if len(text) + reserve > room:
            break
        spans.append(Span(text))
        room -= len(text)
        shown += 1
    rest = len(section.brief) - shown
    if not shown and section.brief:
        spans.append(Span(cut(section.brief[0], room)))
    elif rest > 0:
        spans.append(Span(f"   … {rest} more", "dim"))
    page.lines.append(Line(tuple(spans)))


def _unfolded(page: DetailsPage, section: Section, width: int) -> None:
    page.stops.append(Stop(len(page.lines), section.id))
    count = f" {section.count}" if section.count else ""
    spans = (Span(" ▼ "), Span(section.title, "accent"), Span(count, "dim"))
    page.lines.append(Line(spans))
    for number, line in enumerate(section.lines(width - 5)):
        target = LayerTarget(number) if section.id == "layers" else section.id
        page.stops.append(Stop(len(page.lines), target))
        page.lines.append(Line((Span("     "), *line.spans)))


def _flush(page: DetailsPage, short: Sequence[Section], width: int) -> None:
    """Write folded titles, several on a line."""
    spans: list[Span] = []
    x = 0
    for section in short:
        text = f" ▶ {section.title}" + (f" {section.count}" if section.count else "")
        if spans and x + len(text) + 2 > width:
            page.lines.append(Line(tuple(spans)))
            spans, x = [], 0
        page.stops.append(Stop(len(page.lines), section.id, x, x + len(text)))
        spans.append(Span(text + "  ", "dim"))
        x += len(text) + 2
    if spans:
        page.lines.append(Line(tuple(spans)))

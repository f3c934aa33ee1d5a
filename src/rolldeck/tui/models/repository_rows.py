"""The repositories as lines under the head of their source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rolldeck import actions
from rolldeck.text import clean_line
from rolldeck.tui.models.filter import Filter
from rolldeck.tui.models.lines import Line, Span, cut, left, wrap

if TYPE_CHECKING:
    from rolldeck.actions import RepositoryList, RepositoryRow
    from rolldeck.oci import Reference


@dataclass(frozen=True, slots=True)
class RepositoryLine:
    """One line: a source, a repository, a problem, or empty; ``row`` only for a repository."""

    line: Line
    row: RepositoryRow | None = None


def repository_lines(
    listing: RepositoryList, wanted: Filter, width: int, here: Reference | None = None
) -> list[RepositoryLine]:
    """Return all lines, sources in the order in which they come.

    ``here`` is the repository whose versions are shown.
    """
    problems = dict(listing.problems)
    sources = list(
        dict.fromkeys([*(row.source for row in listing.rows), *problems, *listing.pending])
    )
    lines: list[RepositoryLine] = []
    for source in sources:
        rows = [row for row in listing.rows if row.source == source and _stays(row, wanted)]
        pending = source in listing.pending
        if not rows and (wanted or not (pending or source in problems)):
            continue
        if lines:
            lines.append(RepositoryLine(Line()))
        lines.append(
            RepositoryLine(Line((Span(" " + cut(clean_line(source, 200), width - 1), "dim"),)))
        )
        for row in rows:
            lines.append(RepositoryLine(_row_line(row, width, row.reference == here), row))
        if pending and not wanted:
            lines.append(RepositoryLine(Line((Span("   reading …", "dim"),))))
        if source in problems and not wanted:
            texts = wrap(clean_line(problems[source], 400), max(width - 4, 8), 6)
            lines.append(RepositoryLine(Line((Span("  × ", "worse"), Span(texts[0], "dim")))))
            lines += [RepositoryLine(Line((Span(f"    {text}", "dim"),))) for text in texts[1:]]
    return lines


def _stays(row: RepositoryRow, wanted: Filter) -> bool:
    return wanted.matches({"name": row.name.casefold(), "source": row.source.casefold()})


def _row_line(row: RepositoryRow, width: int, here: bool) -> Line:
    count = "" if row.versions is None else str(row.versions)
    room = width - 3 - (len(count) + 1 if count else 0)
    return Line(
        (
            Span("   "),
            Span(left(clean_line(row.name, 300), room), "bright" if here else "plain"),
            Span(f" {count}" if count else "", "dim"),
        )
    )


def with_repository(listing: RepositoryList, reference: Reference) -> RepositoryList:
    """Return a list that holds a repository, which was typed and need not be listed anywhere."""
    if any(row.reference == reference for row in listing.rows):
        return listing
    source, name = place_and_name(reference)
    row = actions.RepositoryRow(reference, name, source, None)
    return replace(listing, rows=(*listing.rows, row))


def place_and_name(reference: Reference) -> tuple[str, str]:
    """Return where a repository is and its name there, as people read them."""
    if reference.place.value == "library":
        return "local library", reference.repository
    if reference.place.value == "registry":
        return reference.root, reference.repository
    if reference.place.value == "kit":
        return "kit's storage", reference.repository or "kit:"
    return f"oci:{reference.root}", reference.repository or reference.root


def updated(before: RepositoryList | None, now: RepositoryList) -> RepositoryList:
    """Return a newer list with the rows from before of those sources that did not answer yet."""
    if before is None or not now.pending:
        return now
    kept = {source: [r for r in before.rows if r.source == source] for source in now.pending}
    rows = (*now.rows, *(row for rows in kept.values() for row in rows))
    return replace(now, rows=rows)


def joined(lists: Iterable[RepositoryList]) -> RepositoryList:
    """Return lists of several places as one; later rows replace those of the same repository."""
    lists = list(lists)
    rows = {row.reference: row for part in lists for row in part.rows}
    problems = dict(problem for part in lists for problem in part.problems)
    pending = dict.fromkeys(source for part in lists for source in part.pending)
    complete = all(part.complete for part in lists)
    return actions.RepositoryList(
        tuple(rows.values()), complete, tuple(problems.items()), tuple(pending)
    )

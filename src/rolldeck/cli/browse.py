"""The verbs that look: ls and show."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from rich.text import Text

from rolldeck.actions import (
    RepositoryList,
    VersionList,
    VersionRow,
    Workspace,
    list_repositories,
    list_versions,
    load_version,
)
from rolldeck.cli.columns import print_columns
from rolldeck.cli.documents import (
    print_document,
    repositories_document,
    version_document,
    versions_document,
)
from rolldeck.cli.moved_tag import report_moved_tag
from rolldeck.cli.terminal import console, counting_line, message
from rolldeck.compare import Version
from rolldeck.errors import NotFoundError, UsageError
from rolldeck.kit import Kit
from rolldeck.oci import Place, Reference
from rolldeck.progress import Progress
from rolldeck.text import clean_line
from rolldeck.units import age, human_size, quantity, rfc3339, short_digest

_METRICS_IN_LIST = 3
"""Metric columns of a list of versions: what fits beside the rest in 120 columns."""

_ALSO, _KIND, _CREATED, _FIRST_METRIC = 1, 3, 5, 6
"""Places of columns in a list of versions."""


async def run_ls(workspace: Workspace, arguments: argparse.Namespace, _: Progress) -> int:
    """List repositories, or the versions of one."""
    if arguments.place is None:
        found = await list_repositories(workspace)
        if not arguments.json and not workspace.library.exists:
            message(f"There is no library in {workspace.library.root} yet.")
        return _print_repositories(found, arguments.json)
    place = Reference.parse(arguments.place)
    is_whole = not place.repository and not place.digest
    if place.place in (Place.REGISTRY, Place.KIT) and is_whole:
        return _print_repositories(await list_repositories(workspace, place), arguments.json)
    if place.place is Place.LAYOUT and not place.repository:
        found = await list_repositories(workspace, place)
        if any(row.reference.repository for row in found.rows):
            return _print_repositories(found, arguments.json)
    if arguments.limit is not None and arguments.limit < 1:
        raise UsageError("--limit must be at least 1")
    with counting_line() as say:
        versions = await list_versions(
            workspace, place, limit=arguments.limit, tell=lambda found: say(_so_far(found))
        )
    if place.tag or place.digest:
        versions = replace(versions, rows=await _named(workspace, place, versions))
    return _print_versions(versions, arguments.json)


async def _named(
    workspace: Workspace, place: Reference, found: VersionList
) -> tuple[VersionRow, ...]:
    """Return the row of one version; of what was only remembered, the registry is not asked."""
    if found.stale is not None and not place.digest:
        return tuple(row for row in found.rows if place.tag in row.tags)
    wanted = (await workspace.resolve(place)).digest
    return tuple(row for row in found.rows if row.digest == wanted)


def _so_far(found: VersionList) -> str:
    """Return how far a listing is: ``1,234 of 2,000 versions looked up``."""
    total = len(found.rows)
    if found.looked_up < total:
        return f"{found.looked_up:,} of {total:,} versions looked up"
    return f"{found.loaded:,} of {total:,} versions read"


def _print_repositories(found: RepositoryList, as_json: bool) -> int:
    if as_json:
        print_document(repositories_document(found))
        return 0
    rows = [
        (row.name, row.source, "" if row.versions is None else str(row.versions))
        for row in found.rows
    ]
    if rows:
        print_columns([("REPOSITORY", "left"), ("SOURCE", "left"), ("TAGS", "right")], rows)
    for source, text in found.problems:
        message(text if text.startswith(source) else f"{source}: {text}")
    if not found.complete and not found.problems:
        message("This registry does not list its repositories; name one: rolldeck ls HOST/NAME")
    elif not rows and not found.problems:
        message("No repositories yet. `rolldeck demo` fills a library to play with.")
    return 0


def _print_versions(found: VersionList, as_json: bool) -> int:
    if as_json:
        print_document(versions_document(found))
        return 0
    if not found.rows:
        raise NotFoundError(f"{found.repository} has no versions", reference=str(found.repository))
    names = list(dict.fromkeys(name for row in found.rows for name in row.metrics))
    shown = names[:_METRICS_IN_LIST]
    columns = [
        ("VERSION", "left"),
        ("ALSO", "left"),
        ("DIGEST", "left"),
        ("KIND", "left"),
        ("SIZE", "right"),
        ("CREATED", "left"),
        *((name, "right") for name in shown),
        ("HERE", "left"),
    ]
    rows = [_version_cells(row, shown) for row in found.rows]
    also = [] if any(row.badges for row in found.rows) else [_ALSO]
    # Of the metrics the last goes first, then how it is kept, then when it was made.
    metrics = range(_FIRST_METRIC + len(shown) - 1, _FIRST_METRIC - 1, -1)
    left_out = print_columns(columns, rows, spare=(*also, *metrics, _KIND, _CREATED))
    if (more := left_out - len(also)) > 0:
        message(f"{more} more columns: a wider terminal or --json.")
    if found.referrers:
        message(f"{found.referrers} tags of records and referrers are not shown.")
    if found.unread:
        message(f"{found.unread:,} more tags were not read; without --limit they are.")
    if not found.complete:
        message(
            "The list is incomplete: the registry's list of tags leads nowhere, never ends or holds"
            " what is no tag. This is what it gave."
        )
    if found.stale is not None:
        message(f"{found.reason}. This is what was seen {age(found.stale)} ago.")
    return 0


def _version_cells(row: VersionRow, metrics: list[str]) -> list[str | Text]:
    created = f"{age(row.created)} ago" if row.created else "–"
    if row.problem:
        digest = short_digest(row.digest) if row.digest else "–"
        return [row.label, ", ".join(row.badges), digest, clean_line(row.problem)]
    return [
        Text(row.label, style="bold"),
        Text(", ".join(row.badges), style="cyan"),
        Text(short_digest(row.digest) if row.digest else "–", style="dim"),
        row.kind,
        human_size(row.size) if row.size is not None else "–",
        created,
        *(f"{row.metrics[name]:.6g}" if name in row.metrics else "–" for name in metrics),
        "in library" if row.local else "–",
    ]


async def run_show(workspace: Workspace, arguments: argparse.Namespace, _: Progress) -> int:
    """Show one version with what it says of itself, or only the bytes of its manifest."""
    if arguments.raw:
        return await _print_raw(workspace, arguments)
    reference = Reference.parse(arguments.reference)
    version = await load_version(workspace, reference)
    if arguments.json:
        print_document(version_document(version))
    else:
        _print_version(version)
        await report_moved_tag(workspace, reference)
    return 0


async def _print_raw(workspace: Workspace, arguments: argparse.Namespace) -> int:
    if arguments.json:
        raise UsageError("--raw and --json exclude each other", hint="Leave one of them out.")
    manifest = await workspace.manifest(Reference.parse(arguments.reference))
    sys.stdout.buffer.write(manifest.raw)
    sys.stdout.buffer.flush()
    return 0


def _print_version(version: Version) -> None:
    out, kit, facts = console(), version.kit, version.facts
    package = {key: clean_line(str(value)) for key, value in kit.package.items()}
    title = " ".join(filter(None, (package.get("name"), package.get("version"))))
    out.print(Text(title or version.label, style="bold"))
    if package.get("description"):
        out.print(Text(package["description"]))
    facts_of_kit = [
        ("reference", version.reference),
        ("digest", kit.digest),
        ("kind", kit.kind),
        ("size", f"{human_size(kit.size)} in {_counted(kit)}{_lent(version)}"),
        ("created", f"{rfc3339(kit.created)} ({age(kit.created)} ago)" if kit.created else "–"),
    ]
    for number, link in enumerate(version.chain):
        label = "which takes it from" if number else "model from"
        digest = short_digest(link.kit.digest)
        facts_of_kit.append((label, f"{link.name}  {digest}  {human_size(link.size)}"))
    if version.chain_problem and kit.model_reference:
        facts_of_kit.append(("model from", f"{clean_line(kit.model_reference)}: not read"))
    room = max(len(name) for name, _ in facts_of_kit)
    for name, text in facts_of_kit:
        # Never cut: a reference is there to be copied.
        out.print(Text(f"{name:{room}}  {clean_line(text)}"), soft_wrap=True)
    if version.chain_problem:
        message(version.chain_problem)
    if kit.manifest.manifests:
        rows = [
            (short_digest(item.digest), item.media_type, human_size(item.size))
            for item in kit.manifest.manifests
        ]
        _section("Manifests", [("DIGEST", "left"), ("TYPE", "left"), ("SIZE", "right")], rows)
    _section(
        "Layers",
        [
            *[("KIND", "left"), ("PATH", "left"), ("SIZE", "right"), ("DIGEST", "left")],
            *([("FROM", "left")] if version.chain else []),
        ],
        [
            (
                layer.kind,
                clean_line(layer.path or layer.blob.media_type),
                human_size(layer.size),
                short_digest(layer.digest),
                *([layer.origin or ""] if version.chain else []),
            )
            for layer in kit.layers
        ],
    )
    _section(
        "Metrics",
        [("METRIC", "left"), ("VALUE", "right"), ("SOURCE", "left")],
        [
            (
                item.key,
                item.text or ("–" if item.value is None else quantity(item.value, item.unit)),
                item.source,
            )
            for item in facts.metrics
        ],
    )
    _section(
        "Parameters",
        [("PARAMETER", "left"), ("VALUE", "left")],
        [(item.name, str(item.value)) for item in facts.parameters],
    )
    _section(
        "Environment",
        [("WHAT", "left"), ("", "left"), ("VALUE", "left")],
        [(item.group, item.name, item.value) for item in facts.environment],
    )
    _section(
        "Data",
        [("NAME", "left"), ("ROLE", "left"), ("IDENTITY", "left")],
        [(item.name, item.role, f"{item.scheme} {item.identity[:24]}") for item in facts.data],
    )
    _section(
        "Tensors",
        [
            *[("FILE", "left"), ("FORMAT", "left"), ("TENSORS", "right"), ("PARAMETERS", "right")],
            ("TYPES", "left"),
        ],
        [
            (
                item.path + (f" in {item.files} files" if item.files > 1 else ""),
                item.format,
                str(len(item.tensors)),
                "–" if item.parameters is None else f"{item.parameters:,}",
                ", ".join(f"{count} {dtype}" for dtype, count in item.types.items()),
            )
            for item in facts.weights
        ],
    )
    _section(
        "Pickles",
        [("FILE", "left"), ("FORMAT", "left"), ("", "left"), ("LIBRARIES", "left")],
        [
            (
                item.path,
                f"{item.packing} {item.format} {item.protocol}".strip(),
                item.brief + (f"; {item.notice}" if item.notice else ""),
                ", ".join(f"{library} {version}".strip() for library, version in item.libraries),
            )
            for item in facts.pickles
        ],
    )
    signature = [*facts.signature] if facts.signature is not None else []
    signature += [(item.name, str(item.value)) for item in facts.architecture]
    signature += [(f"tokenizer {item.name}", str(item.value)) for item in facts.tokenizer]
    _section("Signature", [("", "left"), ("", "left")], signature)
    _section(
        "Lineage", [("", "left"), ("", "left")], [(item.name, item.value) for item in facts.lineage]
    )
    for text in facts.missing:
        message(f"Not known: {text}")


def _counted(kit: Kit) -> str:
    if kit.kind == "index":
        return f"{len(kit.manifest.manifests)} manifests"
    count = len(kit.own_layers)
    return f"{count} layer{'' if count == 1 else 's'}"


def _lent(version: Version) -> str:
    """Say how much more other kits lend."""
    more = version.kit.whole_size - version.kit.size
    return f", {human_size(more)} more from other kits" if version.chain else ""


def _section(
    title: str,
    columns: list[tuple[str, str]],
    rows: Sequence[Sequence[str | Text]],
) -> None:
    if rows:
        out = console()
        out.print()
        out.print(Text(title, style="bold blue"))
        print_columns(columns, rows)

"""The verb that tells what takes space."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rolldeck.actions import Way, Workspace, disk_use, ways_to_free
from rolldeck.cli.columns import print_columns
from rolldeck.cli.documents import print_document
from rolldeck.cli.usage_documents import usage_document
from rolldeck.progress import Progress
from rolldeck.text import clean_line
from rolldeck.units import age, human_size, short_digest

if TYPE_CHECKING:
    from rolldeck.actions import DiskUse, Leftover, StorageUse
    from rolldeck.store.usage import VersionUse

_SHOWN = 10
"""Rows of a table without --all."""

_SIZES = (("size", "right"), ("own", "right"))


async def run_du(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Tell what takes space, and how to free it; changes nothing."""
    use = await disk_use(workspace)
    ways = ways_to_free(use)
    if arguments.json:
        print_document(usage_document(use, ways))
        return 0
    print(f"{human_size(use.size)} in all")
    shown = None if arguments.all else _SHOWN
    _print_storage("library", use.library, shown)
    _print_storage("kit's storage", use.kit, shown)
    _print_rest(use, shown)
    _print_ways(ways)
    for problem in (*use.problems, *use.library.problems, *use.kit.problems):
        print(f"?  {clean_line(problem)}")
    return 0


def _print_storage(name: str, storage: StorageUse, shown: int | None) -> None:
    if not storage.size:
        return
    print(f"\n{name} {clean_line(str(storage.path))}  {human_size(storage.size)}")
    layout = storage.layout
    _print_rows(
        (*_SIZES, ("versions", "right"), ("repository", "left")),
        [
            (human_size(item.size), human_size(item.own), str(item.versions), item.name or "-")
            for item in layout.repositories
        ],
        shown,
    )
    needed = any(item.needed_by for item in layout.versions)
    _print_rows(
        (*_SIZES, ("version", "left"), *((("needed by", "left"),) if needed else ())),
        [
            (
                human_size(item.size),
                human_size(item.own),
                _name(item),
                *(("; ".join(item.needed_by),) if needed else ()),
            )
            for item in layout.versions
        ],
        shown,
    )
    _print_rows(
        (("size", "right"), ("versions", "right"), ("blob", "left")),
        [
            (human_size(item.size), str(item.versions), short_digest(item.digest))
            for item in layout.blobs
        ],
        shown,
    )
    if layout.unused and not storage.problems:
        print(f"{human_size(layout.unused)} of blobs are needed by no version")
    _print_leftovers(storage.leftovers, shown)


def _name(version: VersionUse) -> str:
    name = version.repository or "-"
    if version.tags:
        return f"{name}:{','.join(version.tags)}"
    return f"{name}@{short_digest(version.digest)}"


def _print_rest(use: DiskUse, shown: int | None) -> None:
    if use.releases:
        print(f"\nreleases  {human_size(sum(item.size for item in use.releases))}")
    _print_rows(
        (("size", "right"), ("needed for", "left"), ("release", "left"), ("directory", "left")),
        [
            (human_size(item.size), item.needed_for, item.label, str(item.directory))
            for item in use.releases
        ],
        shown,
    )
    _print_leftovers(use.leftovers, shown)
    if use.kit_cache:
        print(f"\nkit's cache  {human_size(use.kit_cache)}")
    if use.cache:
        print(f"\ncache {clean_line(str(use.cache_path))}  {human_size(use.cache)}")


def _print_leftovers(leftovers: Sequence[Leftover], shown: int | None) -> None:
    _print_rows(
        (("size", "right"), ("left over", "left"), ("written", "left"), ("file", "left")),
        [
            (
                human_size(item.size),
                f"{item.kind}, {item.state}",
                f"{age(item.touched)} ago",
                item.path.name,
            )
            for item in leftovers
        ],
        shown,
    )


def _print_rows(
    columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]], shown: int | None
) -> None:
    if not rows:
        return
    print()
    print_columns(columns, rows[:shown])
    if shown is not None and len(rows) > shown:
        print(f"{len(rows) - shown} more: rolldeck du --all")


def _print_ways(ways: Sequence[Way]) -> None:
    if ways:
        print("\nto free space")
    for way in ways:
        print(f"  {human_size(way.size)}: {clean_line(way.what)}")
        print(f"    {clean_line(way.command)}")

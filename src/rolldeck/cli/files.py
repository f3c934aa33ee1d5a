"""The verbs that look into layers: cat, and ls with --files."""

from __future__ import annotations

import argparse
import codecs
import contextlib
import sys
from typing import Any

from rich.text import Text

from rolldeck.actions import VersionFiles, Workspace, copy_out, find_and_look, list_files
from rolldeck.cli.columns import print_columns
from rolldeck.cli.documents import print_document
from rolldeck.cli.file_documents import files_document, view_document
from rolldeck.cli.terminal import message, progress_line
from rolldeck.errors import UsageError
from rolldeck.facts.file_type import file_type, is_text
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.text import clean, clean_line
from rolldeck.units import human_size, short_digest

_SNIFFED = 8 * 1024
"""Bytes that tell whether a file may be printed on a terminal."""

NOT_VERIFIED = "not verified: only parts were read, and the digest is over the whole layer"
"""What is said of bytes that came by range."""


async def run_files(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """List the files of a version."""
    if arguments.place is None:
        raise UsageError(
            "--files needs a version", hint="rolldeck ls REFERENCE --files, with a tag or digest"
        )
    reference = Reference.parse(arguments.place)
    with progress_line(progress, f"reading {reference}"):
        found = await list_files(workspace, reference, progress)
    if arguments.json:
        print_document(files_document(found))
    else:
        _print_files(found)
    return 0


def _print_files(found: VersionFiles) -> None:
    has_chain = any(layer.origin for layer, _ in found.layers)
    rows: list[tuple[tuple[str, ...], list[str | Text]]] = []
    if found.kitfile is not None:
        size = human_size(len(found.kitfile))
        rows.append((("Kitfile",), ["-rw-r--r--", size, "Kitfile", "config"]))
    for layer, listing in found.layers:
        for file in listing.files:
            path = clean_line(file.path, 1000) + ("/" if file.is_dir else "")
            target = f" -> {clean_line(file.target, 1000)}" if file.target else ""
            cells: list[str | Text] = [
                file.mode_text,
                "–" if file.is_dir or file.size is None else human_size(file.size),
                Text.assemble((path, "blue" if file.is_dir else ""), (target, "dim")),
                layer.kind,
                Text(short_digest(layer.digest), style="dim"),
                *([layer.origin or ""] if has_chain else []),
            ]
            rows.append((tuple(file.path.split("/")), cells))
    rows.sort(key=lambda row: row[0])
    columns = [("MODE", "left"), ("SIZE", "right"), ("PATH", "left"), ("KIND", "left")]
    columns += [("LAYER", "left"), *([("FROM", "left")] if has_chain else [])]
    if rows:
        print_columns(columns, [row for _, row in rows])
    for layer, listing in found.layers:
        name = clean_line(layer.path or layer.blob.media_type, 200)
        if listing.stopped:
            message(f"{name}: not all files are listed, {listing.stopped}")
        elif not listing.verified:
            message(f"{name}: {NOT_VERIFIED}")
    if found.chain_problem:
        message(found.chain_problem)


async def run_cat(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Print one file: its bytes into a pipe or a file, cleaned text on a terminal."""
    reference = Reference.parse(arguments.reference)
    if arguments.json:
        found = await find_and_look(workspace, reference, arguments.path, progress)
        print_document(view_document(*found))
        return 0
    shown = is_terminal()
    out = _Shown(arguments.path) if shown and not arguments.force else _Raw()
    title = f"reading {clean_line(arguments.path, 200)}"
    # Two that write to one terminal would spoil each other's lines.
    with contextlib.nullcontext() if shown else progress_line(progress, title):
        copied = await copy_out(workspace, reference, arguments.path, out.write, progress)
    out.end()
    if not copied.verified:
        message(NOT_VERIFIED)
    return 0


def is_terminal() -> bool:
    """Whether what is printed goes to a terminal, where bytes can do harm."""
    return sys.stdout.isatty()


class _Raw:
    """Bytes as they are."""

    def write(self, chunk: bytes | memoryview) -> None:
        sys.stdout.buffer.write(chunk)

    def end(self) -> None:
        sys.stdout.buffer.flush()


class _Shown:
    """Text made safe for a terminal; what is no text is refused before anything is printed."""

    def __init__(self, path: str) -> None:
        self._path = clean_line(path, 200)
        self._decode: Any = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._begun = False
        self._held = ""

    def write(self, chunk: bytes | memoryview) -> None:
        data = bytes(chunk)
        if not self._begun and data:
            self._begun = True
            start = data[:_SNIFFED]
            if not is_text(start, cut=True):
                raise UsageError(
                    f"{self._path} is no text but {file_type(start)}",
                    reference=self._path,
                    hint="Send it to a file or a pipe, or add --force.",
                )
        self._print(self._decode(data))

    def _print(self, text: str, *, last: bool = False) -> None:
        text = self._held + text
        # A line end may be cut between its two characters.
        self._held = "\r" if text.endswith("\r") and not last else ""
        text = text.removesuffix("\r") if self._held else text
        sys.stdout.write(clean(text, limit=len(text) + 1))

    def end(self) -> None:
        self._print(self._decode(b"", True), last=True)
        sys.stdout.flush()

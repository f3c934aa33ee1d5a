"""The files of a layer, and one file, as lines to read."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import chop_cells

from rolldeck.text import clean, clean_line
from rolldeck.tui.models.lines import Line, Span, cut, left, wrap
from rolldeck.units import human_size, short_digest

if TYPE_CHECKING:
    from rolldeck.actions import FileView
    from rolldeck.facts.tensors import TensorHeader
    from rolldeck.kit import LayerFile, LayerListing

NOT_VERIFIED = "not verified: read by range"
"""What is said of bytes that no checked digest covers."""

_TAB = 4


def reading_words(done: int) -> str:
    """Return what stands where something is still being read."""
    return f"reading … {human_size(done)}" if done else "reading …"


def in_tree_order(listing: LayerListing) -> list[LayerFile]:
    """Return the files with each directory before what is in it."""
    return sorted(listing.files, key=lambda file: file.path.split("/"))


def listing_lines(files: Sequence[LayerFile], width: int) -> list[Line]:
    """Return one line for each file."""
    lines = []
    for file in files:
        size = "" if file.is_dir else "–" if file.size is None else human_size(file.size)
        head = f" {file.mode_text}  {size:>10}  "
        whole = clean_line(file.path, 1000) + (
            f" -> {clean_line(file.target, 1000)}" if file.target else ""
        )
        name = cut(whole, max(width - len(head) - 1, 8))
        shown = Span(f"{name}/", "accent") if file.is_dir else Span(name)
        lines.append(Line((Span(head, "dim"), shown)))
    return lines


def listing_words(listing: LayerListing) -> str:
    """Return how many files are listed, and what has to be known of the list."""
    count = sum(file.type == "file" for file in listing.files)
    words = [f"{count} file{'' if count == 1 else 's'}"]
    if special := sum(bool(file.special) for file in listing.files):
        words.append(
            "1 link or special file" if special == 1 else f"{special} links or special files"
        )
    if listing.stopped:
        words.append(f"not complete: {clean_line(listing.stopped)}")
    if not listing.verified and listing.files:
        words.append(NOT_VERIFIED)
    return " · ".join(words)


def view_words(view: FileView) -> str:
    """Return what has to be known of a file beside its content."""
    words = ["unknown size" if view.size is None else human_size(view.size)]
    if view.text is not None and view.cut:
        words.append(f"the first {human_size(len(view.text))}")
    if not view.verified:
        words.append(NOT_VERIFIED)
    return " · ".join(words)


def view_lines(view: FileView, width: int) -> list[Line]:
    """Return a file: its text with numbers, or what is known of it and of its tensors."""
    if view.text is not None:
        return list(_text_lines(view.text, width))
    facts = [("type", clean_line(view.type)), ("mode", stat.filemode(stat.S_IFREG | view.mode))]
    if view.size is not None:
        facts.append(("size", f"{human_size(view.size)}, {view.size} bytes"))
    if view.layer is not None:
        facts.append(("layer", f"{view.layer.kind} {short_digest(view.layer.digest)}"))
    lines = _facts(facts, width)
    if view.notice:
        texts = wrap(clean_line(view.notice, 400), width - 2)
        lines += [Line(), *(Line((Span(f" {text}", "worse"),)) for text in texts)]
    return lines + (_header_lines(view.header, width) if view.header else [])


def _facts(facts: Sequence[tuple[str, str]], width: int) -> list[Line]:
    first = min(max(len(name) for name, _ in facts), max(width // 2, 8))
    return [
        Line((Span(f" {left(name, first)}  ", "dim"), Span(cut(text, max(width - first - 4, 8)))))
        for name, text in facts
    ]


def _text_lines(data: bytes, width: int) -> Iterator[Line]:
    """Yield a text with line numbers; long lines are folded, so that nothing is hidden."""
    text = clean(data.decode("utf-8-sig", "replace"), len(data) + 1)
    rows = text.split("\n")
    if rows[-1] == "":
        rows.pop()
    digits = max(len(str(len(rows))), 3)
    room = max(width - digits - 4, 10)
    for number, row in enumerate(rows, 1):
        for part, piece in enumerate(chop_cells(row.expandtabs(_TAB), room) or [""]):
            gutter = "" if part else str(number)
            yield Line((Span(f" {gutter:>{digits}}  ", "dim"), Span(piece)))


def _header_lines(header: TensorHeader, width: int) -> list[Line]:
    lines: list[Line] = []
    count = f"{len(header.tensors)} tensor{'' if len(header.tensors) == 1 else 's'}"
    if header.parameters is not None:
        count += f", {header.parameters:,} parameters"
    if header.tensors:
        names = max(len(tensor.name) for tensor in header.tensors)
        first = min(names, max(width - 32, 16))
        lines += [Line(), Line((Span(f" {count}", "accent"),))]
        for tensor in header.tensors:
            shape = " × ".join(str(size) for size in tensor.shape) or "one number"
            spans = Span(f" {left(tensor.name, first)}  "), Span(left(tensor.dtype, 8), "dim")
            lines.append(Line((*spans, Span(cut(f"  {shape}", max(width - first - 12, 8))))))
    if header.notice:
        lines += [Line(), Line((Span(f" {cut(header.notice, width - 2)}", "changed"),))]
    if header.metadata:
        lines += [Line(), Line((Span(" metadata", "accent"),))]
        lines += _facts(list(header.metadata.items()), width)
    return lines

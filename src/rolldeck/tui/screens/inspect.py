"""Inspect: the documents of a version as they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rolldeck.text import clean_line
from rolldeck.tui.models.details_sections import json_text, kitfile_text
from rolldeck.tui.models.lines import Line, Span, cut
from rolldeck.tui.screens.page import PageScreen

if TYPE_CHECKING:
    from rolldeck.compare import Version


class InspectScreen(PageScreen):
    """The Kitfile, manifest and config of one version, and the files that were read."""

    def __init__(self, version: Version) -> None:
        label = clean_line(version.label, 80)
        super().__init__(f"Inspect · {label}", (label, "inspect"))
        self._version = version

    def lines(self, width: int) -> Sequence[Line]:
        """Return the page for a width."""
        kit = self._version.kit
        lines = [
            _head("Reference"),
            Line((Span(f" {clean_line(self._version.reference, 400)}"),)),
        ]
        if kit.kitfile is not None:
            lines += [Line(), _head("Kitfile"), *_text(kitfile_text(kit.kitfile), width)]
        title = f"Manifest · {kit.manifest.media_type} · {len(kit.manifest.raw)} bytes"
        lines += [Line(), _head(clean_line(title, 200))]
        lines += _text(json_text(kit.manifest.document), width)
        if kit.config and kit.config != kit.kitfile:
            lines += [Line(), _head("Config"), *_text(json_text(dict(kit.config)), width)]
        if self._version.files:
            lines += [Line(), _head("Files of the small layers")]
            for path, data in sorted(self._version.files.items()):
                text = cut(f" {clean_line(path, 300)}", max(width - 12, 10))
                lines.append(Line((Span(text), Span(f"  {len(data)} B", "dim"))))
        return lines


def _head(text: str) -> Line:
    return Line((Span(f" {text}", "accent"),))


def _text(text: str, width: int) -> list[Line]:
    """Return a document line by line; long lines are folded, so that nothing is hidden."""
    room = max(width - 2, 20)
    lines = []
    for line in text.replace("\t", "    ").splitlines():
        for start in range(0, max(len(line), 1), room):
            lines.append(Line((Span(f" {line[start : start + room]}"),)))
    return lines

"""Inspect: the documents of a version as they are stored, and the way into its layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on

from rolldeck.commands import Command, footer_commands
from rolldeck.text import clean_line
from rolldeck.tui.models.details_sections import json_text, kitfile_text, layer_line
from rolldeck.tui.models.lines import Line, Span, cut
from rolldeck.tui.screens.files import FileScreen, FilesScreen
from rolldeck.tui.screens.page import PageScreen
from rolldeck.tui.widgets.cursor_view import CursorView
from rolldeck.tui.widgets.key_footer import KeyFooter
from rolldeck.tui.widgets.page_view import PageView

if TYPE_CHECKING:
    from rolldeck.compare import Version
    from rolldeck.kit import Layer


class InspectScreen(PageScreen):
    """The Kitfile, layers, manifest and config of one version, and the files that were read.

    ``enter`` on a layer lists its files, on a file shows it.
    """

    def __init__(self, version: Version) -> None:
        label = clean_line(version.label, 80)
        super().__init__(f"Inspect · {label}", (label, "inspect"))
        self._version = version
        self._opens: dict[int, Layer | str] = {}
        """What the lines open, by their numbers: a layer, or a file by its path."""

    def lines(self, width: int) -> Sequence[Line]:
        """Return the page for a width."""
        kit = self._version.kit
        self._opens = {}
        lines = [
            _head("Reference"),
            Line((Span(f" {clean_line(self._version.reference, 400)}"),)),
        ]
        if kit.layers:
            lines += [Line(), _head("Layers · enter lists the files of one")]
            for layer in kit.layers:
                self._opens[len(lines)] = layer
                lines.append(Line((Span(" "), *layer_line(layer, width - 2).spans)))
        if kit.kitfile is not None:
            lines += [Line(), _head("Kitfile"), *_text(kitfile_text(kit.kitfile), width)]
        title = f"Manifest · {kit.manifest.media_type} · {len(kit.manifest.raw)} bytes"
        lines += [Line(), _head(clean_line(title, 200))]
        lines += _text(json_text(kit.manifest.document), width)
        if kit.config and kit.config != kit.kitfile:
            lines += [Line(), _head("Config"), *_text(json_text(dict(kit.config)), width)]
        if self._version.files:
            lines += [Line(), _head("Files of the small layers · enter shows one")]
            for path, data in sorted(self._version.files.items()):
                self._opens[len(lines)] = path
                text = cut(f" {clean_line(path, 300)}", max(width - 12, 10))
                lines.append(Line((Span(text), Span(f"  {len(data)} B", "dim"))))
        return lines

    def footer(self) -> tuple[Command, ...]:
        """Return the commands of the footer."""
        return footer_commands("everywhere", ("view.refresh", "command.type"))

    def on_mount(self) -> None:
        """Say in the footer what enter does."""
        self.query_one(KeyFooter).titles = {"move.open": "files"}

    @on(CursorView.Opened, "#page")
    def _opened(self) -> None:
        target = self._opens.get(self.query_one(PageView).cursor)
        if target is None:
            self.notify("enter opens a layer or a file; both stand on lines of their own.")
        elif isinstance(target, str):
            self.app.push_screen(FileScreen(self._version, target))
        else:
            self.app.push_screen(FilesScreen(self._version, target))


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

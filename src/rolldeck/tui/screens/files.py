"""The files of one layer, listed without pulling it; one of them opened."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from textual import on

from rolldeck.commands import Command, footer_commands
from rolldeck.errors import RolldeckError
from rolldeck.oci import Reference
from rolldeck.text import clean_line
from rolldeck.tui.messages import FileRead, LayerListed
from rolldeck.tui.models.file_lines import (
    in_tree_order,
    listing_lines,
    listing_words,
    view_lines,
    view_words,
)
from rolldeck.tui.models.lines import Line, Span
from rolldeck.tui.reads import read_file, read_layer
from rolldeck.tui.screens.reading_page import ReadingPage
from rolldeck.tui.widgets.cursor_view import CursorView
from rolldeck.tui.widgets.key_footer import KeyFooter
from rolldeck.tui.widgets.page_view import PageView

if TYPE_CHECKING:
    from rolldeck.actions import FileView
    from rolldeck.compare import Version
    from rolldeck.kit import Layer, LayerFile, LayerListing


def place_of(version: Version, layer: Layer) -> Reference:
    """Return the version that has a layer: this one, or the one that lends it."""
    for link in version.chain:
        if link.name == layer.origin:
            return link.reference
    return Reference.parse(version.reference)


class FilesScreen(ReadingPage):
    """Lists the files of one layer; ``enter`` opens one."""

    def __init__(self, version: Version, layer: Layer) -> None:
        name = clean_line(layer.path or layer.name or layer.kind, 200)
        super().__init__(f"Files · {name}", (clean_line(version.label, 80), name))
        self._version = version
        self._layer = layer
        self._place = place_of(version, layer)
        self._listing: LayerListing | None = None
        self._files: list[LayerFile] = []

    def read(self) -> Coroutine[Any, Any, None]:
        """Return what lists the files."""
        words = ("ls", self._version.reference, "--files")
        self.deck.log_line(self.deck.command_line(*words))
        return read_layer(self, self.deck.workspace, self._place, self._layer, self.progress)

    @on(LayerListed)
    def _layer_listed(self, event: LayerListed) -> None:
        if isinstance(event.result, RolldeckError):
            self._listing = None
            self.ended("not read", event.result)
            return
        self._listing = event.result
        self._files = in_tree_order(event.result)
        self.ended(listing_words(event.result))

    def lines(self, width: int) -> Sequence[Line]:
        """Return the page for a width."""
        if self._listing is None:
            return self.problem_lines(width)
        lines = listing_lines(self._files, width)
        return lines or [Line((Span(" There are no files to list.", "dim"),))]

    def footer(self) -> tuple[Command, ...]:
        """Return the commands of the footer."""
        return footer_commands("everywhere", ("command.type",))

    def on_mount(self) -> None:
        """Say in the footer what enter does."""
        self.query_one(KeyFooter).titles = {"move.open": "show"}

    @on(CursorView.Opened, "#page")
    def _file_opened(self) -> None:
        number = self.query_one(PageView).cursor
        if self._listing is None or number >= len(self._files):
            return
        file = self._files[number]
        if file.is_dir:
            self.notify("This is a directory; its files stand below it.", markup=False)
        elif file.special:
            self.notify(f"This is {file.special_words}.", markup=False)
        else:
            self.app.push_screen(FileScreen(self._version, file.path, self._layer))


class FileScreen(ReadingPage):
    """Shows one file: its text, or its type and, of weights, the tensors."""

    def __init__(self, version: Version, path: str, layer: Layer | None = None) -> None:
        """``layer`` None means that whichever layer has the file is looked for."""
        name = clean_line(path, 300)
        super().__init__(name, (clean_line(version.label, 80), name))
        self._version = version
        self._file = path
        self._layer = layer
        self._view: FileView | None = None

    def read(self) -> Coroutine[Any, Any, None]:
        """Return what reads the file."""
        reference = self._version.reference
        self.deck.log_line(self.deck.command_line("cat", reference, self._file))
        place = place_of(self._version, self._layer) if self._layer else Reference.parse(reference)
        return read_file(self, self.deck.workspace, place, self._layer, self._file, self.progress)

    @on(FileRead)
    def _file_read(self, event: FileRead) -> None:
        if isinstance(event.result, RolldeckError):
            self._view = None
            self.ended("not read", event.result)
            return
        self._view = event.result
        self.ended(view_words(event.result))

    def lines(self, width: int) -> Sequence[Line]:
        """Return the page for a width."""
        if self._view is None:
            return self.problem_lines(width)
        lines = view_lines(self._view, width)
        return lines or [Line((Span(" The file is empty.", "dim"),))]

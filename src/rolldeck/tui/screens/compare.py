"""Compare: what two versions differ in, on one page."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.worker import get_current_worker

from rolldeck.compare import Comparison, Version, compare
from rolldeck.text import clean_line
from rolldeck.tui.keymap import bindings
from rolldeck.tui.models.comparison_lines import build_page
from rolldeck.tui.models.comparison_state import Target, border_note
from rolldeck.tui.models.file_changes import FileChanges, changed_files, file_changes, file_of
from rolldeck.tui.screens.file_chooser import FileChooser
from rolldeck.tui.screens.text_diff import TextDiffScreen
from rolldeck.tui.widgets.comparison_view import ComparisonView

__all__ = ["CompareScreen", "build_page"]


class CompareScreen(Screen[None]):
    """Two versions side by side; what got worse comes first, what is equal is hidden."""

    CSS_PATH = "compare.tcss"

    BINDINGS = bindings("everywhere", "move", "compare")

    @dataclass
    class FilesCompared(Message):
        """The text of the changed files of a comparison was compared."""

        comparison: Comparison
        changes: FileChanges

    @dataclass
    class Swapped(Message):
        """The comparison was made again with the sides swapped."""

        comparison: Comparison
        a: Version
        b: Version

    def __init__(
        self, comparison: Comparison, a: Version, b: Version, tolerance: float = 0.0
    ) -> None:
        super().__init__()
        self.comparison = comparison
        self.a = a
        self.b = b
        self._tolerance = tolerance

"""The texts behind the rows of a comparison: which is under the cursor, and showing one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolldeck.tui.dialogs.choose import ChooseDialog
from rolldeck.tui.models.comparison_state import Target
from rolldeck.tui.models.file_texts import FilePair, files_by_row, paths_by_row, reading_order
from rolldeck.tui.screens.text_diff import TextDiffScreen

if TYPE_CHECKING:
    from rolldeck.tui.screens.compare import CompareScreen


class ComparisonTexts:
    """The files of both sides whose text is at hand, by the row that they stand in."""

    def __init__(self, screen: CompareScreen) -> None:
        self._screen = screen
        self.files = files_by_row(screen.a, screen.b)

    def at(self, target: Target | None) -> FilePair | None:
        """Return the file of a row, if its text is at hand."""
        return self.files.get(target) if target is not None else None

    def unread(self, target: Target | None) -> str | None:
        """Return the path of the file of a row, if it was not read."""
        if target is None or target in self.files:
            return None
        return paths_by_row(self._screen.a, self._screen.b).get(target)

    def of_path(self, path: str) -> FilePair | None:
        """Return the file of that path, if its text is at hand."""
        return next((pair for pair in self.files.values() if pair.path == path), None)

    def choose(self) -> None:
        """Show the one file that differs, or ask which one."""
        files = sorted((pair for pair in self.files.values() if pair.differs), key=reading_order)

        def chosen(number: int | None) -> None:
            if number is not None:
                self.show(files[number])

        if len(files) == 1:
            self.show(files[0])
        elif files:
            names = [f"{pair.path}  {pair.status}" for pair in files]
            dialog = ChooseDialog("Which file?", names)
            dialog.deaf_time = 0  # nothing is changed by a key that was meant for the page
            self._screen.app.push_screen(dialog, chosen)
        else:
            self._screen.notify("No file at hand differs", markup=False)

    def show(self, pair: FilePair) -> None:
        """Show the text of both sides."""
        comparison = self._screen.comparison
        self._screen.app.push_screen(TextDiffScreen(pair, (comparison.a.label, comparison.b.label)))

"""Writing the comparison on the screen into a file: which format, which name, then the write."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

from rolldeck import actions
from rolldeck.compare import SUFFIXES, Format, Report, curves
from rolldeck.compare.export import export
from rolldeck.text import clean_line
from rolldeck.tui.dialogs.choose import ChooseDialog
from rolldeck.tui.dialogs.line import LineDialog
from rolldeck.tui.failures import readable, told

if TYPE_CHECKING:
    from rolldeck.tui.screens.compare import CompareScreen

_CHOICES: dict[Format, str] = {
    "markdown": "Markdown  for a pull request",
    "html": "HTML      one page with plots, for an incident",
    "tsv": "TSV       for grep and spreadsheets",
    "json": "JSON      for scripts",
}


class ComparisonExport:
    """Asks for format and name, then writes; an existing file is replaced only if asked twice."""

    def __init__(self, screen: CompareScreen) -> None:
        self._screen = screen
        self._warned: str | None = None

    def ask(self) -> None:
        """Ask for the format, then go on."""
        formats = tuple(_CHOICES)
        dialog = ChooseDialog("Export as", tuple(_CHOICES.values()))
        dialog.deaf_time = 0  # nothing is changed before a name is given

        def chosen(number: int | None) -> None:
            if number is not None:
                self._ask_name(formats[number])

        self._screen.app.push_screen(dialog, chosen)

    def _ask_name(self, form: Format) -> None:
        self._warned = None
        here = clean_line(str(Path.cwd()), 200)
        name = f"{self._proposal()}{SUFFIXES[form]}"
        dialog = LineDialog("Export to", name, f"A file; relative to {here}", self._read)

        def answered(path: Path | None) -> None:
            if path is not None:
                replace = self._warned == str(path)
                self._screen.run_worker(self._write(form, path, replace), exit_on_error=False)

        self._screen.app.push_screen(dialog, answered)

    def _proposal(self) -> str:
        comparison = self._screen.comparison
        labels = (comparison.a.label, comparison.b.label)
        return "-".join(["diff", *(re.sub(r"[^\w.-]+", "_", label)[:40] for label in labels)])

    def _read(self, text: str) -> Path:
        """Return the path; raises ValueError where it cannot be, and once where it is taken."""
        if not text:
            raise ValueError("A name is needed")
        path = Path(text).expanduser()
        if path.is_dir():
            raise ValueError(f"{path} is a directory")
        if not path.parent.is_dir():
            raise ValueError(f"There is no directory {path.parent}")
        if path.exists() and self._warned != str(path):
            self._warned = str(path)
            raise ValueError(f"{path} exists; enter again replaces it")
        return path

    async def _write(self, form: Format, path: Path, replace: bool) -> None:
        screen = self._screen
        report = Report(
            screen.comparison,
            show_all=not screen.only_differences,
            curves=curves(screen.a, screen.b),
        )
        try:
            text = await asyncio.to_thread(export, report, form)
            await asyncio.to_thread(actions.write_export, path, text, replace=replace)
        except Exception as error:
            screen.notify(told(readable(error)), severity="error", timeout=8, markup=False)
        else:
            screen.notify(f"Written: {clean_line(str(path), 300)}", markup=False)

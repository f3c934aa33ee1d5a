"""Whether a version fits this host: what it was held against, and everything that was found."""

from __future__ import annotations

from collections.abc import Sequence

from rolldeck.compare import Version
from rolldeck.fit import Fit, Host, Severity
from rolldeck.fit.words import host_lines
from rolldeck.text import clean_line
from rolldeck.tui.models.lines import Line, Look, Span, wrap
from rolldeck.tui.screens.page import PageScreen

_MARKS: dict[Severity, tuple[str, Look]] = {
    "blocker": ("×", "worse"),
    "warn": ("!", "accent"),
    "info": ("·", "dim"),
}


class FitScreen(PageScreen):
    """The findings of one version, worst first."""

    def __init__(self, version: Version, fit: Fit, host: Host) -> None:
        label = clean_line(version.label, 80)
        super().__init__(f"Fits here · {label}", (label, "fits here"))
        self._fit = fit
        self._host = host

    def lines(self, width: int) -> Sequence[Line]:
        """Return the page for a width."""
        lines = [Line((Span(" Held against", "accent"),))]
        for text in host_lines(self._host):
            lines += [Line((Span(f"   {part}"),)) for part in wrap(text, width - 5, 2)]
        word = {True: "It fits", False: "It does not fit", None: "It cannot be told"}
        lines += [Line(), Line((Span(f" {word[self._fit.fits]}", "accent"),))]
        for item in self._fit.findings:
            mark, style = _MARKS[item.severity]
            for number, part in enumerate(wrap(clean_line(item.text), width - 5, 2)):
                first = Span(f" {mark} ", style) if number == 0 else Span("   ")
                lines.append(Line((first, Span(part))))
        if not self._fit.findings:
            lines.append(Line((Span("   Nothing speaks against it."),)))
        return lines

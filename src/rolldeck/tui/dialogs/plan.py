"""A plan: what will change, and what was checked beforehand."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from rolldeck.text import clean_line
from rolldeck.tui.dialogs.dialog import Dialog
from rolldeck.tui.models.lines import Line
from rolldeck.tui.models.plan_lines import PlanPage
from rolldeck.tui.widgets.job_bar import LOOK_STYLES


def words_of(lines: Iterable[Line]) -> Static:
    """Return lines as a dialog shows them."""
    return Static(content_of(lines), classes="words", id="plan-words")


def content_of(lines: Iterable[Line]) -> Content:
    """Return lines as one content."""
    styled = [
        Content.assemble(*((span.text, LOOK_STYLES[span.look]) for span in line.spans))
        for line in lines
    ]
    return Content("\n").join(styled)


class PlanDialog(Dialog[bool]):
    """Shows a plan with Cancel focused; ``y`` carries it out, anything else does not."""

    def __init__(self, page: PlanPage) -> None:
        super().__init__()
        self._page = page

    def compose(self) -> ComposeResult:
        """Return the plan and its buttons."""
        page = self._page
        with Vertical(classes="box") as box:
            box.border_title = Content(clean_line(page.title, 100))
            box.border_subtitle = Content(page.note)
            yield words_of(page.lines)
            with Horizontal(classes="buttons"):
                yield Button(Content("Cancel"), id="cancel", compact=True)
                accept = Button(
                    Content.assemble(("y", "$text-primary bold"), f" {page.verb}"),
                    id="accept",
                    compact=True,
                    disabled=not page.ok,
                )
                accept.can_focus = True
                yield accept

    def on_mount(self) -> None:
        """Put the focus on what does no harm."""
        self.query_one("#cancel", Button).focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if self.deaf:
            return
        if event.button.id == "accept":
            self.action_dialog_accept()
        else:
            self.action_dialog_refuse()

    def action_dialog_accept(self) -> None:
        """Carry the plan out."""
        if self._page.ok:
            self.dismiss(True)
        else:
            self.notify("A check failed, so this is not done.", markup=False, severity="warning")

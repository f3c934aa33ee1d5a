"""A plan: what a move of a local target will change, and what was checked beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from rolldeck.text import clean_line
from rolldeck.tui.dialogs.dialog import Dialog
from rolldeck.tui.models.plan_lines import VERB_WORDS, plan_lines, plan_note, plan_title
from rolldeck.tui.widgets.job_bar import LOOK_STYLES

if TYPE_CHECKING:
    from rolldeck.actions import Plan


class PlanDialog(Dialog[bool]):
    """Shows a plan with Cancel focused; ``y`` carries it out, anything else does not."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan

    def compose(self) -> ComposeResult:
        """Return the plan and its buttons."""
        verb = VERB_WORDS[self.plan.verb]
        with Vertical(classes="box") as box:
            box.border_title = Content(clean_line(plan_title(self.plan), 100))
            box.border_subtitle = Content(plan_note(self.plan))
            lines = [
                Content.assemble(*((span.text, LOOK_STYLES[span.look]) for span in line.spans))
                for line in plan_lines(self.plan)
            ]
            yield Static(Content("\n").join(lines), classes="words", id="plan-words")
            with Horizontal(classes="buttons"):
                yield Button(Content("Cancel"), id="cancel", compact=True)
                accept = Button(
                    Content.assemble(("y", "$text-primary bold"), f" {verb}"),
                    id="accept",
                    compact=True,
                    disabled=not self.plan.ok,
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
        if self.plan.ok:
            self.dismiss(True)
        else:
            self.notify("A check failed, so this is not done.", markup=False, severity="warning")

"""The plan of a channel: its checks, a reason that may be given, and one key to do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from rolldeck.text import clean_line
from rolldeck.tui.dialogs.dialog import Dialog
from rolldeck.tui.dialogs.plan import content_of, words_of
from rolldeck.tui.models.channel_plan_lines import channel_plan_lines, channel_plan_page
from rolldeck.tui.models.lines import Line

if TYPE_CHECKING:
    from rolldeck.release.channel import ChannelPlan

_FRAME = 7
"""Cells of the border, the padding and the scroll bar."""


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """What was decided: carry out, or only compare; ``forced`` overrules failed checks."""

    reason: str | None
    spared: bool
    forced: bool = False
    compares: bool = False


class ChannelPlanDialog(Dialog[PlanAnswer]):
    """Cancel has the focus; ``y`` carries it out, or the channel's name where that is asked for."""

    def __init__(self, plan: ChannelPlan, forced: ChannelPlan | None) -> None:
        super().__init__()
        self._plan = plan
        self._page = channel_plan_page(plan, forced)
        self._spared = False

    def compose(self) -> ComposeResult:
        """Return the plan, its fields and its buttons."""
        page = self._page
        with Vertical(classes="box") as box:
            box.border_title = Content(clean_line(page.title, 100))
            box.border_subtitle = Content(page.note)
            with VerticalScroll(classes="scroll", can_focus=False):
                yield words_of(self._lines())
            if page.typed is not None and not page.refused:
                asked = "A check failed. " if not self._plan.ok else ""
                words = f"{asked}Type {clean_line(page.typed, 60)} to {page.word}:"
                yield Static(Content(words), classes="hint")
                yield self._field("typed", "")
            elif page.refused:
                yield Static(Content("A check failed that nobody can overrule."), classes="problem")
            if not page.refused:
                yield self._field("reason", "reason (tab; may stay empty)")
            with Horizontal(classes="buttons"):
                yield Button(Content("Cancel"), id="cancel", compact=True)
                if page.typed is None:
                    yield self._button("y", page.word, "accept")
                if page.can_spare and not page.refused:
                    yield self._button("b", "do not mark bad", "spare")
                if page.can_compare:
                    yield self._button("d", "compare", "compare")

    def _field(self, name: str, placeholder: str) -> Input:
        field = Input("", placeholder=placeholder, compact=True, id=name)
        field.cursor_blink = False
        return field

    def _button(self, key: str, words: str, name: str) -> Button:
        label = Content.assemble((key, "$text-primary bold"), f" {words}")
        return Button(label, id=name, compact=True)

    def _lines(self) -> list[Line]:
        return channel_plan_lines(self._plan, self.app.size.width - _FRAME, spared=self._spared)

    def on_mount(self) -> None:
        """Put the focus on what does no harm."""
        for button in self.query("#cancel"):
            button.focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if not self.deaf:
            acts = {
                "accept": self.action_dialog_accept,
                "spare": self.action_dialog_spare,
                "compare": self.action_dialog_compare,
            }
            acts.get(event.button.id or "", self.action_dialog_refuse)()

    def _answer(self, *, compares: bool = False) -> PlanAnswer:
        found = [item.value.strip() for item in self.query(Input) if item.id == "reason"]
        reason = clean_line(found[0], 300) if found and found[0] else None
        return PlanAnswer(reason, self._spared, not self._plan.ok, compares)

    def action_dialog_accept(self) -> None:
        """Carry the plan out."""
        if self._page.refused:
            self.notify("A check failed, so this is not done.", markup=False, severity="warning")
        elif self._page.typed is not None:
            self.query_one("#typed", Input).focus()
        else:
            self.dismiss(self._answer())

    def action_dialog_next(self) -> None:
        """Go from Cancel to the fields, and through them to the other buttons."""
        fields = list(self.query(Input))
        if self.focused is not None and self.focused.id == "cancel" and fields:
            fields[0].focus()
        elif self.focused in fields[:-1]:
            fields[fields.index(self.focused) + 1].focus()
        elif self.focused in fields:
            self.query("Button")[1 if len(self.query("Button")) > 1 else 0].focus()
        else:
            self.focus_next()

    def action_dialog_spare(self) -> None:
        """Do not mark the version bad that the channel leaves, or do so after all."""
        if self._page.can_spare:
            self._spared = not self._spared
            self.query_one("#plan-words", Static).update(content_of(self._lines()))

    def action_dialog_compare(self) -> None:
        """Compare the two versions; the plan is made again afterwards."""
        if self._page.can_compare:
            self.dismiss(self._answer(compares=True))

    @on(Input.Submitted, "#typed")
    def _named(self, event: Input.Submitted) -> None:
        event.stop()
        if self.deaf or not event.value.strip():
            return
        if event.value.strip() == self._page.typed:
            self.dismiss(self._answer())
        else:
            self.notify("Not its name; nothing was done.", markup=False, severity="warning")

    @on(Input.Submitted, "#reason")
    def _reasoned(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one("#typed" if self.query("#typed") else "#cancel").focus()

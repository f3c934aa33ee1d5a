"""Triage: the first sixty seconds of an incident on one screen."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen

from rolldeck.actions.triage_words import clocks, freshness
from rolldeck.commands import COMMANDS, Scope, footer_commands
from rolldeck.errors import RolldeckError
from rolldeck.oci import Digest, Reference
from rolldeck.text import clean_line
from rolldeck.tui.errands import Errands, failed
from rolldeck.tui.failures import told
from rolldeck.tui.keymap import bindings
from rolldeck.tui.messages import (
    ChannelMoveMade,
    ChannelPlanMade,
    JobFinished,
    PlanMade,
    TriageRead,
    VersionsCompared,
)
from rolldeck.tui.models.incident_note import incident_note
from rolldeck.tui.reads import compare_versions, read_triage
from rolldeck.tui.triage_errands import TriageErrands
from rolldeck.tui.triage_questions import TriageQuestions
from rolldeck.tui.widgets.breadcrumb import Breadcrumb
from rolldeck.tui.widgets.cursor_view import CursorView
from rolldeck.tui.widgets.job_bar import JobBar
from rolldeck.tui.widgets.key_footer import KeyFooter
from rolldeck.tui.widgets.triage_view import TriageView
from rolldeck.units import short_digest

if TYPE_CHECKING:
    from rolldeck.actions import ChannelMoved, Triage, TriageRow, Workspace
    from rolldeck.tui.app import Deck

_CHANGING = {item.action for item in COMMANDS if item.danger != "look"}
_HIDDEN = ("filter.open", "view.refresh", "move.open", "command.type", "deck.quit")


class TriageScreen(Screen[None]):
    """One channel or local target; the last known good generation is selected."""

    CSS_PATH = "triage.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere", "move", "triage")

    scope: ClassVar[Scope] = "triage"
    """Whose keys are shown first in help."""

    def __init__(
        self, workspace: Workspace, what: str | Reference, since: datetime | None = None
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self._what = what
        self._since = since
        self._chosen: int | None = None
        """The generation that somebody moved the cursor to."""
        self._moved: ChannelMoved | None = None
        self._waiting = ""
        self._failed = False
        """Whether the last reading told nothing."""
        self._begun = 0
        """How many lines the log had when this screen opened."""
        self.triage: Triage | None = None
        self.errands = TriageErrands(self, workspace)
        self.questions = TriageQuestions(self)
        self._local = Errands(self, workspace)

    def compose(self) -> ComposeResult:
        """Return the page between the top line and the keys."""
        crumb = Breadcrumb()
        crumb.path = ("triage", str(self._what))
        yield crumb
        yield TriageView(id="triage")
        yield JobBar()
        yield KeyFooter()

    def on_mount(self) -> None:
        """Give the page the keys and begin to read."""
        self._begun = len(self.deck.done_lines)
        view = self.query_one(TriageView)
        view.border_title = Content("Triage")
        view.focus()
        self.start()

    @property
    def deck(self) -> Deck:
        """The app, as what it is."""
        return cast("Deck", self.app)

    def start(self) -> None:
        """Read: from the cache at once, then from the registry."""
        self.deck.log_line(self.deck.command_line("triage", str(self._what)))
        self._failed = False
        self._say("reading …")
        self.run_worker(
            read_triage(self, self._workspace, self._what, self._since, self.deck.now),
            group="triage",
            exclusive=True,
            exit_on_error=False,
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Take away what changes anything in a read-only deck."""
        if action in _CHANGING and self.deck.read_only:
            return False
        return super().check_action(action, parameters)

    # What is shown.

    def _say(self, text: str) -> None:
        self._waiting = text
        self._frame()

    def _frame(self) -> None:
        crumb, view, found = self.query_one(Breadcrumb), self.query_one(TriageView), self.triage
        if found is not None:
            place = found.channel.name if found.channel is not None else str(found.target)
            crumb.path = ("triage", place, *([found.short] if found.channel is not None else []))
            view.border_title = Content(f"Triage · {clean_line(found.name, 200)}")
            problem = "× registry down" if found.problem else ""
            words = [problem or freshness(found), self._waiting]
            view.border_subtitle = Content(" · ".join(filter(None, words)))
        else:
            view.border_subtitle = Content(self._waiting)
        crumb.state = clocks(self.deck.now())
        crumb.state_class = "dim"
        footer = self.query_one(KeyFooter)
        hidden = set(_HIDDEN)
        if found is not None and found.channel is None:
            hidden |= {"triage.hold", "triage.diff"}
        commands = footer_commands("triage", hidden)
        footer.commands = tuple(item for item in commands if self.deck.offers(item, self))
        held = found is not None and found.hold is not None
        footer.titles = {"triage.hold": "release"} if held else {}

    @on(TriageRead)
    def _read(self, message: TriageRead) -> None:
        if isinstance(message.result, RolldeckError):
            self._failed = True
            self._say("× not read; r tries again")
            if self.triage is None:
                self.query_one(TriageView).say(f"× {told(message.result)}\nr tries again.")
            else:
                failed(self, message.result)
            return
        found = self.triage = message.result
        self._waiting = "" if found.is_complete else self._waiting
        if not found.is_complete and not found.is_stale:
            self._waiting = ""
        wanted = self._chosen if self._chosen is not None else found.good
        self.query_one(TriageView).show(found, wanted)
        self._frame()

    @on(CursorView.Highlighted)
    def _highlighted(self) -> None:
        view = self.query_one(TriageView)
        self._chosen = view.row.number if view.row is not None else None
        view.tell_more()

    @on(CursorView.Opened)
    def _opened(self) -> None:
        self.action_triage_diff()

    # Moves.

    def _selected(self) -> tuple[Triage, TriageRow] | None:
        """Return what is shown and the selected generation; says so where there is none."""
        row = self.query_one(TriageView).row
        if self.triage is None or row is None:
            self._tell_unread()
            return None
        return self.triage, row

    def _tell_unread(self) -> None:
        words = "It is being read still; try again in a moment."
        self.notify("Nothing was read; r tries again." if self._failed else words, markup=False)

    def _channel(self) -> Reference | None:
        """Return the channel; says so where this is a local target, or nothing was read yet."""
        if self.triage is None:
            self._tell_unread()
        elif self.triage.channel is None:
            self.notify("This is a local target; only channels have that.", markup=False)
        else:
            return self.triage.channel
        return None

    def action_triage_rollback(self) -> None:
        """Plan to go back to the selected generation."""
        chosen = self._selected()
        if chosen is None:
            return
        found, row = chosen
        if row.is_live or row.digest == found.live:
            self.notify(f"{row.name} is live; [ selects an older one.", markup=False)
        elif found.target is not None:
            self._local.plan_rollback(found.target, row.name)
        elif found.problem is not None:
            self._roll_back_here(found, row)
        elif found.channel is not None:
            self._say("checking …")
            self.errands.roll_back(found.channel, None if row.number == found.good else row.name)

    def _roll_back_here(self, found: Triage, row: TriageRow) -> None:
        """Without the registry: a local target goes back from disk, the channel stays."""
        there = [item for item in found.targets if row.digest in item.releases]
        there = [item for item in there if item.current != row.digest]
        if not there:
            self.notify(
                f"The registry is down, and no local target here has {row.label} unpacked."
                " r asks the registry again.",
                severity="warning",
                timeout=8,
                markup=False,
            )
            return
        self.notify(
            "The registry is down: this host goes back; the channel later, with publish.",
            severity="warning",
            timeout=8,
            markup=False,
        )

        self.questions.which_target(row, there, found.channel, self._local.plan_rollback)

    def action_triage_undo(self) -> None:
        """Plan to take the last move back."""
        if self.triage is not None and self.triage.target is not None:
            self._local.plan_undo(self.triage.target)
        elif (channel := self._channel()) is not None:
            self._say("checking …")
            self.errands.undo(channel)

    def action_triage_promote(self) -> None:
        """Ask for a version, then plan to let the channel point at it."""
        channel = self._channel()
        if channel is not None:
            self.questions.which_version(channel, self._promote)

    def _promote(self, channel: Reference, version: Reference) -> None:
        self._say("checking …")
        self.errands.promote(channel, version)

    @on(ChannelPlanMade)
    def _planned(self, message: ChannelPlanMade) -> None:
        self._say("")
        if isinstance(message.result, RolldeckError):
            failed(self, message.result)
        else:
            self.errands.show_plan(message.result, message.forced)

    @on(PlanMade)
    def _local_planned(self, message: PlanMade) -> None:
        if isinstance(message.result, RolldeckError):
            failed(self, message.result)
        else:
            self._local.show_plan(message.result)

    @on(ChannelMoveMade)
    def _move_made(self, message: ChannelMoveMade) -> None:
        self._moved = message.moved
        # What went back is where it should be: one more R must not go further back by habit.
        recorded = message.moved.recorded
        self._chosen = recorded.entry.number if recorded is not None else None

    @on(JobFinished)
    def _job_finished(self) -> None:
        self.start()

    def action_triage_audit(self) -> None:
        """Show what was recorded of the channel and its local targets here, or of the target."""
        # Imported here: few incidents begin with it.
        from rolldeck.tui.screens.audit import AuditScreen

        if self.triage is None:
            self.notify("It is being read still; try again in a moment.", markup=False)
            return
        found = self.triage
        targets = tuple(str(item.path) for item in found.targets)
        places = (str(found.channel), *targets) if found.channel else (str(found.target),)
        self.app.push_screen(AuditScreen(places))

    # Marks.

    def action_triage_hold(self) -> None:
        """Hold the channel, or release its hold."""
        channel = self._channel()
        if channel is None or self.triage is None:
            return
        if self.triage.hold is not None:
            self.questions.really(channel, "release the hold", self.errands.release)
        else:
            self.questions.really(
                channel, f"hold it on {self.triage.live_label}", self.errands.hold
            )

    def action_triage_verdict(self) -> None:
        """Ask what is to be said of the selected version, and why."""
        chosen, channel = self._selected(), self._channel()
        if chosen is None or channel is None or chosen[1].digest is None:
            return
        version = replace(channel, tag=None).at(chosen[1].digest)
        self.questions.what_of(version, chosen[1].label, self.errands.judge)

    # Looking.

    def action_triage_older(self) -> None:
        """Select the generation before."""
        self.query_one(TriageView).action_move_down()

    def action_triage_newer(self) -> None:
        """Select the generation after."""
        self.query_one(TriageView).action_move_up()

    def action_triage_diff(self) -> None:
        """Compare the selected generation with what is live."""
        chosen = self._selected()
        if chosen is not None:
            self.compare(chosen[1].digest, chosen[0].live)

    def compare(self, a: Digest | None, b: Digest | None) -> None:
        """Compare two versions of the channel."""
        channel = self._channel()
        if channel is None:
            return
        if a is None or b is None or a == b:
            self.notify("It is live itself; [ selects an older one.", markup=False)
            return
        self._say(f"comparing {short_digest(a)} with {short_digest(b)} …")
        plain = replace(channel, tag=None)
        self.run_worker(
            compare_versions(self, self._workspace, plain.at(a), plain.at(b)),
            group="compare",
            exclusive=True,
            exit_on_error=False,
        )

    @on(VersionsCompared)
    def _compared(self, message: VersionsCompared) -> None:
        self._say("")
        if isinstance(message.result, RolldeckError):
            failed(self, message.result)
            return
        # Imported late: most incidents end without a look at the whole comparison.
        from rolldeck.tui.screens.compare import CompareScreen

        self.deck.log_line(self.deck.command_line("diff", str(message.a), str(message.b)))
        found = message.result
        self.app.push_screen(
            CompareScreen(found.comparison, found.a, found.b, directions=found.directions)
        )

    def action_triage_note(self) -> None:
        """Copy the incident note, and show it."""
        from rolldeck.tui.clipboard import load_tmux_buffer
        from rolldeck.tui.screens.note import NoteScreen

        if self.triage is None:
            self._tell_unread()
            return
        lines = [line for _, line in self.deck.done_lines[self._begun :]]
        text = incident_note(self.triage, self._moved, list(dict.fromkeys(lines)), self.deck.now())
        self.app.copy_to_clipboard(text)
        load_tmux_buffer(text)
        self.app.push_screen(NoteScreen(text))

    def action_triage_open(self) -> None:
        """Do nothing: it is open."""

    def action_view_refresh(self) -> None:
        """Read again."""
        self.deck.see_jobs()
        self.start()

    def action_view_back(self) -> None:
        """Go back to where triage was asked for."""
        self.dismiss(None)

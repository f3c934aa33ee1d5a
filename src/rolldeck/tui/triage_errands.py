"""What triage does when it is told to: plans of a channel, marks, and moves."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rolldeck import actions
from rolldeck.oci import Reference
from rolldeck.tui import work
from rolldeck.tui.errands import failed
from rolldeck.tui.failures import readable
from rolldeck.tui.messages import ChannelMoveMade, ChannelPlanMade
from rolldeck.units import short_digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from rolldeck.actions import ChannelMoved, Marking, Workspace
    from rolldeck.release.channel import ChannelPlan, Opinion
    from rolldeck.tui.dialogs.channel_plan import PlanAnswer
    from rolldeck.tui.screens.triage import TriageScreen

    Planner = Callable[[bool], Coroutine[Any, Any, ChannelPlan]]
    """Makes a plan, with failed checks overruled or not."""


class TriageErrands:
    """Runs errands on one channel; each begins with a plan or a question."""

    def __init__(self, screen: TriageScreen, workspace: Workspace) -> None:
        self._screen = screen
        self._workspace = workspace

    # Moves.

    def roll_back(self, channel: Reference, to: str | None) -> None:
        """Plan to go back to a generation; None is the last known good."""

        def plan(force: bool) -> Coroutine[Any, Any, ChannelPlan]:
            return actions.plan_channel_rollback(self._workspace, channel, to, force=force)

        self._plan(plan)

    def undo(self, channel: Reference) -> None:
        """Plan to take the last move back."""

        def plan(force: bool) -> Coroutine[Any, Any, ChannelPlan]:
            return actions.plan_channel_undo(self._workspace, channel, force=force)

        self._plan(plan)

    def promote(self, channel: Reference, version: Reference) -> None:
        """Plan to let the channel point at a version."""

        def plan(force: bool) -> Coroutine[Any, Any, ChannelPlan]:
            return actions.plan_promote(self._workspace, version, channel, force=force)

        self._plan(plan)

    def _plan(self, planner: Planner) -> None:
        """Make a plan in the background; where a check fails, also the one that overrules it."""

        async def make() -> None:
            try:
                plan = await planner(False)
                forced = None if plan.ok else await planner(True)
            except Exception as error:
                self._screen.post_message(ChannelPlanMade(readable(error)))
            else:
                self._screen.post_message(ChannelPlanMade(plan, forced))

        self._screen.run_worker(make(), group="plan", exclusive=True, exit_on_error=False)

    def show_plan(self, plan: ChannelPlan, forced: ChannelPlan | None) -> None:
        """Show a plan; carry it out if it is accepted."""
        from rolldeck.tui.dialogs.channel_plan import ChannelPlanDialog

        def answered(answer: PlanAnswer | None) -> None:
            if answer is None:
                return
            if answer.compares:
                self._screen.compare(plan.to_digest, plan.from_digest)
                return
            chosen = forced if answer.forced and forced is not None else plan
            marks = None if answer.spared else chosen.marks_bad
            self.carry_out(replace(chosen, reason=answer.reason, marks_bad=marks), answer)

        self._screen.app.push_screen(ChannelPlanDialog(plan, forced), answered)

    def carry_out(self, plan: ChannelPlan, answer: PlanAnswer) -> None:
        """Move the channel as it was planned."""

        def made(moved: ChannelMoved) -> None:
            self._screen.post_message(ChannelMoveMade(moved))

        self._screen.deck.start_job(
            plan.verb,
            f"{plan.verb} {plan.channel.tag}",
            command_words(plan, answer),
            plan.channel.name,
            work.apply_channel(self._workspace, plan, made),
        )

    # Marks.

    def hold(self, channel: Reference) -> None:
        """Freeze the channel on what is live."""
        making = actions.plan_hold(self._workspace, channel)
        self._mark(making, ["hold", str(channel)], f"{channel.tag} is held")

    def release(self, channel: Reference) -> None:
        """Release the hold of the channel."""
        making = actions.plan_unhold(self._workspace, channel)
        self._mark(making, ["unhold", str(channel)], f"the hold of {channel.tag} is released")

    def judge(self, version: Reference, opinion: Opinion, reason: str | None) -> None:
        """Say something of a version."""
        making = actions.plan_verdict(self._workspace, version, opinion, reason)
        verb = "withdraw" if opinion == "withdrawn" else opinion
        more = ["--reason", reason] if reason else []
        name = short_digest(version.digest or "")
        said = {"withdrawn": f"the verdict on {name} is withdrawn", "note": f"{name} has a note"}
        words = said.get(opinion, f"{name} is marked {opinion}")
        self._mark(making, ["verdict", str(version), verb, *more], words)

    def _mark(self, making: Coroutine[Any, Any, Marking], line: list[str], outcome: str) -> None:
        async def make() -> None:
            try:
                marking = await making
            except Exception as error:
                failed(self._screen, error)
                return
            job = work.write_mark(self._workspace, marking, outcome)
            place = marking.reference.name
            self._screen.deck.start_job(line[0], " ".join(line[:2]), line, place, job)

        self._screen.run_worker(make(), group="plan", exclusive=True, exit_on_error=False)


def command_words(plan: ChannelPlan, answer: PlanAnswer) -> list[str]:
    """Return the verb and arguments that do what a plan says."""
    channel = str(plan.channel)
    words = [plan.verb, channel]
    if plan.verb == "promote":
        words = [plan.verb, str(plan.channel.at(plan.to_digest)), channel]
    elif plan.verb == "rollback":
        words += ["--to", f"g{plan.refers_to}" if plan.refers_to else plan.to_digest]
        words += ["--no-mark"] if answer.spared else []
    words += ["--force"] if answer.forced else []
    return words + (["--reason", answer.reason] if answer.reason else [])

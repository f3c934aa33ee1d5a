"""What the deck does with a version or a target when it is told to: jobs, plans, comparisons."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rolldeck import actions
from rolldeck.commands import command
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.tui import work
from rolldeck.tui.failures import readable, told
from rolldeck.tui.messages import PlanMade
from rolldeck.tui.models.deck_state import repository_of
from rolldeck.tui.reads import compare_versions
from rolldeck.units import short_digest

if TYPE_CHECKING:
    from textual.screen import Screen

    from rolldeck.actions import (
        Delivery,
        Packing,
        Plan,
        Removal,
        TargetState,
        UnpackPlan,
        VersionRow,
        Workspace,
    )
    from rolldeck.kit import Filter, Kit
    from rolldeck.tui.jobs import Work

    AnyPlan = Plan | Delivery | Removal | UnpackPlan | Packing
    from rolldeck.tui.app import Deck


def spoken(reference: Reference) -> str:
    """Return a reference as short as it can be said: its tag, or 12 characters of its digest."""
    if reference.tag:
        return str(reference.tagged(reference.tag))
    if reference.digest:
        return f"{reference.name}@{short_digest(reference.digest)}"
    return str(reference)


class Errands:
    """Runs errands for a screen; each may begin with a question."""

    def __init__(self, screen: Screen[None], workspace: Workspace) -> None:
        self._screen = screen
        self._workspace = workspace

    @property
    def _deck(self) -> Deck:
        return cast("Deck", self._screen.app)

    # Jobs.

    def pull(self, reference: Reference) -> None:
        """Copy a version into the library."""
        self._deck.start_job(
            "pull",
            f"pull {spoken(reference)}",
            ["pull", str(reference)],
            repository_of(reference).name,
            work.pull(self._workspace, reference),
        )

    def unpack(
        self, reference: Reference, directory: Path, filters: tuple[Filter, ...] = ()
    ) -> None:
        """Unpack a version into a directory; one in use gets a plan first."""
        from rolldeck.kit import is_occupied

        async def begin() -> None:
            try:
                if not await asyncio.to_thread(is_occupied, directory):
                    done = work.unpack(self._workspace, reference, directory, filters)
                    self._start_unpack(reference, directory, filters, done)
                    return
            except Exception as error:
                self._screen.post_message(PlanMade("version.unpack", readable(error)))
                return
            making = actions.plan_unpack(self._workspace, reference, directory, Progress(), filters)
            self.plan("version.unpack", making)

        self._screen.run_worker(begin(), group="unpack", exclusive=True, exit_on_error=False)

    def _start_unpack(
        self,
        reference: Reference,
        directory: Path,
        filters: tuple[Filter, ...],
        job: Work,
        *more: str,
    ) -> None:
        self._deck.start_job(
            "unpack",
            f"unpack {spoken(reference)} → {directory}",
            self._unpack_words(reference, directory, filters) + list(more),
            str(directory),
            job,
        )

    def _unpack_words(
        self, reference: Reference, directory: Path, filters: tuple[Filter, ...]
    ) -> list[str]:
        from rolldeck.tui.models.element_choice import filter_arguments

        return ["unpack", str(reference), "-d", str(directory), *filter_arguments(filters)]

    def ask_unpack(self, row: VersionRow) -> None:
        """Ask for the directory and for what of the version, then unpack."""

        async def ask() -> None:
            try:
                version = await actions.load_version(self._workspace, row.reference)
            except Exception as error:
                self._screen.post_message(PlanMade("version.unpack", readable(error)))
                return
            self._show_unpack(row, version.kit)

        self._screen.run_worker(ask(), group="unpack", exclusive=True, exit_on_error=False)

    def _show_unpack(self, row: VersionRow, kit: Kit) -> None:
        from rolldeck.tui.dialogs.unpack import UnpackDialog, UnpackRequest
        from rolldeck.tui.models.element_choice import elements_of

        name = row.reference.repository.rpartition("/")[2] or "version"
        label = row.label if row.label.replace(".", "").isalnum() else ""
        dialog = UnpackDialog(
            f"Unpack {spoken(row.reference)}",
            f"./{name}-{label}".rstrip("-"),
            elements_of(kit),
            lambda directory, filters: self._deck.command_line(
                *self._unpack_words(row.reference, directory, filters)
            ),
        )

        def answered(request: UnpackRequest | None) -> None:
            if request is not None:
                self.unpack(row.reference, request.directory, request.filters)

        self._deck.push_screen(dialog, answered)

    def carry_out_unpack(self, plan: UnpackPlan) -> None:
        """Unpack into a directory in use, as the plan that was accepted says."""
        more = ["--overwrite", "--yes"] if plan.files("changed") else []
        job = work.unpack_planned(self._workspace, plan)
        self._start_unpack(plan.reference, plan.directory, plan.filters, job, *more)

    def pack(self, packing: Packing) -> None:
        """Pack a directory as it was planned."""
        context, first = packing.plan.context, packing.reference
        name = ",".join([str(first), *(item.tag for item in packing.tags[1:])])
        self._deck.start_job(
            "pack",
            f"pack {context} → {first}",
            ["pack", str(context), "-t", name],
            first.name,
            work.pack(self._workspace, packing),
        )

    def verify(self, what: str) -> None:
        """Check a version or a local target byte by byte."""
        self._deck.start_job(
            "verify", f"verify {what}", ["verify", what], what, work.verify(self._workspace, what)
        )

    # Plans.

    def ask_pin(self, row: VersionRow, proposal: str) -> None:
        """Ask for the local target, then show what pinning to it would change."""
        from rolldeck.tui.dialogs.path import PathDialog

        dialog = PathDialog(
            f"Pin {spoken(row.reference)}",
            proposal,
            "To the local target, a directory with releases/ and a current link:",
        )

        def answered(directory: Path | None) -> None:
            if directory is not None:
                self.plan_pin(row.reference, directory)

        self._deck.push_screen(dialog, answered)

    def plan_pin(self, reference: Reference, target: Path) -> None:
        """Show what pinning would change."""
        self.plan("target.pin", actions.plan_pin(self._workspace, reference, target))

    def plan_rollback(
        self, target: Path, to: str | None = None, channel: Reference | None = None
    ) -> None:
        """Show what rolling back would change; ``channel`` goes back, too, when it can."""

        async def make() -> Plan:
            plan = await actions.plan_rollback(self._workspace, target, to)
            if channel is None:
                return plan
            from rolldeck.actions.outbox import with_channel

            return with_channel(plan, channel)

        self.plan("target.rollback", make())

    def plan_undo(self, target: Path) -> None:
        """Show what undoing the last move would change."""
        self.plan("target.undo", actions.plan_undo(self._workspace, target))

    def on_target(self, identifier: str, targets: list[TargetState]) -> None:
        """Plan a rollback or an undo of one of these targets; asks which where there are more."""
        plan = self.plan_rollback if identifier == "target.rollback" else self.plan_undo
        if not targets:
            self._screen.notify(command(identifier).when, markup=False, severity="warning")
        elif len(targets) == 1:
            plan(targets[0].path)
        else:
            lines = [f"{item.path}   {item.label or 'nothing'} is current" for item in targets]

            def answered(number: int | None) -> None:
                if number is not None:
                    plan(targets[number].path)

            from rolldeck.tui.dialogs.choose import ChooseDialog

            title = command(identifier).title.capitalize()
            self._deck.push_screen(ChooseDialog(f"{title}: which target?", lines), answered)

    def plan_removal(self, reference: Reference, *, tag_only: bool = False) -> None:
        """Show what removing a version, or a tag, would take away."""
        if tag_only:
            self.plan("version.untag", actions.plan_untag(self._workspace, reference))
        else:
            self.plan("version.remove", actions.plan_rm(self._workspace, reference))

    def plan_pack(self, directory: Path, name: str) -> None:
        """Show what packing a directory into the library would make."""
        from rolldeck.kit.pack_documents import PackForm

        form = PackForm(created=actions.created_of_environment())
        making = actions.plan_pack(self._workspace, directory, name, form, Progress())
        self.plan("version.pack", making)

    def plan(self, identifier: str, making: Coroutine[Any, Any, AnyPlan]) -> None:
        """Make a plan in the background, then show it."""

        async def make() -> None:
            try:
                plan = await making
            except Exception as error:
                self._screen.post_message(PlanMade(identifier, readable(error)))
            else:
                self._screen.post_message(PlanMade(identifier, plan))

        self._screen.run_worker(make(), group="plan", exclusive=True, exit_on_error=False)

    def show_plan(self, plan: AnyPlan) -> None:
        """Show a plan; carry it out if it is accepted, or at once where it only adds."""
        from rolldeck.tui.dialogs.plan import PlanDialog
        from rolldeck.tui.dialogs.remove import RemoveDialog
        from rolldeck.tui.models.delivery_lines import delivery_page
        from rolldeck.tui.models.pack_lines import pack_page
        from rolldeck.tui.models.plan_lines import plan_page
        from rolldeck.tui.models.unpack_lines import unpack_page

        def accepted(yes: bool | None) -> None:
            if yes and isinstance(plan, actions.Plan):
                self.carry_out(plan)
            elif yes and isinstance(plan, actions.Delivery):
                self.deliver(plan)
            elif yes and isinstance(plan, actions.UnpackPlan):
                self.carry_out_unpack(plan)
            elif yes and isinstance(plan, actions.Packing):
                self.pack(plan)

        def named(name: str | None) -> None:
            if name is not None and isinstance(plan, actions.Removal):
                self.remove(plan, name)

        if isinstance(plan, actions.Removal):
            self._deck.push_screen(RemoveDialog(plan), named)
        elif isinstance(plan, actions.Plan):
            self._deck.push_screen(PlanDialog(plan_page(plan)), accepted)
        elif isinstance(plan, actions.UnpackPlan):
            self._deck.push_screen(PlanDialog(unpack_page(plan)), accepted)
        elif isinstance(plan, actions.Packing):
            self._deck.push_screen(PlanDialog(pack_page(plan)), accepted)
        elif plan.moved:
            self._deck.push_screen(PlanDialog(delivery_page(plan)), accepted)
        else:
            self.deliver(plan)

    def carry_out(self, plan: Plan) -> None:
        """Carry out a move of a local target that was accepted."""
        target = str(plan.target)
        if plan.verb == "pin":
            words = ["pin", plan.reference, target]
        elif plan.verb == "rollback" and plan.to_digest is not None:
            words = ["rollback", target, "--to", plan.to_digest]
            words += ["--channel", plan.queues] if plan.queues else []
        else:
            words = [plan.verb, target]
        verb = command(f"target.{plan.verb}").title
        self._deck.start_job(
            plan.verb,
            f"{verb} {plan.to_label} in {target}",
            words,
            target,
            work.apply(self._workspace, plan),
        )

    def deliver(self, delivery: Delivery) -> None:
        """Push, copy or tag as it was planned."""
        source, goals = str(delivery.source), [item.tag for item in delivery.tags]
        if delivery.verb != "tag":
            goals = [str(delivery.target.tagged(tag)) for tag in goals] or [delivery.target.name]
        self._deck.start_job(
            delivery.verb,
            f"{delivery.verb} {spoken(delivery.source)} → {', '.join(goals)}",
            [delivery.verb, source, *goals],
            delivery.target.name,
            work.deliver(self._workspace, delivery),
        )

    def remove(self, removal: Removal, name: str) -> None:
        """Remove the version, or the one of its tags that was named."""
        from rolldeck.tui.models.removal_lines import names_to_type

        verb = names_to_type(removal)[name]
        goal = removal.reference
        if verb == "untag":
            goal = goal.tagged(name)
        self._deck.start_job(
            verb,
            f"remove {spoken(goal)}",
            [verb, str(goal)],
            removal.reference.name,
            work.remove(self._workspace, removal, goal),
        )

    # Comparing.

    def compare(self, a: Reference, b: Reference) -> None:
        """Compare two versions; the screen shows the answer when it comes."""
        self._screen.run_worker(
            compare_versions(self._screen, self._workspace, a, b),
            group="compare",
            exclusive=True,
            exit_on_error=False,
        )


def failed(screen: Screen[None], error: Exception) -> None:
    """Say what went wrong with an errand, and what to do next."""
    screen.notify(told(readable(error)), severity="error", timeout=8, markup=False)

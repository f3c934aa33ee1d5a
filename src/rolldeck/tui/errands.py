"""What the deck does with a version or a target when it is told to: jobs, plans, comparisons."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rolldeck import actions
from rolldeck.commands import command
from rolldeck.errors import UsageError
from rolldeck.oci import Reference, is_tag
from rolldeck.tui import work
from rolldeck.tui.failures import readable, told
from rolldeck.tui.messages import PlanMade
from rolldeck.tui.models.deck_state import repository_of
from rolldeck.tui.reads import compare_versions
from rolldeck.units import short_digest

if TYPE_CHECKING:
    from rolldeck.actions import Plan, TargetState, VersionRow, Workspace
    from rolldeck.tui.app import Deck
    from rolldeck.tui.models.typed import Typed
    from rolldeck.tui.screens.browser import BrowserScreen
    from rolldeck.tui.screens.deck import DeckScreen


def spoken(reference: Reference) -> str:
    """Return a reference as short as it can be said: its tag, or 12 characters of its digest."""
    if reference.tag:
        return str(reference.tagged(reference.tag))
    if reference.digest:
        return f"{reference.name}@{short_digest(reference.digest)}"
    return str(reference)


class Errands:
    """Runs errands for the browser; each may begin with a question."""

    def __init__(self, screen: BrowserScreen, workspace: Workspace) -> None:
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

    def unpack(self, reference: Reference, directory: Path) -> None:
        """Unpack a version into a directory."""
        self._deck.start_job(
            "unpack",
            f"unpack {spoken(reference)} → {directory}",
            ["unpack", str(reference), "-d", str(directory)],
            str(directory),
            work.unpack(self._workspace, reference, directory),
        )

    def ask_unpack(self, row: VersionRow) -> None:
        """Ask for the directory, then unpack."""
        from rolldeck.tui.dialogs.path import PathDialog

        name = row.reference.repository.rpartition("/")[2] or "version"
        dialog = PathDialog(
            f"Unpack {spoken(row.reference)}",
            f"./{name}-{row.label if row.label.replace('.', '').isalnum() else ''}".rstrip("-"),
            "Into a new or an empty directory:",
        )

        def answered(directory: Path | None) -> None:
            if directory is not None:
                self.unpack(row.reference, directory)

        self._deck.push_screen(dialog, answered)

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
        self._plan("target.pin", actions.plan_pin(self._workspace, reference, target))

    def plan_rollback(self, target: Path) -> None:
        """Show what rolling back would change."""
        self._plan("target.rollback", actions.plan_rollback(self._workspace, target))

    def plan_undo(self, target: Path) -> None:
        """Show what undoing the last move would change."""
        self._plan("target.undo", actions.plan_undo(self._workspace, target))

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

    def _plan(self, identifier: str, making: Coroutine[Any, Any, Plan]) -> None:
        async def make() -> None:
            try:
                plan = await making
            except Exception as error:
                self._screen.post_message(PlanMade(identifier, readable(error)))
            else:
                self._screen.post_message(PlanMade(identifier, plan))

        self._screen.run_worker(make(), group="plan", exclusive=True, exit_on_error=False)

    def show_plan(self, plan: Plan) -> None:
        """Show a plan; carry it out if it is accepted."""
        from rolldeck.tui.dialogs.plan import PlanDialog

        def answered(yes: bool | None) -> None:
            if yes:
                self.carry_out(plan)

        self._deck.push_screen(PlanDialog(plan), answered)

    def carry_out(self, plan: Plan) -> None:
        """Carry out a plan that was accepted."""
        target = str(plan.target)
        if plan.verb == "pin":
            words = ["pin", plan.reference, target]
        elif plan.verb == "rollback" and plan.to_digest is not None:
            words = ["rollback", target, "--to", plan.to_digest]
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

    # Comparing and typed commands.

    def compare(self, a: Reference, b: Reference) -> None:
        """Compare two versions; the screen shows the answer when it comes."""
        self._screen.run_worker(
            compare_versions(self._screen, self._workspace, a, b),
            group="compare",
            exclusive=True,
            exit_on_error=False,
        )

    def _version(self, word: str, repository: Reference | None = None) -> Reference:
        """Return what a typed word names: a tag alone is one of ``repository`` or of the shown one.

        Raises UsageError for a word that is neither a tag there nor a repository known here.
        """
        state = self._screen.state
        known = word in self._screen.known_repositories()
        here = repository or state.repository
        if here is None or known or not is_tag(word):
            return Reference.parse(word)
        listing = state.lists.get(here)
        if listing is not None and listing.complete:
            for row in listing.rows:
                if word in row.tags:
                    return row.reference
            raise UsageError(
                f"There is no tag {word} in {here.name}",
                hint="Write another repository's version as REPOSITORY:TAG.",
            )
        return here.tagged(word)

    def typed(self, typed: Typed) -> None:
        """Run a typed command; raises UsageError for an argument that cannot be."""
        words = typed.arguments
        match typed.command.id:
            case "place.open":
                self._deck.open_place(words[0])
            case "version.verify":
                self.verify(words[0])
            case "version.diff":
                a = self._version(words[0])
                b = self._version(words[1], repository_of(a))
                cast("DeckScreen", self._screen).compare(a, b)
            case "version.pull":
                self.pull(self._version(words[0]))
            case "version.unpack":
                self.unpack(self._version(words[0]), Path(words[1]).expanduser())
            case "target.pin":
                self.plan_pin(self._version(words[0]), Path(words[1]).expanduser())
            case "target.rollback":
                self.plan_rollback(Path(words[0]).expanduser())
            case "target.undo":
                self.plan_undo(Path(words[0]).expanduser())


def failed(screen: BrowserScreen, error: Exception) -> None:
    """Say what went wrong with an errand, and what to do next."""
    screen.notify(told(readable(error)), severity="error", timeout=8, markup=False)

"""Commands typed after ``:``, told to the errands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rolldeck import actions
from rolldeck.errors import UsageError
from rolldeck.oci import Reference, is_tag
from rolldeck.tui.models.deck_state import repository_of

if TYPE_CHECKING:
    from rolldeck.actions import Workspace
    from rolldeck.tui.errands import Errands
    from rolldeck.tui.models.typed import Typed
    from rolldeck.tui.screens.browser import BrowserScreen
    from rolldeck.tui.screens.deck import DeckScreen


def version_named(
    screen: BrowserScreen, word: str, repository: Reference | None = None
) -> Reference:
    """Return what a typed word names: a tag alone is one of ``repository`` or of the shown one.

    Raises UsageError for a word that is neither a tag there nor a repository known here.
    """
    state = screen.state
    known = word in screen.known_repositories()
    here = repository or state.repository
    if here is None or known or not is_tag(word):
        return Reference.parse(word)
    listing = state.lists.get(here)
    if listing is not None and listing.complete:
        for row in listing.rows:
            if word in row.tags:
                return replace(row.reference, tag=word)
        raise UsageError(
            f"There is no tag {word} in {here.name}",
            hint="Write another repository's version as REPOSITORY:TAG.",
        )
    return here.tagged(word)


def run_typed(screen: DeckScreen, errands: Errands, workspace: Workspace, typed: Typed) -> None:
    """Run a typed command; raises UsageError for an argument that cannot be."""
    words = typed.arguments
    match typed.command.id:
        case "place.open":
            screen.deck.open_place(words[0])
        case "triage.open":
            screen.deck.show_triage(words[0])
        case "version.verify":
            errands.verify(words[0])
        case "version.fit":
            screen.action_version_fit()
        case "channel.audit":
            screen.audit(words[0])
        case "version.diff":
            a = version_named(screen, words[0])
            b = version_named(screen, words[1], repository_of(a))
            screen.compare(a, b)
        case "version.table" | "version.plot":
            screen.show_many(typed.command.id, [Reference.parse(words[0])])
        case "version.pull":
            errands.pull(version_named(screen, words[0]))
        case "version.unpack":
            errands.unpack(version_named(screen, words[0]), Path(words[1]).expanduser())
        case "version.pack":
            errands.plan_pack(Path(words[0]).expanduser(), words[1])
        case "version.push":
            version, goal = version_named(screen, words[0]), words[1]
            errands.plan("version.push", actions.plan_push(workspace, version, [goal]))
        case "version.send":
            version, to = version_named(screen, words[0]), Reference.parse(words[1])
            errands.plan("version.send", actions.plan_copy(workspace, version, to))
        case "version.tag":
            version, tag = version_named(screen, words[0]), words[1]
            errands.plan("version.tag", actions.plan_tag(workspace, version, [tag]))
        case "version.remove":
            errands.plan_removal(version_named(screen, words[0]))
        case "version.untag":
            errands.plan_removal(version_named(screen, words[0]), tag_only=True)
        case "target.pin":
            errands.plan_pin(version_named(screen, words[0]), Path(words[1]).expanduser())
        case "target.rollback":
            errands.plan_rollback(Path(words[0]).expanduser())
        case "target.undo":
            errands.plan_undo(Path(words[0]).expanduser())

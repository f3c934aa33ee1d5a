"""What triage asks before it does something: which target, which version, whether, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from textual.screen import Screen

from rolldeck.errors import UsageError
from rolldeck.oci import Reference, is_tag
from rolldeck.tui.dialogs.choose import ChooseDialog
from rolldeck.tui.dialogs.line import LineDialog

if TYPE_CHECKING:
    from rolldeck.actions import TriageRow
    from rolldeck.actions.targets import TargetState
    from rolldeck.release.channel import Opinion

_OPINIONS: tuple[Opinion, ...] = ("good", "bad", "note", "withdrawn")


class TriageQuestions:
    """Asks with dialogs over the screen; what is answered goes to whom each question names."""

    def __init__(self, screen: Screen[None]) -> None:
        self._screen = screen

    def which_target(
        self,
        row: TriageRow,
        targets: Sequence[TargetState],
        channel: Reference | None,
        go: Callable[[Path, str, Reference | None], None],
    ) -> None:
        """Ask which of the local targets goes back to a generation, where there are several."""

        def answered(number: int | None) -> None:
            if number is not None and row.digest is not None:
                go(targets[number].path, row.digest, channel)

        if len(targets) == 1:
            answered(0)
        else:
            lines = [f"{item.path}   {item.label or 'nothing'} is current" for item in targets]
            dialog = ChooseDialog("Roll back: which target?", lines)
            self._screen.app.push_screen(dialog, answered)

    def which_version(self, channel: Reference, go: Callable[[Reference, Reference], None]) -> None:
        """Ask which version the channel is to point at."""

        def read(text: str) -> Reference:
            try:
                return channel.tagged(text) if is_tag(text) else Reference.parse(text)
            except UsageError as error:
                raise ValueError(error.message) from None

        def answered(version: Reference | None) -> None:
            if version is not None:
                go(channel, version)

        words = f"A tag of {channel.name}, or a reference there:"
        dialog = LineDialog(f"Promote to {channel.tag}", "", words, read)
        self._screen.app.push_screen(dialog, answered)

    def really(self, channel: Reference, choice: str, go: Callable[[Reference], None]) -> None:
        """Ask whether to do the one thing that is offered of a channel."""

        def answered(number: int | None) -> None:
            if number == 0:
                go(channel)

        dialog = ChooseDialog(f"{channel.tag}", [choice, "do nothing"])
        self._screen.app.push_screen(dialog, answered)

    def what_of(
        self, version: Reference, label: str, go: Callable[[Reference, Opinion, str | None], None]
    ) -> None:
        """Ask for a verdict on a version, and for the reason."""

        def said(number: int | None) -> None:
            if number is None:
                return
            opinion = _OPINIONS[number]

            def read(text: str) -> str:
                if opinion == "note" and not text:
                    raise ValueError("A note needs its text")
                return text

            def reasoned(text: str | None) -> None:
                if text is not None:
                    go(version, opinion, text or None)

            words = "Why? Everybody who uses this registry can read it; may stay empty."
            dialog = LineDialog(f"{label}: {opinion}", "", words, read)
            self._screen.app.push_screen(dialog, reasoned)

        self._screen.app.push_screen(ChooseDialog(f"Verdict on {label}", _OPINIONS), said)

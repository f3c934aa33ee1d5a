"""Every use of what Textual keeps private, in one place; a test covers each.

Checked against Textual 8.2.8.
"""

from __future__ import annotations

from textual.app import App


class QuietEnd(App[None]):
    """An app that does not print the traceback of a bug over the restored terminal.

    ``App._fatal_error`` renders it with the values of all local variables; whoever runs the app
    asks for ``crash`` and writes a report instead.
    """

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    @property
    def crash(self) -> Exception | None:
        """The exception that ended the app, None where it was quit."""
        return self._exception

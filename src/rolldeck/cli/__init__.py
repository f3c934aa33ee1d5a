"""The command line: the deck's verbs for scripts and for people without a full screen."""

from rolldeck.cli.main import main, run

__all__ = ["main", "run"]

"""``python -m rolldeck``."""

from rolldeck.cli import run

run()

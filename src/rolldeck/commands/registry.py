"""All commands in one tuple, in the order in which help and the palette list them.

A command that does not work yet is not listed.
"""

from __future__ import annotations

from rolldeck.commands.browsing import BROWSING
from rolldeck.commands.channel_moves import CHANNEL_MOVES
from rolldeck.commands.channels import CHANNEL_COMMANDS
from rolldeck.commands.comparing import COMPARING
from rolldeck.commands.delivering import DELIVERING
from rolldeck.commands.dialogs import DIALOG, JOBS
from rolldeck.commands.everywhere import EVERYWHERE, MOVING
from rolldeck.commands.judging import JUDGING
from rolldeck.commands.keeping import KEEPING
from rolldeck.commands.model import Command
from rolldeck.commands.packing import PACKING
from rolldeck.commands.targets import TARGET_COMMANDS
from rolldeck.commands.triage import TRIAGE_COMMANDS

COMMANDS: tuple[Command, ...] = (
    *EVERYWHERE,
    *MOVING,
    *BROWSING,
    *COMPARING,
    *JOBS,
    *JUDGING,
    *PACKING,
    *KEEPING,
    *CHANNEL_COMMANDS,
    *DELIVERING,
    *TARGET_COMMANDS,
    *CHANNEL_MOVES,
    *TRIAGE_COMMANDS,
    *DIALOG,
)

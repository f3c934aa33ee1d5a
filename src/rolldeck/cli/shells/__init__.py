"""The verb completion: the scripts that make a shell ask ``rolldeck __complete``."""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files

from rolldeck.actions import Workspace
from rolldeck.cli.documents import print_document
from rolldeck.progress import Progress


async def run_completion(
    workspace: Workspace, arguments: argparse.Namespace, progress: Progress
) -> int:
    """Print the script of a shell."""
    script = files(__name__).joinpath(f"rolldeck.{arguments.shell}").read_text("utf-8")
    if arguments.json:
        print_document({"shell": arguments.shell, "script": script})
    else:
        sys.stdout.write(script)
    return 0

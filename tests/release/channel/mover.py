"""A process of its own that moves a channel, after a line on stdin; tells on stdout how it ended.

Arguments: one JSON object with reference, home, to, channel, seed, longest, settle, and with kill
and after the call at which it kills itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from rolldeck.errors import RolldeckError
from rolldeck.oci import Digest, Reference
from rolldeck.progress import Progress
from rolldeck.release.channel import make_move
from tests.release.channel.calls import Calls, delay
from tests.release.channel.places import Site, planned


async def run(words: dict[str, Any]) -> dict[str, Any]:
    """Plan the move, wait for the line, make it."""
    site = Site(Reference.parse(words["reference"]), {}, Path(words["home"]))
    async with site.records() as records:
        journal = await records.journal(words["channel"])
        entry = await planned(records, journal, Digest(words["to"]))
        wait = delay(words["seed"], words["longest"])

        async def step(number: int, name: str, after: bool) -> None:
            await wait(number, name, after)
            if number == words["kill"] and after is words["after"]:
                os.kill(os.getpid(), signal.SIGKILL)

        Calls(records, step)
        print("planned", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        try:
            recorded = await make_move(records, entry, Progress(), settle=words["settle"])
        except RolldeckError as error:
            return {"believed": None, "error": type(error).__name__, "message": error.message}
        return {"believed": recorded.entry.to_digest, "number": recorded.entry.number}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.loads(sys.argv[1])))), flush=True)

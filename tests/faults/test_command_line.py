"""What a shell sees of a fault: the exit code and one line with the next step, no traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import KitVersion
from tests.faults.forked import Ran
from tests.faults.operations import World
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.registry import free_port

IMPATIENT = """
from rolldeck.oci.interrupt import Interrupt
Interrupt.wait = lambda self, seconds: self.check()
"""
"""Nobody sleeps between two tries."""

PAGE = Fault.status("200 OK", "Content-Type: text/html", b"<html>Log in")
FLIPPED = Fault(change=lambda offset, piece: bytes([piece[0] ^ 1]) + piece[1:])

FAULTS: dict[str, tuple[Fault, int, str]] = {
    "reset": (Fault(cut=0, reset=True), 5, "broke the connection"),
    "truncated": (Fault(cut=100), 5, "ended the connection"),
    "wrong bytes": (FLIPPED, 6, "Digest mismatch"),
    "wrong length": (Fault(headers={"Content-Length": "7"}), 6, "announces 7"),
    "401": (Fault.status("401 X"), 4, "docker login"),
    "403": (Fault.status("403 X"), 4, "docker login"),
    "404": (Fault.status("404 X"), 3, "private repository"),
    "429 for long": (Fault.status("429 X", "Retry-After: 86400"), 5, "Try again in 24 h"),
    "503": (Fault.status("503 X"), 5, "try again later"),
    "a login page": (PAGE, 5, "not a registry"),
    "407": (Fault.status("407 X"), 5, "407"),
    "circles": (Fault.status("307 X", "Location: /v2/"), 5, "redirects in circles"),
}


@pytest.fixture
def behind(versions: Callable[[Path], World], memory: Path, proxy: FaultProxy) -> World:
    """A world whose registry is behind the proxy."""
    world = versions(memory / "world")
    world.source = world.source.replace(world.source.partition("/")[0], proxy.host)
    return world


EVENTS = ("waiting ", "resuming ")
"""How lines begin that tell, while it runs, what a pull is about."""


def one_line(ran: Ran, code: int, said: str) -> None:
    """The run ended with that code and one line of error on stderr, below what it told before."""
    assert (ran.code, ran.out) == (code, ""), ran
    *events, error = ran.err.splitlines()
    assert all(line.startswith(EVENTS) or "trying once more" in line for line in events), ran.err
    assert error.startswith("rolldeck: ")
    assert said in error
    assert len(error) < 600


@pytest.mark.parametrize("name", FAULTS)
def test_a_pull_that_fails_says_why_in_one_line(
    behind: World, proxy: FaultProxy, kit: KitVersion, name: str
) -> None:
    """With --json one document; and once the fault is gone, the same command succeeds."""
    fault, code, said = FAULTS[name]
    if "Location" in str(fault.raw):
        fault = Fault.status("307 X", f"Location: /v2/faults/kit/blobs/{kit.layer.digest}")
    proxy.faults, proxy.for_ever = [fault], True
    words = ["pull", behind.version("v1")]
    one_line(behind.run(*words, script=IMPATIENT), code, said)
    as_json = behind.run(*words, "--json", script=IMPATIENT)
    assert as_json.code == code
    assert json.loads(as_json.err)["error"]["code"] == code
    assert behind.problems() == []
    proxy.faults = []
    behind.must(*words)
    assert behind.problems() == []


def test_a_fault_that_passes_is_told(behind: World, proxy: FaultProxy, kit: KitVersion) -> None:
    """What it waited for stands on stderr; exit code 0: the next try mended it."""
    proxy.faults = [Fault(cut=100), Fault.status("503 X"), Fault(cut=50, reset=True)]
    ran = behind.run("pull", behind.version("v1"), script=IMPATIENT)
    assert ran.code == 0
    assert ran.err.splitlines()[0].startswith("waiting ")
    assert all(line.startswith(EVENTS) for line in ran.err.splitlines())


def test_nobody_listens(world: World) -> None:
    """A port that is closed."""
    reference = f"127.0.0.1:{free_port()}/x:v1"
    one_line(world.run("pull", reference, script=IMPATIENT), 5, "Connection refused")


VERBS = [["ls"], ["show", "--json"], ["verify"]]
ENDS = [("> /dev/full", 7), (">&-", 0), ("| true", 141)]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@pytest.mark.parametrize(("end", "code"), ENDS)
def test_an_output_that_takes_nothing(
    golden: Path, verb: list[str], end: str, code: int, tmp_path: Path
) -> None:
    """Full, closed, or a reader that went away: a line at most, never a traceback or a report."""
    layout = f"oci:{golden}/layouts/wdbc" + ("" if verb[0] == "ls" else ":v1.2.0")
    words = " ".join([sys.executable, "-m", "rolldeck", *verb, layout, end])
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", words], capture_output=True, text=True, check=False
    )
    assert ran.returncode == code, ran
    assert len(ran.stderr.splitlines()) == (1 if code == 7 else 0), ran.stderr
    assert list(tmp_path.rglob("crash-*")) == []


@pytest.mark.parametrize("end", ["2>&-", "2> /dev/full", "2>&- >&- <&-"])
def test_errors_that_nobody_hears(end: str) -> None:
    """The exit code still says what was wrong, and stdout stays empty."""
    words = f"{sys.executable} -m rolldeck ls oci:/nonexistent {end}"
    ran = subprocess.run(["bash", "-c", words], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (3, "", "")

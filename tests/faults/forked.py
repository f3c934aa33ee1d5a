"""Command lines in forked children of one warm interpreter, so that a start costs milliseconds.

The interpreter has no right to pass over permission bits, even where the tests run as root: what a
user may not read or write, it may not either.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import select
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from tests.faults.seam import Plan, Seam

_LONGEST = 60.0
"""Seconds after which a command line counts as hung."""

_KEEPS_PERMISSIONS = ("--bounding-set", "-dac_override,-dac_read_search", "--")


@dataclass(frozen=True)
class Ran:
    """How a command line ended: its exit code, negative for a signal, and what it wrote.

    ``peak`` is the most memory that it had, in bytes.
    """

    code: int
    out: str
    err: str
    peak: int = 0

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


class Forked:
    """The warm interpreter; ``run`` forks a child from it."""

    def __init__(self) -> None:
        program = [sys.executable, "-m", "tests.faults.forked"]
        setpriv = shutil.which("setpriv")
        if os.geteuid() == 0 and setpriv:
            program = [setpriv, *_KEEPS_PERMISSIONS, *program]
        root = Path(__file__).parents[2]
        paths = os.pathsep.join(path for path in [str(root), *sys.path] if path)
        self._server = subprocess.Popen(
            program,
            cwd=root,
            env={**os.environ, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        *words: object,
        env: Mapping[str, str],
        plan: Plan | None = None,
        kill_after: float | None = None,
        limit: tuple[int, int] | None = None,
        script: str = "",
    ) -> Ran:
        """Run a command line to its end, or kill it after that many seconds.

        ``limit`` is (resource, value); ``script`` is Python that runs in the child beforehand.
        """
        order = {
            "words": [str(word) for word in words],
            "env": dict(env),
            "plan": asdict(plan) if plan else None,
            "kill_after": kill_after,
            "limit": limit,
            "script": script,
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        answer = self._server.stdout.readline()
        assert answer, "the warm interpreter died"
        return Ran(**json.loads(answer))

    def close(self) -> None:
        """End the interpreter."""
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait(10)
        assert self._server.stdout is not None
        self._server.stdout.close()


def _warm() -> None:
    import rolldeck

    for found in pkgutil.walk_packages(rolldeck.__path__, "rolldeck."):
        if not found.name.startswith(("rolldeck.tui", "rolldeck.demo", "rolldeck.__main__")):
            importlib.import_module(found.name)
    for name in ("rich.console", "rich.table", "encodings.idna", "stringprep", "getpass"):
        importlib.import_module(name)
    gc.freeze()


def _serve() -> None:
    _warm()
    for line in sys.stdin:
        order = json.loads(line)
        with _in_memory() as out, _in_memory() as err:
            child = os.fork()
            if child == 0:
                _become(order, out, err)
            code, peak = _end_of(child, order["kill_after"])
            ran = Ran(code, _text(out), _text(err), peak)
        sys.stdout.write(json.dumps(asdict(ran)) + "\n")
        sys.stdout.flush()


def _in_memory() -> IO[bytes]:
    return os.fdopen(os.memfd_create("output"), "w+b")


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _end_of(child: int, kill_after: float | None) -> tuple[int, int]:
    """Wait for the child, or kill it; returns its exit code and its peak of memory in bytes."""
    watch = select.poll()
    handle = os.pidfd_open(child)
    watch.register(handle, select.POLLIN)
    if not watch.poll((_LONGEST if kill_after is None else kill_after) * 1000):
        os.kill(child, signal.SIGKILL)
    os.close(handle)
    _, status, used = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), used.ru_maxrss * 1024


def _become(order: dict[str, Any], out: IO[bytes], err: IO[bytes]) -> None:
    """Be the command line; never returns."""
    code = 1
    try:
        null = os.open(os.devnull, os.O_RDONLY)
        for number, fd in enumerate((null, out.fileno(), err.fileno())):
            os.dup2(fd, number)
        sys.stdin, sys.stdout, sys.stderr = (
            os.fdopen(number, mode, encoding="utf-8", closefd=False)
            for number, mode in enumerate("rww")
        )
        os.environ.clear()
        os.environ.update(order["env"])
        if order["limit"]:
            import resource

            which, value = order["limit"]
            resource.setrlimit(which, (value, value))
        if order["script"]:
            exec(order["script"], {})
        seam = Seam(Plan(**order["plan"])) if order["plan"] else None
        if seam:
            seam.install()
        from rolldeck.cli import main

        try:
            code = main(order["words"])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        sys.stdout.flush()
        sys.stderr.flush()
        if seam:
            seam.finish()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    _serve()

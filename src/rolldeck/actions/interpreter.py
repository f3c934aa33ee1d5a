"""Reading another Python interpreter: what it is, and what is installed in it. Blocks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rolldeck.errors import UsageError
from rolldeck.facts.packages import canonical_name
from rolldeck.fit import Interpreter
from rolldeck.text import clean_line

SECONDS = 20.0
"""Longest time that an interpreter may take to tell of itself."""

_MOST_PACKAGES = 20_000

_PROBE = """
import glob, json, os, platform, re, struct, subprocess, sys, sysconfig
from importlib.metadata import distributions

def libc():
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, OSError, ValueError):
        pass
    for loader in glob.glob("/lib/ld-musl-*.so.1"):
        said = subprocess.run([loader], stderr=subprocess.PIPE, timeout=5).stderr
        found = re.search(rb"Version (\\d+[.]\\d+)", said)
        return "musl " + found.group(1).decode() if found else "musl"
    return ""

def abi():
    name, digits = sys.implementation.name, "%d%d" % sys.version_info[:2]
    if name == "cpython":
        free = sysconfig.get_config_var("Py_GIL_DISABLED")
        debug = hasattr(sys, "gettotalrefcount")
        return "cp" + digits + ("t" if free else "") + ("d" if debug else "")
    return "_".join((sysconfig.get_config_var("SOABI") or "").split("-")[:2])

packages = {}
for each in distributions():
    try:
        packages.setdefault(each.metadata["Name"], each.version)
    except Exception:
        continue
version = platform.python_version()
print(json.dumps({
    "path": sys.executable,
    "version": version,
    "implementation": sys.implementation.name,
    "abi": abi(),
    "platform": sysconfig.get_platform(),
    "bits": struct.calcsize("P") * 8,
    "libc": libc() if sys.platform == "linux" else "",
    "mac_version": platform.mac_ver()[0],
    "packages": packages,
    "markers": {
        "implementation_name": sys.implementation.name,
        "implementation_version": version,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": version,
        "platform_python_implementation": platform.python_implementation(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    },
}))
"""


def choose_interpreter(chosen: Path | None) -> Path | None:
    """Return the interpreter to read: the chosen one, the active environment's, else ``python3``.

    A directory stands for the environment in it. Raises UsageError where the chosen one is not
    there; None where nothing was chosen and there is none.
    """
    if chosen is not None:
        path = chosen.expanduser()
        path = path / "bin" / "python" if path.is_dir() else path
        if not path.exists() and (found := shutil.which(str(chosen))):
            path = Path(found)
        if not path.exists():
            raise UsageError(
                f"There is no interpreter at {path}",
                hint="--python takes an interpreter or the directory of an environment.",
            )
        return path
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if place := os.environ.get(variable):
            path = Path(place) / "bin" / "python"
            if path.exists():
                return path
    found = shutil.which("python3") or shutil.which("python")
    return Path(found) if found else None


def read_interpreter(path: Path) -> Interpreter:
    """Ask an interpreter what it is; it imports nothing but its standard library.

    Raises OSError or ValueError with one line where it cannot be run, or answers otherwise.
    """
    try:
        # Isolated, so that neither the variables here nor a file beside it change what it says.
        done = subprocess.run(
            [str(path), "-I", "-c", _PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            cwd="/",
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"{path} did not answer in {SECONDS:g} seconds") from None
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        said = clean_line(lines[-1] if lines else f"exit code {done.returncode}", 200)
        raise ValueError(f"{path} could not be read: {said}")
    try:
        return _interpreter(json.loads(done.stdout))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError(f"{path} does not answer as a Python interpreter does") from None


def _interpreter(document: Mapping[str, Any]) -> Interpreter:
    packages = list(document["packages"].items())[:_MOST_PACKAGES]
    texts = ("path", "version", "implementation", "abi", "platform", "libc", "mac_version")
    return Interpreter(
        **{key: clean_line(str(document[key]), 500) for key in texts},
        bits=int(document["bits"]),
        markers={str(key): str(value) for key, value in document["markers"].items()},
        packages={
            canonical_name(clean_line(name, 250)): clean_line(version, 250)
            for name, version in packages
            if isinstance(name, str) and isinstance(version, str)
        },
    )

"""What a command loads: the verbs never load Textual, local work never the network stack."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.registry import RunningRegistry

PROGRAM = """
import sys
from rolldeck.cli import main
try:
    code = main({words!r})
except SystemExit as stop:
    code = stop.code
print("MODULES", " ".join(sorted(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


def modules(words: list[str], code: int = 0) -> set[str]:
    """Run a command line in a fresh interpreter and return what it imported."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(words=words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == code, ran.stderr
    line = next(line for line in ran.stderr.splitlines() if line.startswith("MODULES"))
    return set(line.split())


def test_the_version_loads_almost_nothing() -> None:
    """--version answers before any library is loaded."""
    loaded = modules(["--version"])
    assert not loaded & {"textual", "rich", "pydantic", "urllib3", "oras", "yaml"}


LOCAL = [
    *("ls", "du", "files", "cat", "show", "diff", "env", "bump"),
    *("unpack", "verify", "pin", "rollback", "status", "audit"),
]


WRITING = ["copy", "tag", "rm", "untag"]


@pytest.mark.parametrize("verb", [*LOCAL, *WRITING, "logout", "doctor"])
def test_local_verbs_load_neither_textual_nor_the_network(
    verb: str, golden: Path, tmp_path: Path
) -> None:
    """Every headless verb on local data."""
    shutil.copytree(golden / "layouts" / "wdbc", tmp_path / "wdbc")
    layout = f"oci:{tmp_path}/wdbc"
    target = str(tmp_path / "serving")
    words = {
        "ls": ["ls", layout],
        "du": ["du"],
        "files": ["ls", f"{layout}:v1.0.0", "--files"],
        "cat": ["cat", f"{layout}:v1.0.0", "Kitfile"],
        "show": ["show", f"{layout}:v1.0.0"],
        "diff": ["diff", f"{layout}:v1.0.0", "v1.1.0"],
        "env": ["env", "check", f"{layout}:v1.0.0"],
        "bump": ["bump", f"{layout}:v1.0.0", "v1.1.0"],
        "unpack": ["unpack", f"{layout}:v1.0.0", "-d", str(tmp_path / "out")],
        "pin": ["pin", f"{layout}:v1.0.0", target],
        "rollback": ["rollback", target],
        "status": ["status", target],
        "audit": ["audit"],
        "verify": ["verify", f"{layout}:v1.0.0"],
        "copy": ["copy", f"{layout}:v1.0.0", "mine", "--library", str(tmp_path / "library")],
        "tag": ["tag", f"{layout}:v1.0.0", "live"],
        "rm": ["rm", f"{layout}:v1.0.0", "--yes"],
        "untag": ["untag", f"{layout}:latest", "--yes"],
        "logout": ["logout", "registry.example"],
        "doctor": ["doctor"],
    }
    loaded = modules(words[verb], 3 if verb in ("rollback", "status") else 0)
    assert not loaded & {"textual", "urllib3", "requests", "yaml", "http.client", "sqlite3"}


def test_init_and_check_load_neither_textual_nor_the_network(tmp_path: Path) -> None:
    """They read YAML and the names of files."""
    (tmp_path / "model.onnx").touch()
    for words in (["init", str(tmp_path)], ["check", str(tmp_path)]):
        loaded = modules(words)
        assert "yaml" in loaded
        assert not loaded & {"textual", "urllib3", "requests", "http.client"}


def test_a_switch_loads_neither_although_the_versions_came_from_a_registry(
    golden_registry: RunningRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Going back needs no registry, no unpacking and no tables; its summary is from the library."""
    monkeypatch.setenv("HOME", str(tmp_path))
    target = str(tmp_path / "serving")
    for tag in ("v1.1.0", "v1.2.0"):
        modules(["pin", f"{golden_registry.host}/golden/wdbc:{tag}", target, "--yes"])
    for verb in ("rollback", "undo"):
        loaded = modules([verb, target, "--yes"])
        assert not loaded & {"textual", "urllib3", "http.client", "yaml", "rich"}
        assert not loaded & {"rolldeck.kit.unpack", "rolldeck.actions.materialize"}
        assert "rolldeck.compare.summary" in loaded


def test_pull_loads_no_textual() -> None:
    """The network verbs load the network, not the deck."""
    loaded = modules(["pull", "127.0.0.1:1/x:v1"], 5)
    assert "http.client" in loaded
    assert "urllib3" not in loaded
    assert not loaded & {"textual", "rich"}


def test_transfers_load_only_what_they_need(
    golden_registry: RunningRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each further room delays the first byte: a fiftieth of a second for the facts alone."""
    monkeypatch.setenv("HOME", str(tmp_path))
    version = f"{golden_registry.host}/golden/wdbc:v1.1.0"
    loaded = modules(["pull", version])
    assert not loaded & {"rolldeck.facts", "rolldeck.release.target", "rolldeck.kit.unpack"}
    loaded = modules(["pull", "--unpack", str(tmp_path / "files"), version])
    assert not loaded & {"rolldeck.facts", "shutil"}
    loaded = modules(["push", f"local:{version}", f"{golden_registry.host}/sent/wdbc:new"])
    assert not loaded & {"rolldeck.facts", "rolldeck.kit.unpack"}


def test_the_deck_loads_what_it_shows_first() -> None:
    """Comparing, unpacking, dialogs and other screens are loaded when they are asked for."""
    program = "import sys, rolldeck.tui.run; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    loaded = set(done.stdout.decode().split())
    assert "rolldeck.tui.screens.browser" in loaded
    late = ("compare", "facts", "kit", "release", "tui.dialogs", "tui.screens.compare")
    assert not loaded & {f"rolldeck.{name}" for name in late}
    assert not loaded & {"urllib3", "yaml", "pydantic"}

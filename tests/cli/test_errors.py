"""Bad input: one line, the cause, the next step, a stable exit code, never a traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.servers.registry import RunningRegistry

OK_DIGEST = "sha256:" + "0" * 64


def check(ran: object, code: int, *words: str) -> None:
    """The run ended with the code and one line that holds the words."""
    assert ran.code == code, ran  # type: ignore[attr-defined]
    lines = ran.err.strip().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 1, lines
    assert "Traceback" not in lines[0]
    for word in words:
        assert word in lines[0]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["show", "Nope:v1"], 2, "Nope"),
        (["show", "x:v1"], 3, "rolldeck demo"),
        (["ls", "nothing"], 3, "nothing"),
        (["ls", "127.0.0.1:5000"], 2, "127.0.0.1:5000/"),
        (["ls", "--library", "/etc"], 2, "/etc"),
        (["pull", "x:v1", "--read-only"], 8, "read-only"),
        (["show", f"x@{OK_DIGEST[:-1]}"], 2, "digest"),
        (["shwo", "x"], 2, "show"),
        (["show"], 2, "REFERENCE"),
        (["diff", "x:v1"], 2, "B"),
        (["unpack", "x:v1"], 2, "--directory"),
        (["rollback", "/nonexistent/target"], 3, "pin"),
        (["undo", "/nonexistent/target"], 3, "no local target"),
        (["verify", "/nonexistent/target"], 3, "no local target"),
        (["show", "oci:/nonexistent:v1"], 3, "/nonexistent"),
        (["show", "127.0.0.1:1/x:v1"], 5, "127.0.0.1:1"),
        (["show", "no-such-host.invalid/x:v1"], 5, "no-such-host.invalid"),
        (["ls", "--settings", "/nonexistent.toml"], 2, "/nonexistent.toml"),
        (["pull", "x:v1", "--concurrency", "0"], 2, "--concurrency"),
    ],
)
def test_one_line_and_the_code(rolldeck: Run, words: list[str], code: int, said: str) -> None:
    """Each mistake has its code and says what it is about."""
    check(rolldeck(*words), code, said)


def test_a_missing_tag_names_the_newest(rolldeck: Run, golden: Path) -> None:
    """Without tag and without latest the newest versions are named."""
    layout = golden / "layouts" / "facts-dvc"
    check(rolldeck("show", f"oci:{layout}"), 3, "v2")
    check(rolldeck("show", f"oci:{layout}:v9"), 3, "v9")


def test_a_missing_tag_at_a_registry(rolldeck: Run, golden_registry: RunningRegistry) -> None:
    """The registry's 404 becomes the same help."""
    check(rolldeck("show", f"{golden_registry.host}/golden/wdbc:v9"), 3, "v9", "v2.0.0")
    assert rolldeck("show", f"{golden_registry.host}/golden/none:v1").code == 3


def test_no_credentials_is_code_4(rolldeck: Run, locked_registry: RunningRegistry) -> None:
    """A registry that wants a login says how to log in."""
    check(rolldeck("show", f"{locked_registry.host}/x/y:v1"), 4, "login")


def test_errors_as_json(rolldeck: Run) -> None:
    """With --json the error is a document, too."""
    ran = rolldeck("show", "x:v1", "--json")
    assert ran.out == ""
    assert set(ran.error) == {"code", "kind", "message", "reference", "hint"}
    assert ran.error["code"] == ran.code == 3


def test_a_damaged_layout(rolldeck: Run, golden: Path, tmp_path: Path) -> None:
    """A layout with a flipped byte is exit code 6, in show and in unpack."""
    layout = tmp_path / "layout"
    shutil.copytree(golden / "layouts" / "facts-hf", layout)
    manifest = json.loads((golden / "expected" / "facts-hf_v1.json").read_text())
    layer = manifest["kit_inspect"]["manifest"]["layers"][0]["digest"].removeprefix("sha256:")
    blob = layout / "blobs" / "sha256" / layer
    blob.chmod(0o644)
    blob.write_bytes(bytes(blob.stat().st_size))
    check(rolldeck("unpack", f"oci:{layout}:v1", "-d", tmp_path / "out"), 6)
    assert not (tmp_path / "out").exists()
    blob.unlink()
    check(rolldeck("unpack", f"oci:{layout}:v1", "-d", tmp_path / "out"), 3, "missing")
    (layout / "index.json").write_text("{}")
    check(rolldeck("show", f"oci:{layout}:v1"), 6)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_rights_is_code_7(rolldeck: Run, golden: Path, tmp_path: Path) -> None:
    """A directory that may not be written is a storage error."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    check(rolldeck("unpack", f"oci:{golden}/layouts/wdbc:v1.0.0", "-d", closed / "out"), 7)


def test_an_unwritable_place_is_code_7(rolldeck: Run, golden: Path) -> None:
    """/proc takes no directory from anybody, root included."""
    ran = rolldeck("unpack", f"oci:{golden}/layouts/wdbc:v1.0.0", "-d", "/proc/rolldeck-out")
    check(ran, 7, "/proc")


def test_a_full_disk_is_code_7(rolldeck: Run, golden: Path, tmp_path: Path) -> None:
    """A file-size limit stands in for the full disk where no small disk may be mounted."""
    script = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "from rolldeck.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    layout = f"oci:{golden}/layouts/wdbc:v1.2.0"
    out = tmp_path / "out"
    ran = subprocess.run(
        [sys.executable, "-c", script, "unpack", layout, "-d", str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 7, ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1
    assert not out.exists()
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == []


def test_bad_settings_name_file_and_key(rolldeck: Run, tmp_path: Path) -> None:
    """An unknown key is not ignored."""
    path = tmp_path / "settings.toml"
    path.write_text('librari = "x"\n')
    check(rolldeck("ls", "--settings", path), 2, "librari", str(path), "library")
    path.write_text("library = [")
    check(rolldeck("ls", "--settings", path), 2, str(path))


def test_a_closed_pipe_is_no_traceback(golden: Path) -> None:
    """`rolldeck show ... | head -1` ends quietly."""
    command = (
        f"{sys.executable} -m rolldeck show oci:{golden}/layouts/wdbc:v1.0.0 --json | head -c 1"
    )
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert ran.stderr == ""


def test_a_bug_is_one_line_and_a_report(
    rolldeck: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Exit code 70; the report names the place and holds no values."""

    def broken(*_: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr("rolldeck.cli.browse.load_version", broken)
    ran = rolldeck("show", "x:v1")
    check(ran, 70, "ZeroDivisionError", "report")
    report = next((tmp_path / "home" / "state" / "rolldeck").glob("crash-*.txt"))
    assert "browse.py" in report.read_text()


def test_hostile_names_reach_no_terminal(rolldeck: Run) -> None:
    """What the user typed is cleaned, too, before it is printed."""
    ran = rolldeck("show", "oci:/x\x1b]0;owned\x07:v1")
    assert "\x1b" not in ran.err
    assert ran.code in (2, 3)


def test_a_pin_into_a_directory_in_use_fails_in_the_plan(
    rolldeck: Run, golden: Path, tmp_path: Path
) -> None:
    """The dry run tells what the real one would."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    reference = f"oci:{golden}/layouts/wdbc:v1.0.0"
    planned = rolldeck("pin", reference, tmp_path / "mine", "--dry-run", "--json").document
    assert [check["ok"] for check in planned["plan"]].count(False) == 1
    assert rolldeck("pin", reference, tmp_path / "mine", "--yes").code == 8
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_options_may_stand_before_the_verb(rolldeck: Run, golden: Path, tmp_path: Path) -> None:
    """As with git and kubectl."""
    reference = f"oci:{golden}/layouts/wdbc:v1.0.0"
    ran = rolldeck("--library", tmp_path / "library", "--json", "show", reference)
    assert ran.document["kind"] == "modelkit"
    assert rolldeck("--read-only", "unpack", reference, "-d", tmp_path / "out").code == 8


def test_without_a_terminal_the_deck_lists_what_it_would_show(
    rolldeck: Run, golden: Path, tmp_path: Path
) -> None:
    """The plain listing, of the same library, and exit code 2."""
    ran = rolldeck("--library", tmp_path / "library", f"oci:{golden}/layouts/wdbc")
    assert ran.code == 2
    assert "v1.2.0" in ran.out
    assert "terminal" in ran.err


def test_a_tag_lists_its_version_alone(rolldeck: Run, golden: Path) -> None:
    """Every tag of that version, no other row; a missing tag is not found."""
    layout = f"oci:{golden}/layouts/wdbc"
    (row,) = rolldeck("ls", f"{layout}:production", "--json").document["versions"]
    assert row["tags"] == ["v1.2.0", "production"]
    assert rolldeck("ls", f"{layout}:v9").code == 3


def test_the_difference_of_one_file(rolldeck: Run, golden: Path) -> None:
    """As text or JSON; the exit code is about that file."""
    words = ["diff", f"oci:{golden}/layouts/wdbc:v1.1.0", "v1.2.0", "--exit-code", "--file"]
    same = rolldeck(*words, "src/train.py", "--json")
    assert (same.code, same.document["identical"], same.document["lines"]) == (0, True, [])
    changed = rolldeck(*words, "requirements.txt", "--json")
    assert (changed.code, changed.document["identical"]) == (1, False)
    assert any("scikit-learn" in (line["b"] or "") for line in changed.document["lines"])
    assert "scikit-learn" in rolldeck(*words, "requirements.txt").out
    check(rolldeck(*words, "nope.txt"), 3, "nope.txt", "requirements.txt")

"""``cat`` and ``ls --files``: what they print, for people, pipes and programs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rolldeck.cli.files import NOT_VERIFIED
from rolldeck.oci import SMALL_BLOB
from tests.cli.conftest import Run
from tests.kit.archives import END, file, header
from tests.made_kits import KIT_LAYER, MadeLayout


@pytest.fixture
def wdbc(golden: Path) -> str:
    """A golden kit of several elements."""
    return f"oci:{golden}/layouts/wdbc:v1.0.0"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make stdout look like a terminal."""
    monkeypatch.setattr("rolldeck.cli.files.is_terminal", lambda: True)


def kit_with(tmp_path: Path, files: bytes) -> str:
    """Return the reference of a kit with one code layer."""
    made = MadeLayout(tmp_path / "layout")
    layer = made.blob(f"{KIT_LAYER}.code.v1.tar", files + END)
    made.kit("v1", {"manifestVersion": "1.0.0", "code": [{"path": "."}]}, [layer])
    return f"oci:{made.root}:v1"


def test_files_are_listed_in_tree_order(rolldeck: Run, wdbc: str) -> None:
    """Directories before what is in them, elements together."""
    ran = rolldeck("ls", wdbc, "--files")
    assert ran.code == 0
    lines = ran.out.splitlines()
    names = ["Kitfile", "data/", "data/train.csv", "docs/", "docs/README.md", "model/"]
    assert [line.split()[0] for line in lines[1:3]] == ["-rw-r--r--", "drwxr-xr-x"]
    assert [next(n for n in names if f" {n} " in line) for line in lines[1:7]] == names
    assert ran.err == ""


def test_files_as_json(rolldeck: Run, wdbc: str) -> None:
    """Each file with its layer, each layer with what is known of the list."""
    document = rolldeck("ls", wdbc, "--files", "--json").document
    assert document["complete"] is True
    assert set(document) == {"reference", "digest", "complete", "files", "layers", "chain_problem"}
    found = {item["path"]: item for item in document["files"]}
    weights = found["model/weights.safetensors"]
    assert (weights["mode"], weights["kind"], weights["type"]) == ("0600", "model", "file")
    assert weights["layer"] in [layer["digest"] for layer in document["layers"]]
    assert (found["src"]["type"], found["src"]["size"]) == ("directory", None)
    assert all(layer["verified"] and layer["stopped"] is None for layer in document["layers"])


@pytest.fixture
def image(tmp_path: Path) -> str:
    """A container image of one layer, with links, a device and a whiteout."""
    made = MadeLayout(tmp_path / "layout")
    layer = (
        file("app.py", b"print()")
        + header("sh", kind=b"2", link=b"/bin/\x1b[2Jdash")
        + header("same", kind=b"1", link=b"app.py")
        + header("null", kind=b"3", mode=0o666)
        + file(".wh.old", b"")
        + END
    )
    config = made.blob("application/vnd.oci.image.config.v1+json", b"{}")
    made.manifest("v1", config, [made.blob("application/vnd.oci.image.layer.v1.tar", layer)])
    return f"oci:{made.root}:v1"


def test_files_of_an_image_are_listed(rolldeck: Run, image: str) -> None:
    """With types and targets as `tar -tv` has them; nothing hostile reaches a terminal."""
    lines = rolldeck("ls", image, "--files").out.splitlines()
    assert [line.split("  ")[0] for line in lines[1:]] == [
        "wrw-r--r--",
        "-rw-r--r--",
        "crw-rw-rw-",
        "hrw-r--r--",
        "lrw-r--r--",
    ]
    assert "same -> app.py" in lines[4]
    assert "sh -> /bin/\\x1b[2Jdash" in lines[5]
    document = rolldeck("ls", image, "--files", "--json").document
    assert document["complete"] is True
    assert [(item["path"], item["type"], item["target"]) for item in document["files"]] == [
        (".wh.old", "whiteout", None),
        ("app.py", "file", None),
        ("null", "character device", None),
        ("same", "hard link", "app.py"),
        ("sh", "link", "/bin/\x1b[2Jdash"),
    ]
    assert [item["size"] for item in document["files"]] == [None, 7, None, None, None]


def test_cat_reads_an_image_and_follows_no_link(rolldeck: Run, image: str) -> None:
    """Bytes of a file; of a link what it names."""
    assert rolldeck("cat", image, "/app.py").out == "print()"
    for path, words in (("sh", "a symbolic link to /bin/\\x1b[2Jdash"), ("same", "a hard link to")):
        ran = rolldeck("cat", image, path)
        assert (ran.code, ran.out) == (2, "")
        assert words in ran.err


def test_files_need_a_version(rolldeck: Run) -> None:
    """Without one it is a mistake in the command line."""
    assert rolldeck("ls", "--files").code == 2


def test_cat_prints_bytes_into_a_pipe(golden: Path) -> None:
    """As they are, whatever they are."""
    words = ["cat", f"oci:{golden}/layouts/facts-tensors:v1", "model.gguf"]
    ran = subprocess.run([sys.executable, "-m", "rolldeck", *words], capture_output=True)
    assert ran.returncode == 0
    assert ran.stdout.startswith(b"GGUF")
    assert len(ran.stdout) == 768
    assert ran.stderr == b""


@pytest.mark.usefixtures("terminal")
def test_cat_refuses_binaries_on_a_terminal(rolldeck: Run, golden: Path) -> None:
    """It says what the file is and what to do."""
    ran = rolldeck("cat", f"oci:{golden}/layouts/facts-tensors:v1", "model.gguf")
    assert ran.code == 2
    assert ran.out == ""
    assert "GGUF" in ran.err
    assert "--force" in ran.err


@pytest.mark.usefixtures("terminal")
def test_cat_cleans_text_on_a_terminal(rolldeck: Run, tmp_path: Path) -> None:
    """Nothing in a file reaches the terminal; line ends and letters do."""
    reference = kit_with(tmp_path, file("a.txt", "red \x1b[31m\r\nÄ\ttab\n".encode()))
    ran = rolldeck("cat", reference, "a.txt")
    assert ran.out == "red \\x1b[31m\nÄ\ttab\n"


@pytest.mark.usefixtures("terminal")
def test_text_cut_between_chunks_is_whole_on_a_terminal(rolldeck: Run, tmp_path: Path) -> None:
    """Characters and line ends that two chunks share."""
    text = "x" + "äö\r\n" * (SMALL_BLOB // 3)
    ran = rolldeck("cat", kit_with(tmp_path, file("a.txt", text.encode())), "a.txt")
    assert ran.out == text.replace("\r\n", "\n")


@pytest.mark.usefixtures("terminal")
def test_force_prints_anything(rolldeck: Run, tmp_path: Path) -> None:
    """Who asks for it gets it."""
    reference = kit_with(tmp_path, file("a.bin", b"a\0b"))
    assert rolldeck("cat", reference, "a.bin").code == 2
    assert rolldeck("cat", reference, "a.bin", "--force").out == "a\0b"


def test_bytes_that_no_digest_covers_are_said_to_be_so(rolldeck: Run, tmp_path: Path) -> None:
    """On stderr, so that the bytes stay alone; exit code 0."""
    reference = kit_with(tmp_path, file("big", bytes(SMALL_BLOB + 1)) + file("a.txt", b"text"))
    ran = rolldeck("cat", reference, "a.txt")
    assert (ran.code, ran.out) == (0, "text")
    assert NOT_VERIFIED in ran.err
    listed = rolldeck("ls", reference, "--files")
    assert NOT_VERIFIED in listed.err
    assert rolldeck("cat", reference, "a.txt", "--json").document["verified"] is False


def test_cat_as_json_shows_text_and_tensors(rolldeck: Run, golden: Path) -> None:
    """Text where it is text, the header where it is weights."""
    wdbc = f"oci:{golden}/layouts/wdbc:v1.0.0"
    document = rolldeck("cat", wdbc, "requirements.txt", "--json").document
    assert document["text"].splitlines()
    assert (document["complete"], document["header"], document["kind"]) == (True, None, "code")
    weights = rolldeck("cat", wdbc, "model/weights.safetensors", "--json").document
    assert weights["text"] is None
    assert weights["header"]["format"] == "safetensors"
    assert weights["header"]["parameters"] > 0
    assert set(weights["header"]["tensors"][0]) == {"name", "shape", "dtype"}
    kitfile = rolldeck("cat", wdbc, "Kitfile", "--json").document
    assert kitfile["text"].startswith("manifestVersion")
    assert kitfile["layer"] is None


def test_malformed_weights_are_a_problem_and_no_error(rolldeck: Run, tmp_path: Path) -> None:
    """Looking at a hostile file is what looking is for."""
    reference = kit_with(tmp_path, file("a.safetensors", b"\x80\x04cos\nsystem\n" + bytes(50)))
    document = rolldeck("cat", reference, "a.safetensors", "--json").document
    assert document["problem"].startswith("malformed: not safetensors")
    assert document["type"] == "pickle, which runs code when it is loaded"


def test_errors_of_cat(rolldeck: Run, wdbc: str) -> None:
    """A missing path is 3 and names what is near, a directory is 2."""
    missing = rolldeck("cat", wdbc, "src/trains.py", "--json")
    assert (missing.code, missing.error["kind"]) == (3, "not-found")
    assert "src/train.py" in missing.error["hint"]
    assert rolldeck("cat", wdbc, "src").code == 2


def test_an_unsafe_archive_is_not_listed(rolldeck: Run, tmp_path: Path) -> None:
    """Exit code 8, as unpacking it."""
    assert rolldeck("ls", kit_with(tmp_path, file("../evil")), "--files").code == 8

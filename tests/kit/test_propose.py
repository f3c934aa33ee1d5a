"""A Kitfile proposed from a directory: what becomes which element, and what is left out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rolldeck.kit import scan
from rolldeck.kit.check import check_kitfile
from rolldeck.kit.kitfile import read_kitfile
from rolldeck.kit.proposal import Proposal
from rolldeck.kit.proposal_text import kitfile_text, kitignore_text
from rolldeck.kit.propose import propose
from rolldeck.kit.weights_head import format_of_head
from rolldeck.progress import Progress
from tests.kit.layouts import GGUF, LAYOUTS, LFS, PICKLE, lay_out, safetensors


def proposed(tmp_path: Path, name: str) -> Proposal:
    """The proposal for one of the layouts."""
    return propose(lay_out(tmp_path / "kit", LAYOUTS[name]), Progress())


def paths(proposal: Proposal) -> dict[str, list[str]]:
    """Paths by kind."""
    found: dict[str, list[str]] = {}
    for element in proposal.elements:
        found.setdefault(element.kind, []).append(element.path)
    return found


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_proposal_is_sound(tmp_path: Path, name: str) -> None:
    """It is a Kitfile without mistakes, the same each time, and tells all that it leaves out."""
    root = lay_out(tmp_path / "kit", LAYOUTS[name])
    proposal = propose(root, Progress())
    text = kitfile_text(proposal)
    assert text == kitfile_text(propose(root, Progress()))
    document = read_kitfile(text.encode())
    assert document["manifestVersion"] == "1.0.0"
    ignore = kitignore_text(proposal)
    if ignore is not None:
        (root / ".kitignore").write_text(ignore)
    found = check_kitfile(text.encode(), root, Progress())
    unwanted = {"info"} if name in ("adapter", "checkpoints", "odd-names") else set()
    lfs = {"warning"} if name == "pointers" else set()
    assert {item.severity for item in found} <= unwanted | lfs, found
    for path in LAYOUTS[name]:
        inside = any(
            item.path == "." or f"{path}/".startswith(f"{item.path}/") for item in proposal.elements
        )
        out = any(f"{path}/".startswith(f"{item.path.rstrip('/')}/") for item in proposal.left_out)
        assert inside or out, path


def test_shards_and_what_belongs_to_them(tmp_path: Path) -> None:
    """The first shard is the model; git's files do not make the whole directory code."""
    found = proposed(tmp_path, "hf-shards")
    assert paths(found) == {
        "model": ["model-00001-of-00003.safetensors"],
        "modelpart": [
            "model-00002-of-00003.safetensors",
            "model-00003-of-00003.safetensors",
            "chat_template.jinja",
            "config.json",
            "model.safetensors.index.json",
            "tokenizer.model",
        ],
        "docs": ["LICENSE", "README.md"],
    }
    assert {item.path: item.type for item in found.of("modelpart")[2:]} == {
        "chat_template.jinja": "chat-template",
        "config.json": "config",
        "model.safetensors.index.json": "index",
        "tokenizer.model": "tokenizer",
    }
    assert [item.path for item in found.left_out] == [".git/", ".gitattributes"]
    assert found.package == {"name": "kit", "license": "Apache-2.0"}


def test_the_model_card_names_the_model(tmp_path: Path) -> None:
    """Front matter, the first paragraph, and what config.json says."""
    found = proposed(tmp_path, "hf-single")
    assert found.package == {
        "name": "Tiny X",
        "description": "A tiny model for tests. It does nothing.",
        "license": "Apache-2.0",
    }
    assert found.model == {
        "name": "Tiny X",
        "framework": "transformers",
        "format": "safetensors",
        "license": "Apache-2.0",
    }


def test_a_card_against_the_licence_text(tmp_path: Path) -> None:
    """Two licences are a question to a person."""
    files = {"README.md": "---\nlicense: mit\n---\n", "LICENSE": "Apache License\nVersion 2.0\n"}
    found = propose(lay_out(tmp_path / "kit", files), Progress())
    assert found.package["license"] == "MIT"
    assert any("Apache-2.0" in note for note in found.notes)


def test_a_usual_project(tmp_path: Path) -> None:
    """Weights, code, data and documents apart; secrets, environments and caches left out."""
    found = proposed(tmp_path, "sklearn")
    assert paths(found) == {
        "model": ["model.joblib"],
        "code": ["requirements.txt", "train.py", "notebooks", "src"],
        "dataset": ["data"],
        "docs": ["LICENSE", "README.md", "metrics.json"],
    }
    assert {item.path: item.is_secret for item in found.left_out} == {
        ".env": True,
        "py/": False,
        "src/__pycache__/": False,
    }
    assert (kitignore_text(found) or "").split("\n")[1:] == ["# a cache", "**/__pycache__", ""]
    assert found.package["license"] == "MIT"


def test_directories_that_are_one_model(tmp_path: Path) -> None:
    """MLflow and TensorFlow load the directory, so it is one element."""
    assert paths(proposed(tmp_path, "mlflow")) == {
        "model": ["model"],
        "code": ["dvc.yaml", "train.py"],
        "dataset": ["data"],
    }
    found = propose(lay_out(tmp_path / "tf", LAYOUTS["savedmodel"]), Progress())
    assert paths(found) == {"model": ["saved"], "code": ["serve.py"]}
    assert found.of("model")[0].files == 2


def test_adapters(tmp_path: Path) -> None:
    """Alone it is the model; beside its base it is a part of that type."""
    alone = proposed(tmp_path, "adapter")
    assert alone.of("model")[0].path == "adapter_model.safetensors"
    assert alone.model["description"] == "Adapter for acme/base"
    assert [item.path for item in alone.left_out] == ["checkpoint-100/", "optimizer.pt"]
    both = propose(lay_out(tmp_path / "both", LAYOUTS["base-and-adapter"]), Progress())
    assert both.of("model")[0].path == "model.safetensors"
    part = both.of("modelpart")[0]
    assert (part.path, part.type) == ("lora/adapter_model.safetensors", "lora-adapter")


def test_only_states_of_a_training(tmp_path: Path) -> None:
    """The newest by number, not by letters, is the model."""
    found = proposed(tmp_path, "checkpoints")
    assert found.of("model")[0].path == "checkpoint-1000/model.safetensors"
    assert [item.path for item in found.left_out] == ["checkpoint-500/"]


def test_many_files_of_a_kind_are_one_element(tmp_path: Path) -> None:
    """No layer for each of 300 files; the others keep elements of their own."""
    assert paths(proposed(tmp_path, "rows")) == {
        "code": ["load.py"],
        "dataset": ["."],
        "docs": ["README.md"],
    }
    found = propose(lay_out(tmp_path / "scripts", LAYOUTS["many-scripts"]), Progress())
    assert paths(found) == {"model": ["m.onnx"], "code": ["."]}
    assert "**/.env" in (kitignore_text(found) or "")


def test_elements_stay_few(tmp_path: Path) -> None:
    """Hundreds of small mixed directories, and hundreds of arrays, are data, not layers each."""
    files = {f"set/{n}/{name}": "x" for n in range(200) for name in ("a.jpg", "b.jpg", "note.md")}
    found = propose(lay_out(tmp_path / "kit", files), Progress())
    assert paths(found) == {"dataset": ["set"]}
    assert found.elements[0].why.endswith("200 of them of other kinds")
    arrays = {f"folds/{n}.npy": "x" for n in range(200)}
    assert paths(propose(lay_out(tmp_path / "arrays", arrays), Progress())) == {
        "dataset": ["folds"]
    }


def test_documents_among_code_stay_there(tmp_path: Path) -> None:
    """At any depth; data among code has a layer of its own."""
    files = {"app/a.py": "x", "app/README.md": "x", "app/sub/b.py": "x", "app/sub/c.md": "x"}
    files |= {"app/sub/d.md": "x", "app/sub/rows.csv": "x"}
    found = propose(lay_out(tmp_path / "kit", files), Progress())
    assert paths(found) == {"code": ["app"], "dataset": ["app/sub/rows.csv"]}
    assert found.of("code")[0].files == 5


def test_a_kitignore_that_is_there_counts(tmp_path: Path) -> None:
    """What it hides is no element and is told."""
    files = {"a.csv": "x", "b.csv": "x", "notes/x.md": "x", ".kitignore": "# c\nb.csv\nnotes\n"}
    found = propose(lay_out(tmp_path / "kit", files), Progress())
    assert paths(found) == {"dataset": ["a.csv"]}
    assert [(item.path, item.why) for item in found.left_out] == [
        ("b.csv", ".kitignore, line 2: b.csv"),
        ("notes/", ".kitignore, line 3: notes"),
    ]


def test_what_cannot_be_packed_is_told(tmp_path: Path) -> None:
    """Links, special files, and names that kit takes for addresses."""
    root = lay_out(tmp_path / "kit", {"a.csv": "x", "x:y.csv": "x"})
    (root / "model.safetensors").symlink_to("a.csv")
    os.mkfifo(root / "pipe")
    found = propose(root, Progress())
    assert paths(found) == {"dataset": ["a.csv"]}
    assert [item.path for item in found.left_out] == ["model.safetensors", "pipe", "x:y.csv"]


def test_thousands_of_files_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only weights, the README and the licence are looked into, 4 KiB of each."""
    files: dict[str, str | bytes] = {f"data/{n % 20}/{n}.csv": "x" for n in range(3000)}
    files |= {"m.safetensors": safetensors(), "README.md": "x", "LICENSE": "x"}
    root = lay_out(tmp_path / "kit", files)
    opened = []
    open_file = Path.open

    def counted(self: Path, *words: Any, **named: Any) -> Any:
        opened.append(self.name)
        return open_file(self, *words, **named)

    monkeypatch.setattr(Path, "open", counted)
    found = propose(root, Progress())
    assert sorted(opened) == [".kitignore", "LICENSE", "README.md", "m.safetensors"]
    assert found.of("dataset")[0].files == 3000


def test_at_most_so_many_files_are_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond that names decide."""
    root = lay_out(tmp_path / "kit", {f"m{n}.onnx": "x" for n in range(9)})
    reads = []

    def counted(path: Path) -> bytes:
        reads.append(path)
        return b""

    monkeypatch.setattr(scan, "_HEADS", 4)
    monkeypatch.setattr(scan, "read_head", counted)
    assert len(paths(propose(root, Progress()))["modelpart"]) == 8
    assert len(reads) == 4


def heads() -> Iterator[tuple[bytes, str | None]]:
    """First bytes and formats."""
    yield safetensors(), "safetensors"
    yield GGUF, "GGUF"
    yield PICKLE, "pickle"
    yield LFS, "Git LFS pointer"
    yield b"\x89HDF\r\n\x1a\n" + bytes(20), "HDF5"
    yield b"PK\x03\x04" + bytes(26) + b"archive/data.pkl", "PyTorch"
    yield b"\x1c\x00\x00\x00TFL3" + bytes(20), "TensorFlow Lite"
    yield b"\xff" * 8 + b"{" + bytes(90), None
    yield b"", None
    yield b"\x80", None


@pytest.mark.parametrize(("head", "name"), list(heads()))
def test_formats_by_their_first_bytes(head: bytes, name: str | None) -> None:
    assert format_of_head(head, len(head)) == name


def test_weights_under_any_name(tmp_path: Path) -> None:
    """A large file without a telling name is looked into."""
    root = lay_out(tmp_path / "kit", {"blob": GGUF + bytes(1 << 20), "tool": bytes(1 << 20)})
    assert paths(propose(root, Progress())) == {"model": ["blob"], "code": ["tool"]}

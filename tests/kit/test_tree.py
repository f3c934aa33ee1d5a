"""The record of a tree, and what verification finds."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from rolldeck.errors import IntegrityError, StorageError
from rolldeck.kit import tree as tree_module
from rolldeck.kit.tree import Tree, TreeEntry, stamp_tree, verify_tree
from rolldeck.progress import Progress
from tests.kit.archives import END, Payload, directory, file
from tests.kit.test_unpack import GOOD, KITFILE, unpacked


def test_verify_finds_every_kind_of_change(tmp_path: Path) -> None:
    names = ("flip", "grow", "gone", "to-dir", "to-link", "same")
    archive = b"".join(file(name, b"content") for name in names)
    archive += directory("dir-gone") + directory("dir-to-link") + file("dir-gone/x") + END
    tree = unpacked(tmp_path, archive, kitfile=KITFILE)
    root = tmp_path / "dest"
    assert verify_tree(root, tree, Progress()) == []
    (root / "flip").write_bytes(b"Content")
    (root / "grow").write_bytes(b"content!")
    (root / "gone").unlink()
    (root / "to-dir").unlink()
    (root / "to-dir").mkdir()
    (root / "to-link").unlink()
    (root / "to-link").symlink_to("same")
    (root / "dir-gone/x").unlink()
    (root / "dir-gone").rmdir()
    (root / "dir-to-link").rmdir()
    (root / "dir-to-link").symlink_to(tmp_path)
    (root / "extra").touch()
    (root / "same").chmod(0o600)
    assert verify_tree(root, tree, Progress()) == [
        ("dir-gone", "missing"),
        ("dir-gone/x", "missing"),
        ("dir-to-link", "is a link, not a directory"),
        ("extra", "extra"),
        ("flip", "content changed"),
        ("gone", "missing"),
        ("grow", "has 8 bytes instead of 7"),
        ("to-dir", "is a directory, not a file"),
        ("to-link", "is a link, not a file"),
    ]


def test_verify_does_not_follow_the_root(tmp_path: Path) -> None:
    tree = unpacked(tmp_path)
    (tmp_path / "link").symlink_to("dest")
    with pytest.raises(StorageError):
        verify_tree(tmp_path / "link", tree, Progress())
    with pytest.raises(StorageError):
        verify_tree(tmp_path / "nothing", tree, Progress())


def test_tree_as_json(tmp_path: Path) -> None:
    tree = unpacked(tmp_path, GOOD, Payload(b"?", path="later", form="unknown"))
    document = json.loads(json.dumps(tree.to_json()))
    assert Tree.from_json(document) == tree
    assert document["entries"][0] == {
        **{"path": "b", "type": "file", "mode": "0644", "size": 1},
        "sha256": "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"path": "../x"},
        {"path": "/x"},
        {"path": "d/"},
        {"path": 1},
        {"type": "link"},
        {"size": -1},
        {"size": "1"},
        {"size": True},
        {"sha256": None},
        {"sha256": "00"},
        {"sha256": "z" * 64},
        {"mode": "rw"},
        {"mode": 420},
    ],
)
def test_damaged_record(change: dict[str, Any]) -> None:
    entry = {"path": "x", "type": "file", "mode": "0644", "size": 1, "sha256": "0" * 64}
    assert Tree.from_json({"entries": [entry], "skipped": []}).files == 1
    for document in (
        {"entries": [entry | change], "skipped": []},
        {"entries": [{}], "skipped": []},
        {"entries": []},
        [],
        None,
    ):
        with pytest.raises(IntegrityError):
            Tree.from_json(document)


def test_untouched_files_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With stamps only what was touched since is read; a write that keeps size and time is seen."""
    (tmp_path / "t").mkdir()
    files = {f"f{number}": bytes([number]) * 100 for number in range(3)}
    entries = []
    for name, data in files.items():
        (tmp_path / "t" / name).write_bytes(data)
        entries.append(TreeEntry(name, "file", 0o644, 100, hashlib.sha256(data).hexdigest()))
    tree, stamps = Tree(tuple(entries)), stamp_tree(tmp_path / "t")
    status = (tmp_path / "t" / "f1").stat()
    (tmp_path / "t" / "f1").write_bytes(b"x" * 100)
    os.utime(tmp_path / "t" / "f1", ns=(status.st_atime_ns, status.st_mtime_ns))
    read: list[str] = []
    hash_file = tree_module._sha256

    def counted(name: str, directory: int, progress: Progress) -> str:
        read.append(name)
        return hash_file(name, directory, progress)

    monkeypatch.setattr(tree_module, "_sha256", counted)
    found = verify_tree(tmp_path / "t", tree, Progress(), stamps)
    assert found == [("f1", "content changed")]
    assert read == ["f1"]
    assert verify_tree(tmp_path / "t", tree, Progress()) == found
    assert sorted(read) == ["f0", "f1", "f1", "f2"]

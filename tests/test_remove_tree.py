"""Removing a directory that nobody sees: all of it, and nothing that a link names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rolldeck import fsops


def test_a_tree_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "b" / "file").write_text("x")
    (tree / "a" / "locked").write_text("x")
    (tree / "a" / "locked").chmod(0o400)
    (tree / "empty").mkdir()
    os.mkfifo(tree / "pipe")
    fsops.remove_tree(tree)
    assert not tree.exists()


def test_what_links_name_stays(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("x")
    tree = tmp_path / "tree"
    (tree / "a").mkdir(parents=True)
    (tree / "a" / "directory").symlink_to(kept)
    (tree / "file").symlink_to(kept / "file")
    (tree / "nowhere").symlink_to("nowhere")
    fsops.remove_tree(tree)
    assert not tree.exists()
    assert (kept / "file").read_text() == "x"
    tree.symlink_to(kept)
    fsops.remove_tree(tree)
    assert (kept / "file").read_text() == "x"


def test_what_resists_stops_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / "tree" / name).mkdir(parents=True)
        (tmp_path / "tree" / name / "file").write_text("x")
    unlink = os.unlink

    def resist(name: str, *, dir_fd: int | None = None) -> None:
        if os.readlink(f"/proc/self/fd/{dir_fd}").endswith("/b"):
            raise PermissionError
        unlink(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", resist)
    fsops.remove_tree(tmp_path / "tree")
    assert [path.name for path in (tmp_path / "tree").iterdir()] == ["b"]
    fsops.remove_tree(tmp_path / "missing")

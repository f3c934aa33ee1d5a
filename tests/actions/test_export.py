"""A comparison goes into a file whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolldeck.actions import write_export
from rolldeck.errors import RefusedError, StorageError


def test_a_new_file(tmp_path: Path) -> None:
    write_export(tmp_path / "x.md", "text é")
    assert (tmp_path / "x.md").read_text("utf-8") == "text é"


def test_what_is_there_stays_unless_that_was_said(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text("mine")
    with pytest.raises(RefusedError):
        write_export(path, "other")
    assert path.read_text() == "mine"
    write_export(path, "other", replace=True)
    assert path.read_text() == "other"


def test_a_dangling_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "x.md").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError):
        write_export(tmp_path / "x.md", "other")
    assert not (tmp_path / "elsewhere").exists()


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        write_export(tmp_path / "no" / "x.md", "text")

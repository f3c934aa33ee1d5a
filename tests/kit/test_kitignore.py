"""Patterns of ``.kitignore`` mean what they mean to kit."""

from __future__ import annotations

import pytest

from rolldeck.kit.kitignore import parse_kitignore


def hides(text: str, path: str) -> bool:
    """Whether a file with this text hides a path."""
    ignore, bad = parse_kitignore(text.encode())
    assert not bad
    return ignore.hides(path)


@pytest.mark.parametrize(
    ("text", "hidden", "shown"),
    [
        # The cases of kit's own tests.
        ("dir1", ["dir1/subdir1/subdir2/file.txt"], ["dir2/dir1/x"]),
        ("dir1/*.txt", ["dir1/testfile.txt"], ["dir1/sub/testfile.txt"]),
        ("**/testfile.txt", ["dir1/a/testfile.txt", "testfile.txt"], ["dir1/xtestfile.txt"]),
        ("dir1\n!dir1/testfile.txt", ["dir1/other"], ["dir1/testfile.txt"]),
        # Those of moby/patternmatcher.
        ("**", ["file", "dir/file"], []),
        ("**/", ["file", "dir/file"], []),
        ("dir/**", ["dir/file", "dir/a/b"], ["dir", "dirx/a"]),
        ("**/dir2/*", ["dir/dir2/file", "dir2/file"], ["dir2"]),
        ("**/**/file", ["file", "a/b/file"], ["xfile"]),
        ("a**", ["a", "ab/c", "abc"], ["b/a"]),
        ("a**/d", ["a/b/d", "a/d"], ["abcd"]),
        ("*.log", ["x.log"], ["a/x.log"]),
        ("**.log", ["x.log", "a/x.log"], ["x.logs"]),
        ("a?c", ["abc"], ["a/c", "ac"]),
        ("[a-c]x", ["bx"], ["dx"]),
        ("[^a]x", ["bx"], ["ax"]),
        ("[!a]x", ["ax", "!x"], ["bx"]),
        ("a\\*b", ["a*b"], ["axb"]),
        ("a.b", ["a.b"], ["axb"]),
        ("/abs", ["abs"], ["x/abs"]),
        ("./a/../b/", ["b/x"], ["a/x"]),
        ("# no\n\n  b  ", ["b"], ["# no"]),
        (" # yes", ["# yes"], []),
        ("docs\n!docs/a\ndocs/a/b", ["docs/x", "docs/a/b"], ["docs/a/c"]),
        ("*\n!keep", ["x", "y/z"], ["keep", "keep/a"]),
        ("\ufeffa", ["a"], []),
        ("a\r\nb\r\n", ["a", "b"], []),
        ("[[&~|x]y", ["[y", "&y"], ["zy"]),
    ],
)
def test_patterns(text: str, hidden: list[str], shown: list[str]) -> None:
    assert [path for path in hidden if not hides(text, path)] == []
    assert [path for path in shown if hides(text, path)] == []


def test_the_pattern_that_hides() -> None:
    """It is named, with its line."""
    ignore, _ = parse_kitignore(b"# x\n*.log\nlogs\n")
    found = ignore.hidden_by("logs/a")
    assert found is not None
    assert (found.line, found.text) == (3, "logs")


@pytest.mark.parametrize("text", ["a[", "[]", "a\\", "!", "! ", "!/"])
def test_patterns_that_kit_refuses(text: str) -> None:
    _, bad = parse_kitignore(f"ok\n{text}\n".encode())
    assert [error.line for error in bad] == [2]


def test_nothing_is_hidden_without_patterns() -> None:
    assert not hides("", "a")
    assert not hides("\n# c\n", "a/b")

"""Cleaning of text from outside."""

from __future__ import annotations

import random
import unicodedata

from rolldeck.text import clean, clean_line, clean_tree, decode
from tests.conftest import TORTURE


def test_escape_sequences_become_visible() -> None:
    """No control byte of a registry reaches the terminal."""
    assert clean("a\x1b]52;c;eA==\x07b") == "a\\x1b]52;c;eA==\\x07b"
    assert clean("\x9b31m\u202etxt\u2028") == "\\x9b31m\\u202etxt\\u2028"


def test_newlines_and_tabs_stay_in_text_and_leave_lines() -> None:
    """Text keeps its lines; a line is one line."""
    assert clean("a\r\n\tb") == "a\n\tb"
    assert clean_line("a\r\n\tb") == "a b"


def test_long_values_are_cut() -> None:
    """One huge value cannot freeze a layout."""
    assert len(clean("x" * 1_000_000)) == 4096


def test_trees_are_cleaned_keys_included() -> None:
    """A JSON document is cleaned whole."""
    assert clean_tree({"a\x1b": ["\x07", 1, None, True]}) == {"a\\x1b": ["\\x07", 1, None, True]}


def test_any_bytes_decode_to_text_without_control_characters() -> None:
    """Random byte strings: nothing but newline and tab of the control characters is left."""
    source = random.Random(7)
    for _ in range(10_000 * TORTURE):
        text = decode(source.randbytes(source.randrange(60)), 1000)
        assert all(c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Zl") for c in text)

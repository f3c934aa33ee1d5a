"""Text differences as lines: no app needed."""

from __future__ import annotations

import pytest

from rolldeck.facts.file_type import is_text
from rolldeck.tui.models.file_texts import FilePair, describe_bytes
from rolldeck.tui.models.lines import Line, Span
from rolldeck.tui.models.text_lines import Frame, frame, head_line, text_line, window
from rolldeck.tui.models.text_rows import Layout, TextDiff, lay_out, text_diff

OLD = "\n".join(f"line {number}" for number in range(1, 41)) + "\n"
NEW = OLD.replace("line 10\n", "line ten\n").replace("line 30\n", "line 30\nadded\n")


def lines(diff: TextDiff, layout: Layout, width: int, shift: int = 0) -> list[Line]:
    """Return all lines of a layout."""
    shape = frame(diff, width, shift)
    return [text_line(diff, entry, shape, current=False) for entry in layout.entries]


def texts(diff: TextDiff, context: int, width: int) -> list[str]:
    """Return the texts of all lines."""
    layout = lay_out(diff, context, width < 100)
    return [line.text.rstrip() for line in lines(diff, layout, width)]


@pytest.fixture
def diff() -> TextDiff:
    """Return a difference with a replaced and an added line."""
    return text_diff(OLD.encode(), NEW.encode())


def test_changes_are_counted_and_found(diff: TextDiff) -> None:
    """One replaced line counts on both sides."""
    assert (diff.added, diff.removed) == (2, 1)
    assert [end - start for start, end in diff.changes] == [1, 1]


@pytest.mark.parametrize(("context", "shown"), [(0, 5), (3, 17), (100, 41)])
def test_equal_lines_are_folded_to_the_context(diff: TextDiff, context: int, shown: int) -> None:
    """Each run of equal lines keeps what is next to a change."""
    layout = lay_out(diff, context, unified=False)
    assert len(layout.entries) == shown
    hidden = sum(entry.hidden for entry in layout.entries)
    assert hidden + sum(1 for entry in layout.entries if not entry.hidden) == 41


def test_wide_views_show_both_sides_beside_each_other(diff: TextDiff) -> None:
    """Signs stand on both sides, numbers count per side."""
    shown = texts(diff, 0, 120)
    assert "… 9 equal lines" in shown[0]
    assert shown[1].split() == ["10", "-", "line", "10", "│", "10", "+", "line", "ten"]
    assert shown[3].split() == ["│", "31", "+", "added"]


def test_narrow_views_show_one_column(diff: TextDiff) -> None:
    """What was removed stands above what was added."""
    shown = texts(diff, 0, 80)
    assert shown[1].split() == ["10", "-", "line", "10"]
    assert shown[2].split() == ["10", "+", "line", "ten"]


def test_only_the_words_that_differ_are_set_off(diff: TextDiff) -> None:
    """The rest of a replaced line stays plain."""
    line = lines(diff, lay_out(diff, 0, unified=False), 120)[1]
    looks = {span.text.strip(): span.look for span in line.spans}
    assert looks["10"] in ("dim", "removed-part")
    assert ("10", "removed-part") in {(span.text, span.look) for span in line.spans}
    assert ("ten", "added-part") in {(span.text, span.look) for span in line.spans}


@pytest.mark.parametrize("width", [30, 80, 99, 100, 120, 200])
def test_no_line_is_wider_than_the_view(width: int) -> None:
    """Also with wide characters and tabs."""
    old = "\tif 日本語 == 'x' * 300:\n" + "長" * 200 + "\nsame\n"
    diff = text_diff(old.encode(), old.replace("300", "3").encode())
    for shift in (0, 1, 7):
        shown = lines(diff, lay_out(diff, 3, width < 100), width, shift)
        assert max(line.width for line in shown) <= width
    assert head_line(("a" * 90, "b" * 90), frame(diff, width, 0)).width >= 1


def test_text_moves_to_the_side_by_cells() -> None:
    """What goes on beyond the window has an ellipsis there, at both ends."""
    assert [span.text for span in window((Span("日本語"),), 1, 10)] == ["…本語"]
    assert [span.text for span in window((Span("abcdefgh"),), 2, 4)] == ["…de…"]
    assert "".join(span.text for span in window((Span("ab"),), 0, 4, pad=True)) == "ab  "


def test_a_file_on_one_side_is_all_added_or_all_removed() -> None:
    """A missing side is no error."""
    added = text_diff(None, b"one\ntwo\n")
    assert (added.added, added.removed, added.notice) == (2, 0, "only on one side")
    removed = text_diff(b"one\n", None)
    assert (removed.added, removed.removed) == (0, 1)


def test_a_difference_in_line_endings_alone_is_said() -> None:
    """No change to show, yet the bytes differ."""
    diff = text_diff(b"one\r\ntwo\r\n", b"one\ntwo\n")
    assert diff.changes == ()
    assert "line endings" in diff.notice


def test_hostile_text_is_shown_as_escapes() -> None:
    """No control character of a file reaches the terminal."""
    bad = b"[/][@click=app.quit]x[/]\x1b]52;c;aGk=\x07\xe2\x80\xae\n"
    diff = text_diff(bad, bad.replace(b"x", b"y"))
    shape = Frame(120, 3, 0, False)
    shown = "".join(
        text_line(diff, entry, shape, current=True).text
        for entry in lay_out(diff, 3, unified=False).entries
    )
    assert "[/][@click=app.quit]x[/]\\x1b]52" in shown
    assert all(ord(character) >= 32 for character in shown)
    assert "\u202e" not in shown


def test_what_is_not_text_is_described_by_size_and_digest() -> None:
    """Bytes are told apart without showing them."""
    pair = FilePair("model.bin", b"\0" * 2048, None)
    assert not pair.textual
    words = "\n".join(describe_bytes(pair, ("v1", "v2")))
    assert "2.0 KiB  sha256:e5a00aa9991a" in words
    assert "v2  is not there" in words
    assert not is_text(b"\xff\xfe")
    assert is_text("\ufeffä".encode())

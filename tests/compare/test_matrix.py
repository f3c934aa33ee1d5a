"""Many versions as a table: what is one column, what is best, how rows are sorted."""

from __future__ import annotations

from typing import Any

from rolldeck.compare import Directions, Entry, Matrix, matrix
from rolldeck.compare.matrix_text import cell_texts, matrix_json, matrix_markdown, matrix_tsv
from rolldeck.facts import Metric, Parameter


def an_entry(label: str, *metrics: Metric, **parameters: Any) -> Entry:
    """Return a version with these facts."""
    found = tuple(Parameter(name, value, "Kitfile") for name, value in parameters.items())
    return Entry(f"host/fraud:{label}", "sha256:ab", label, None, metrics, found)


def f1(value: float | None, **more: Any) -> Metric:
    return Metric("f1", value, "run.json", **more)


def labels(found: Matrix, order: list[int]) -> list[str]:
    return [found.entries[entry].label for entry in order]


def a_matrix(*values: float | None) -> Matrix:
    """Return a table of versions that have one metric; None = not even that."""
    entries = [
        an_entry(f"v{number}", *([f1(value)] if value is not None else []))
        for number, value in enumerate(values)
    ]
    return matrix(entries)


def test_the_best_value_goes_by_direction() -> None:
    """Higher is better for f1, lower for a loss, neither for an unknown name."""
    entries = [
        an_entry("a", f1(0.9), Metric("loss", 0.3, "x"), Metric("zzz", 1.0, "x")),
        an_entry("b", f1(0.8), Metric("loss", 0.1, "x"), Metric("zzz", 2.0, "x")),
    ]
    best = {column.key: column.best for column in matrix(entries).columns}
    assert best == {"f1": {0}, "loss": {1}, "zzz": set()}


def test_the_users_own_direction_counts() -> None:
    """What ``b`` set stands before what a version declares."""
    entries = [an_entry("a", f1(0.9, higher_is_better=True)), an_entry("b", f1(0.8))]
    assert matrix(entries, Directions(own={"f1": False})).columns[0].best == {1}


def test_versions_that_contradict_each_other_leave_no_direction() -> None:
    """Then nothing is best."""
    entries = [
        an_entry("a", f1(0.9, higher_is_better=True)),
        an_entry("b", f1(0.8, higher_is_better=False)),
    ]
    assert matrix(entries).columns[0].higher_is_better is None


def test_equal_values_have_no_best_and_ties_share_it() -> None:
    """A mark on every row would say nothing."""
    assert a_matrix(0.9, 0.9).columns[0].best == frozenset()
    assert a_matrix(0.9, 0.9, 0.8).columns[0].best == {0, 1}


def test_another_unit_is_never_compared() -> None:
    """2 s is not more than 41 ms by its number."""
    entries = [
        an_entry("a", Metric("latency", 41.0, "x", unit="ms")),
        an_entry("b", Metric("latency", 43.0, "x", unit="ms")),
        an_entry("c", Metric("latency", 2.0, "x", unit="s")),
    ]
    column = matrix(entries).columns[0]
    assert column.best == {0}
    assert column.values[2] == "2.0 s"
    assert column.numbers[2] is None


def test_a_name_with_slices_has_a_column_for_each() -> None:
    """Recall on two slices is two things."""
    entries = [an_entry("a", f1(0.9, slice="old"), f1(0.8, slice="new"))]
    assert [column.key for column in matrix(entries).columns] == ["f1 [old]", "f1 [new]"]


def test_a_slice_declared_by_some_is_one_column() -> None:
    """As in a comparison of two."""
    found = matrix([an_entry("a", f1(0.9, slice="all")), an_entry("b", f1(0.8))])
    assert [column.values for column in found.columns] == [(0.9, 0.8)]


def test_only_parameters_that_differ_are_shown() -> None:
    """And how many are hidden is known; a parameter that one lacks differs."""
    entries = [
        an_entry("a", f1(0.9), lr=1, seed=7, deep=True),
        an_entry("b", f1(0.9), lr=2, seed=7),
    ]
    found = matrix(entries)
    assert [column.key for column in found.shown()] == ["f1", "lr", "deep"]
    assert found.hidden() == 1
    assert len(found.shown(every=True)) == 4


def test_true_is_not_one() -> None:
    """A truth value and a number differ though Python finds them equal."""
    assert matrix([an_entry("a", flag=True), an_entry("b", flag=1)]).columns[0].differs


def test_sorted_best_first_and_missing_last_either_way() -> None:
    """``S`` turns the values round, not those without one."""
    found = a_matrix(0.5, None, 0.9, 0.7)
    column = found.columns[0]
    assert labels(found, found.order(column)) == ["v2", "v3", "v0", "v1"]
    assert labels(found, found.order(column, reverse=True)) == ["v0", "v3", "v2", "v1"]


def test_a_loss_sorts_lowest_first() -> None:
    """Best first means lowest where lower is better."""
    entries = [an_entry("a", Metric("loss", 0.3, "x")), an_entry("b", Metric("loss", 0.1, "x"))]
    found = matrix(entries)
    assert labels(found, found.order(found.columns[0])) == ["b", "a"]


def test_the_baseline_stays_at_the_top() -> None:
    """Whatever the order, the rows are read against it."""
    entries = [an_entry("a", f1(0.5)), an_entry("b", f1(0.9)), an_entry("c", f1(0.7))]
    found = matrix(entries, baseline=2)
    assert labels(found, found.order(found.columns[0])) == ["c", "b", "a"]
    assert labels(found, found.order(None, reverse=True)) == ["c", "b", "a"]


def test_changes_are_told_against_the_baseline() -> None:
    """With verdict; the baseline itself has none."""
    entries = [an_entry("a", f1(0.8)), an_entry("b", f1(0.4)), an_entry("c", f1(0.8))]
    cells = cell_texts(matrix(entries, baseline=0).columns[0], 0)
    assert [(cell.change, cell.verdict) for cell in cells] == [
        ("", "neutral"), ("-50.0 %", "worse"), ("", "neutral")
    ]  # fmt: skip


def test_numbers_have_digits_enough_to_tell_them_apart() -> None:
    """Two versions that differ never read alike."""
    cells = cell_texts(a_matrix(0.912345, 0.912346).columns[0])
    assert len({cell.value for cell in cells}) == 2


def test_the_best_is_told_by_a_mark() -> None:
    """In Markdown by bold, so that no colour is needed."""
    found = a_matrix(0.9, 0.8)
    order, columns = found.order(None), found.shown()
    assert "**`0.9`**" in matrix_markdown(found, order, columns)
    assert matrix_json(found, order, columns)["columns"][0]["best"] == ["host/fraud:v0"]


def test_hostile_names_are_inert_in_every_form() -> None:
    """A formula, a pipe and a terminal sequence in a name, a label and a value."""
    entry = an_entry("v1\x1b]52;c;x\x07", Metric("=HYPERLINK|x", 1.0, "x"), p="=1+1\t\n|")
    other = an_entry("v2", p="b")
    found = matrix([entry, other])
    order, columns = found.order(None), found.shown()
    tsv = matrix_tsv(found, order, columns)
    markdown = matrix_markdown(found, order, columns)
    assert len(tsv.splitlines()) == 3
    assert "\x1b" not in tsv + markdown
    assert "\t=" not in tsv
    assert len({line.replace("\\|", "").count("|") for line in markdown.splitlines()}) == 1


def test_no_number_is_text_in_json() -> None:
    """Strict JSON has no NaN; a metric that is none stays what its record said."""
    found = matrix([an_entry("a", f1(None, text="NaN"), lr=float("inf"))])
    version = matrix_json(found, [0], found.columns)["versions"][0]
    assert version["metrics"] == {"f1": "NaN"}
    assert version["parameters"] == {"lr": "Infinity"}

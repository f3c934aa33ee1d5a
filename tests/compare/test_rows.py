"""Values, files, data sets and layers as rows, and the order in which rows stand."""

from __future__ import annotations

from typing import Any

import pytest

from rolldeck.compare import Row, Version, compare, sort_rows
from rolldeck.compare.data import data_rows
from rolldeck.compare.files import file_rows
from rolldeck.compare.values import difference, rows_by_key, same, signature_rows
from rolldeck.facts import DataSet, Facts, collect
from rolldeck.kit.read import read_kit
from tests.facts.kits import make_kit, make_manifest


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (1, 1.0, True), (1, True, False), (0, False, False), ("1", 1, False), ("1.0", "1", False),
        (None, None, True), (None, 0, False), (True, True, True), ("x", "x", True),
        (10**400, 10**400, True), (10**400, 1.0, False),
    ],
)  # fmt: skip
def test_equality(a: Any, b: Any, expected: bool) -> None:
    assert same(a, b) is expected
    assert same(b, a) is expected


def test_difference_of_huge_numbers() -> None:
    assert difference(10**400, 1) == (None, None)
    assert difference(1e308, -1e308) == (None, None)
    assert difference("1", 2) == (None, None)
    assert difference(50, 120) == (70.0, 1.4)


def test_null_differs_from_absent() -> None:
    rows = rows_by_key({"a": None, "b": None, "c": 1}, {"a": None, "c": None, "d": 2})
    assert [(row.key, row.status, row.a, row.b) for row in rows] == [
        ("a", "equal", "null", "null"),
        ("b", "removed", "null", None),
        ("c", "changed", 1, "null"),
        ("d", "added", None, 2),
    ]


def test_values_that_look_alike_are_told_apart() -> None:
    (row,) = rows_by_key({"C": "1"}, {"C": 1})
    assert (row.status, row.note) == ("changed", "text against number")


def test_order_of_rows() -> None:
    rows = [
        Row("same b", "equal", 1, 1), Row("same a", "equal", 1, 1),
        Row("gone", "removed", 1, None), Row("new", "added", None, 1),
        Row("text", "changed", "a", "b"),
        Row("better", "changed", 1, 9, 8, 8.0, "better"),
        Row("worse little", "changed", 1, 2, 1, 0.1, "worse"),
        Row("worse much", "changed", 1, 2, 1, -0.5, "worse"),
        Row("worse from zero", "changed", 0, 2, 2, None, "worse"),
    ]  # fmt: skip
    assert [row.key for row in sort_rows(rows)] == [
        "worse from zero", "worse much", "worse little", "better", "text", "new", "gone",
        "same a", "same b",
    ]  # fmt: skip


def facts(signature: Any) -> Facts:
    return Facts(signature=signature)


def test_an_undeclared_signature_is_unknown_not_removed() -> None:
    fields = (("input x", "long"),)
    assert signature_rows(facts(None), facts(None)) == []
    (row,) = signature_rows(facts(fields), facts(None))
    assert (row.b, row.verdict, row.note) == ("not declared", "unknown", "compatibility unknown")
    (removed,) = signature_rows(facts(fields), facts(()))
    assert (removed.key, removed.status, removed.note) == ("input x", "removed", "breaks callers")


def test_which_signature_changes_break_callers() -> None:
    before = (("input x", "long"), ("input eased", "long"), ("input forced", "long, optional"),
              ("output y", "long"))  # fmt: skip
    after = (("input x", "double"), ("input eased", "long, optional"), ("input forced", "long"),
             ("input new", "long, optional"), ("input need", "long"),
             ("output y", "long"), ("output z", "long"))  # fmt: skip
    notes = {row.key: row.note for row in signature_rows(facts(before), facts(after))}
    assert notes == {
        "input x": "breaks callers",
        "input eased": "",
        "input forced": "breaks callers",
        "output y": "",
        "input new": "",
        "input need": "breaks callers",
        "output z": "",
    }


def test_files() -> None:
    rows = file_rows(
        {"same": b"x\n", "text": b"a\nb\n", "gone": b"1\n2\n", "binary": b"\0a", "end": b"x\n"},
        {"same": b"x\n", "text": b"a\nc\nd\n", "new": b"1", "binary": b"\0bb", "end": b"x"},
    )
    assert {row.key: (row.status, row.note) for row in rows} == {
        "same": ("equal", ""),
        "text": ("changed", "+2 -1"),
        "gone": ("removed", "-2"),
        "new": ("added", "+1"),
        "binary": ("changed", "binary, 2 B → 3 B"),
        "end": ("changed", "only the end of the last line differs"),
    }


def test_files_known_by_digest_only() -> None:
    rows = file_rows({"a": "sha256:1", "b": "sha256:2"}, {"a": "sha256:1", "b": b"x"})
    assert [(row.status, row.note) for row in rows] == [("equal", ""), ("changed", "")]


def test_hostile_file_names_stay_apart_and_are_cleaned() -> None:
    rows = file_rows({"a\x1b[2J": b"1", "a\\x1b[2J": b"2"}, {})
    assert [row.key for row in rows] == ["a\\x1b[2J", "a\\x1b[2J (2)"]


def data(name: str, scheme: str, identity: str, role: str = "training") -> DataSet:
    return DataSet(name, role, scheme, identity, "test")


def test_data_is_compared_within_one_scheme() -> None:
    (row,) = data_rows([data("t", "sha256", "aa")], [data("t", "dvc-md5", "bb")])
    assert (row.verdict, row.note) == ("unknown", "not comparable: sha256 against dvc-md5")
    both = [data("t", "sha256", "aa"), data("t", "dvc-md5", "bb")]
    (row,) = data_rows(both, [data("t", "dvc-md5", "bb")])
    assert (row.status, row.a) == ("equal", "dvc-md5:bb")


def test_renamed_data_is_found_by_its_digest() -> None:
    (row,) = data_rows([data("old", "sha256", "aa")], [data("new", "sha256", "aa")])
    assert (row.key, row.status, row.note) == (
        "training new",
        "equal",
        "was training old; same sha256",
    )


def test_an_address_proves_nothing() -> None:
    (row,) = data_rows([data("t", "uri", "s3://x")], [data("t", "uri", "s3://x")])
    assert (row.status, row.note) == ("equal", "same address, content unknown")


def kit(*layers: tuple[str, str, int]) -> Any:
    blobs = [
        {
            "mediaType": f"application/vnd.kitops.modelkit.{kind}.v1.tar",
            "digest": "sha256:" + f"{number:064x}",
            "size": 1024,
            "annotations": {"org.cncf.model.filepath": path},
        }
        for kind, path, number in layers
    ]
    return read_kit(make_manifest(blobs, {}), b"{}")


def versions(a: Any, b: Any) -> Any:
    return compare(Version("a", "a", a, collect(a, {})), Version("b", "b", b, collect(b, {})))


def test_layers_with_one_path_stay_apart() -> None:
    comparison = versions(kit(("code", "x", 1), ("code", "x", 2)), kit(("code", "x", 1)))
    rows = comparison.section("layers").rows
    assert [(row.key, row.status) for row in rows] == [
        ("code x (2)", "removed"),
        ("code x", "equal"),
    ]


def test_a_moved_layer_is_no_other_content() -> None:
    (row,) = versions(kit(("model", "old", 1)), kit(("model", "new", 1))).section("layers").rows
    assert (row.key, row.status, row.note) == (
        "model new",
        "changed",
        "same content, was model old",
    )


def test_items_of_the_kitfile_go_by_name() -> None:
    a, b = make_kit(None), make_kit(None)
    a.kitfile["datasets"] = [{"name": "x", "path": "1"}, {"name": "y", "path": "2"}]
    b.kitfile["datasets"] = [{"name": "new", "path": "0"}, *a.kitfile["datasets"]]
    b.manifest.annotations["n"] = "1"
    rows = versions(a, kit_like(b)).section("kitfile").rows
    differing = {row.key for row in rows if row.status != "equal"}
    assert differing == {"datasets[new].name", "datasets[new].path"}


def kit_like(other: Any) -> Any:
    made = make_kit(None, {"n": "1"})
    made.kitfile.update(other.kitfile)
    return made


def test_parameters_are_not_repeated_as_kitfile_fields() -> None:
    rows = versions(make_kit({"lr": 1}), kit_like(make_kit({"lr": 2}))).section("kitfile").rows
    assert not [row for row in rows if "parameters" in row.key]

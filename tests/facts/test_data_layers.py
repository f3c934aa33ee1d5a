"""Data in layers: what identifies it, its files, its rows and columns."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from rolldeck.compare.data import data_rows
from rolldeck.facts import DataSet, collect
from rolldeck.facts.table_shape import table_shape
from rolldeck.kit.model import Layer
from rolldeck.oci import Descriptor, digest_of
from tests.facts.kits import make_kit
from tests.golden_kits import load_facts, load_kit


def test_a_data_set_in_a_layer_is_known_by_every_rung() -> None:
    found = {item.scheme: item for item in load_facts("era:v1.11-gzip").data}
    layer = next(item for item in load_kit("era:v1.11-gzip").layers if item.kind == "dataset")
    assert list(found) == ["digest", "diff_id", "file"]
    assert found["digest"].identity == layer.digest
    assert found["diff_id"].identity == layer.diff_id


def test_rows_and_columns_are_those_of_the_only_table() -> None:
    train = next(item for item in load_facts("wdbc:v1.2.0").data if item.name == "train")
    assert (train.rows, train.columns) == (426, 31)


def test_without_files_the_layer_alone_is_known() -> None:
    facts = collect(load_kit("wdbc:v1.2.0"), {})
    (train,) = (item for item in facts.data if item.role == "layer")
    assert (train.name, train.scheme, train.rows) == ("train", "diff_id", None)


def layer(path: str, payload: bytes) -> Layer:
    blob = Descriptor("application/x", digest_of(payload), len(payload))
    return Layer(blob, "dataset", "tar", "none", path=path, name="d")


def data_of(path: str, **contents: bytes) -> tuple[DataSet, ...]:
    """Return the data sets of a kit with one data layer that holds these files."""
    made = layer(path, repr(contents).encode())
    members = {
        made.digest: {key: hashlib.sha256(value).hexdigest() for key, value in contents.items()}
    }
    files = {f"{path}/{key}": value for key, value in contents.items()}
    kit = replace(make_kit(None), layers=(made,))
    return tuple(collect(kit, files, members).data)


def test_files_of_a_larger_data_set_are_told_one_by_one() -> None:
    data = data_of("data", **{"a.csv": b"x,y\n1,2\n", "b.txt": b"1"})
    assert [(item.name, item.role, item.scheme) for item in data] == [
        ("d", "layer", "diff_id"),
        ("d", "layer", "files"),
        ("data/a.csv", "file", "file"),
        ("data/b.txt", "file", "file"),
    ]
    assert (data[2].rows, data[2].columns, data[2].size) == (1, 2, 8)


def test_a_changed_file_of_a_data_set_shows() -> None:
    before = data_of("data", **{"a.csv": b"x,y\n1,2\n", "b.txt": b"1"})
    after = data_of("data", **{"a.csv": b"x\n1\n2\n", "b.txt": b"1"})
    rows = {row.key: row for row in data_rows(before, after)}
    assert rows["file data/a.csv"].note == "1 → 2 rows; 2 → 1 columns; 8 → 6 bytes"
    assert rows["file data/b.txt"].status == "equal"
    assert rows["layer d"].status == "changed"


def known(scheme: str, identity: str) -> DataSet:
    return DataSet("t", "training", scheme, identity, "test")


@pytest.mark.parametrize(
    ("a", "b", "status", "note"),
    [
        ([("digest", "1"), ("diff_id", "2")], [("digest", "1")], "equal", "same layer digest"),
        ([("digest", "1"), ("diff_id", "2")], [("digest", "3"), ("diff_id", "2")], "equal",
         "same content digest"),
        ([("diff_id", "2"), ("file", "5")], [("diff_id", "4"), ("file", "5")], "equal",
         "same file digest"),
        ([("diff_id", "2"), ("files", "5")], [("digest", "4"), ("files", "5")], "equal",
         "same digests of all files"),
        ([("sha256", "1"), ("dvc-md5", "2")], [("dvc-md5", "2")], "equal", "same dvc-md5"),
        ([("mlflow", "1")], [("mlflow", "1")], "equal", "same MLflow digest"),
        ([("diff_id", "2")], [("diff_id", "4")], "changed", ""),
        ([("digest", "2")], [("digest", "4")], "changed", "other bytes, content unknown"),
        ([("sha256", "1"), ("dvc-md5", "2")], [("sha256", "3"), ("dvc-md5", "2")], "changed", ""),
        ([("file", "1"), ("name", "t")], [("file", "2"), ("name", "t")], "changed", ""),
        ([("diff_id of a", "1"), ("uri", "t")], [("diff_id of a", "2"), ("uri", "t")],
         "changed", ""),
    ],
)  # fmt: skip
def test_data_is_the_same_on_the_first_rung_that_matches(
    a: list[tuple[str, str]], b: list[tuple[str, str]], status: str, note: str
) -> None:
    for one, other in ((a, b), (b, a)):
        (row,) = data_rows([known(*item) for item in one], [known(*item) for item in other])
        assert (row.status, row.note) == (status, note)


@pytest.mark.parametrize(
    ("path", "data", "shape"),
    [
        ("a.csv", b"x,y\n1,2\n3,4\n", (2, 2)),
        ("a.csv", b"1,2\n3,4\n", (2, 2)),
        ("a.csv", b"x;y\n1;2\n", (1, 2)),
        ("a.tsv", b"x\ty\n1\t2", (1, 2)),
        ("a.csv", b'x,y\n"a\nb",2\n\n', (1, 2)),
        ("a.csv", "\ufeffx,y\n".encode(), (0, 2)),
        ("a.csv", "x,y\na\u2028b,2\n".encode(), (1, 2)),
        ("a.csv", b"", (0, None)),
        ("a.csv", b"\xff\xfe", (None, None)),
        ("a.csv", b"PK\0\0", (None, None)),
        ("a.csv", b"x\n" + b"1" * 200_000, (None, None)),
    ],
)
def test_shapes_of_tables(path: str, data: bytes, shape: tuple[int | None, int | None]) -> None:
    assert table_shape(path, data) == shape

"""MLflow's ``MLmodel``: signature, Python, run and flavors."""

from __future__ import annotations

import pytest

from rolldeck.facts.mlmodel import read, read_registration
from tests.facts.comparing import changed, differing
from tests.facts.kits import is_clean
from tests.golden_kits import load_all_files

PATH = "model/MLmodel"
BOMB = b"a0: &a0 [x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (level, level, b",".join([b"*a%d" % (level - 1)] * 10))
    for level in range(1, 9)
)
"""Eighty aliases that stand for a hundred million values."""


@pytest.fixture(scope="module")
def real() -> bytes:
    """What MLflow 3.17.2 wrote."""
    return load_all_files("facts-mlflow:v1.0.0")[PATH]


def test_a_real_file_is_read(real: bytes) -> None:
    facts = read(PATH, real)
    assert facts.signature is not None
    assert facts.signature[0] == ("input alcohol", "float")
    assert facts.signature[-1] == ("output 0", "tensor int64 [-1]")
    assert facts.signature_source == PATH
    (python,) = facts.environment
    assert (python.group, python.name, python.value) == ("python", "version", "3.11.7")
    assert {item.name: item.value for item in facts.lineage} == {
        "run system": "mlflow",
        "run id": "32fa3767db814d12b7f49344bf9b2575",
        "mlflow model": "m-14cebca9086c44168d8df982e1c78aed",
        "mlflow version": "3.17.2",
        "model logged": "2026-11-21 13:15:45.454830",
        "mlflow flavor python_function": "loader_module mlflow.sklearn",
        "mlflow flavor sklearn": "serialization_format cloudpickle, sklearn_version 1.9.1",
    }
    assert {item.source for item in facts.lineage} == {PATH}
    assert facts.missing == ()


@pytest.mark.parametrize(
    ("content", "remark"),
    [
        (b"", "holds no description of a model"),
        (b"- a\n", "holds no description of a model"),
        (b"a: [1\n", "not valid YAML"),
        (BOMB, "holds more than"),
        (b"[" * 200, "nested deeper than"),
        (b"\xff\xfe", "not valid YAML"),
    ],
)
def test_what_is_no_model_is_said(content: bytes, remark: str) -> None:
    (missing,) = read(PATH, content).missing
    assert missing.startswith(f"{PATH}: ")
    assert remark in missing


def test_hostile_fields_are_absent_or_clean() -> None:
    hostile = b"""
run_id: "\\e[2J[red]"
model_id: [1]
flavors: {sklearn: 3, "\\e[31m": {sklearn_version: {a: 1}}, python_function: {python_version: [3]}}
signature: {inputs: '[{"name": "\\u001b[2J", "type": "long"}, 7, null]', outputs: "[[[["}
metadata: {"\\e": "\\e"}
"""
    facts = read("\x1b[2J/MLmodel", hostile)
    told = [*facts.lineage, *facts.parameters, *(facts.signature or ())]
    assert is_clean(told)
    assert facts.signature == (
        ("input \\x1b[2J", "long"),
        ("input 1", "undeclared"),
        ("input 2", "undeclared"),
    )
    assert facts.environment == ()


@pytest.mark.parametrize(
    ("old", "new", "key", "after"),
    [
        (b'{"type": "float", "name": "alcohol"', b'{"type": "long", "name": "alcohol"',
         "input alcohol", "long"),
        (b'"name": "alcohol", "required": true', b'"name": "alcohol", "required": false',
         "input alcohol", "float, optional"),
        (b'"shape": [-1]', b'"shape": [-1, 3]', "output 0", "tensor int64 [-1, 3]"),
        (b"params: null", b"""params: '[{"name": "t", "type": "double", "default": 0.5}]'""",
         "param t", "double = 0.5"),
    ],
)  # fmt: skip
def test_a_changed_signature_shows(
    real: bytes, old: bytes, new: bytes, key: str, after: str
) -> None:
    rows = differing(*changed(PATH, real, old, new), "signature")
    assert {name: row.b for name, row in rows.items()} == {key: after}


def test_a_changed_default_of_a_parameter_shows(real: bytes) -> None:
    with_default = real.replace(
        b"params: null", b"""params: '[{"name": "t", "type": "double", "default": 0.5}]'"""
    )
    rows = differing(*changed(PATH, with_default, b"0.5", b"0.9"), "signature")
    assert (rows["param t"].a, rows["param t"].b) == ("double = 0.5", "double = 0.9")


def test_a_changed_python_and_flavor_show(real: bytes) -> None:
    rows = differing(
        *changed(PATH, real, b"python_version: 3.11.7", b"python_version: 3.10"), "environment"
    )
    assert {name: (row.a, row.b) for name, row in rows.items()} == {
        "python version": ("3.11.7", "3.10")
    }
    rows = differing(
        *changed(PATH, real, b"sklearn_version: 1.9.1", b"sklearn_version: 1.10"), "lineage"
    )
    assert rows["mlflow flavor sklearn"].b == (
        "serialization_format cloudpickle, sklearn_version 1.10"
    )


def test_a_registered_name_is_read() -> None:
    path = "model/registered_model_meta"
    (item,) = read_registration(path, b"model_name: wine\nmodel_version: '7'\n").lineage
    assert (item.name, item.value, item.source) == ("registered model", "wine version 7", path)
    assert read_registration(path, load_all_files("facts-mlflow:v1.0.0")[path]).lineage == ()
    assert read_registration(path, b"[").missing != ()
    rows = differing({path: b"model_name: a"}, {path: b"model_name: b"}, "lineage")
    assert (rows["registered model"].a, rows["registered model"].b) == ("a", "b")

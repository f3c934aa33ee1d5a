"""Tags of an interpreter that does not run here."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.tags import sys_tags

from rolldeck.actions.interpreter import read_interpreter
from rolldeck.fit import Interpreter
from rolldeck.fit.wheel_tags import wheel_tags
from tests.fit.readings import a_host


def python(name: str) -> Interpreter:
    """Return the interpreter of a recorded reading."""
    found = a_host(name).python
    assert found is not None
    return found


def test_tags_of_the_running_interpreter_are_those_that_packaging_finds() -> None:
    """The reading tells enough; nothing is asked of the interpreter twice."""
    found = wheel_tags(read_interpreter(Path(sys.executable)))
    assert {str(tag) for tag in sys_tags()} == {str(tag) for tag in found}


@pytest.mark.parametrize(
    ("name", "has", "lacks"),
    [
        ("no-gpu", "cp311-cp311-manylinux_2_36_x86_64", "cp311-cp311-manylinux_2_37_x86_64"),
        ("no-gpu", "cp311-cp311-manylinux1_x86_64", "cp311-cp311-musllinux_1_2_x86_64"),
        ("no-gpu", "cp38-abi3-manylinux2014_x86_64", "cp312-abi3-manylinux2014_x86_64"),
        ("no-gpu", "py3-none-any", "cp310-cp310-manylinux_2_17_x86_64"),
        ("musl", "cp312-cp312-musllinux_1_2_x86_64", "cp312-cp312-manylinux_2_17_x86_64"),
        ("musl", "cp312-cp312-musllinux_1_0_x86_64", "cp312-cp312-musllinux_1_3_x86_64"),
        ("macos-arm64", "cp313-cp313-macosx_11_0_arm64", "cp313-cp313-macosx_10_9_x86_64"),
        ("macos-arm64", "cp313-cp313-macosx_15_0_universal2", "cp313-cp313-macosx_16_0_arm64"),
        ("linux-arm64", "cp311-cp311-manylinux2014_aarch64", "cp311-cp311-manylinux2014_x86_64"),
    ],
)
def test_tags_of_recorded_interpreters(name: str, has: str, lacks: str) -> None:
    """One wheel that installs and one that does not."""
    tags = {str(tag) for tag in wheel_tags(python(name))}
    assert has in tags
    assert lacks not in tags


def test_a_free_threaded_interpreter_takes_no_stable_abi() -> None:
    """Its own ABI has a name of its own."""
    tags = {str(tag) for tag in wheel_tags(replace(python("macos-arm64"), abi="cp313t"))}
    assert "cp313-cp313t-macosx_11_0_arm64" in tags
    assert "cp313-cp313-macosx_11_0_arm64" not in tags
    assert "cp313-abi3-macosx_11_0_arm64" not in tags


def test_pypy_and_a_32_bit_interpreter() -> None:
    """Neither takes what CPython on 64 bits does."""
    pypy = replace(python("no-gpu"), implementation="pypy", abi="pypy310_pp73", version="3.10.14")
    tags = {str(tag) for tag in wheel_tags(pypy)}
    assert "pp310-pypy310_pp73-manylinux_2_17_x86_64" in tags
    assert "cp310-cp310-manylinux_2_17_x86_64" not in tags
    narrow = {str(tag) for tag in wheel_tags(replace(python("no-gpu"), bits=32))}
    assert "cp311-cp311-manylinux_2_17_i686" in narrow
    assert "cp311-cp311-manylinux_2_17_x86_64" not in narrow

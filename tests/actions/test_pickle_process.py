"""Pickles read as instructions: what they tell, what they cost, and that nothing of them runs."""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from rolldeck.actions.pickle_process import read_pickle
from rolldeck.facts.pickles import Pickle
from rolldeck.progress import Progress
from tests.facts.kits import is_clean
from tests.golden_kits import load_all_files


class Canary:
    """Makes a file when it is loaded."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.place), "w")


def read(data: bytes, name: str = "m.pkl") -> Pickle:
    """Read bytes at hand."""
    return read_pickle(name, len(data), [data], Progress())


def golden(version: str, name: str) -> bytes:
    """Return a file that a real library wrote."""
    return load_all_files(version)[name]


def test_joblib_of_scikit_learn_is_read_behind_its_arrays() -> None:
    """joblib wrote it; its version and what comes after arrays are there."""
    found = read(golden("wdbc:v1.2.0", "model/model.joblib"))
    assert (found.format, found.protocol, found.notice) == ("joblib", 4, "")
    assert found.imports[0] == "sklearn.ensemble._forest.RandomForestClassifier"
    assert found.imports[-1] == "sklearn.tree._tree.Tree"
    assert ("scikit-learn", "1.9.1") in found.libraries
    assert found.outside == ()


def test_a_pickle_of_scikit_learn_is_read() -> None:
    """MLflow wrote it."""
    found = read(golden("facts-mlflow:v1.0.0", "model/model.pkl"))
    assert (found.format, found.protocol, found.notice) == ("pickle", 4, "")
    assert "sklearn.tree._classes.DecisionTreeClassifier" in found.imports
    assert ("scikit-learn", "1.9.1") in found.libraries


def test_another_library_version_shows() -> None:
    """A mutated file tells of its mutation."""
    data = golden("facts-mlflow:v1.0.0", "model/model.pkl").replace(b"1.9.1", b"1.9.2")
    assert ("scikit-learn", "1.9.2") in read(data).libraries


@pytest.mark.parametrize(
    ("packing", "pack"),
    [("zlib", zlib.compress), ("gzip", gzip.compress), ("bz2", bz2.compress),
     ("xz", lzma.compress), ("lzma", lambda data: lzma.compress(data, lzma.FORMAT_ALONE))],
)  # fmt: skip
def test_compressed_ones_are_read(packing: str, pack: Callable[[bytes], bytes]) -> None:
    """As joblib compresses, by what the standard library has."""
    plain = golden("wdbc:v2.0.0", "model/model.joblib")
    found = read(pack(plain), "m.joblib")
    assert found.packing == packing
    assert found.imports == read(plain).imports


def test_what_cannot_be_unpacked_is_said() -> None:
    found = read(b"\x04\x22\x4d\x18" + bytes(64), "m.joblib.lz4")
    assert "lz4" in found.notice
    assert found.imports == ()


def test_a_pickle_of_pytorch_is_read() -> None:
    """Synthetic: an archive whose first member is the pickle, as PyTorch writes it."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("m/data.pkl", b"\x80\x02ccollections\nOrderedDict\n)R.")
        archive.writestr("m/data/0", bytes(4096))
    found = read(out.getvalue(), "m.pt")
    assert (found.format, found.imports) == ("torch", ("collections.OrderedDict",))


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_is_run(tmp_path: Path, protocol: int) -> None:
    """Loading makes a file, reading does not; what would be called is listed."""
    canary = tmp_path / "canary"
    data = pickle.dumps([Canary(canary)], protocol)
    found = read(data)
    assert not canary.exists()
    assert found.outside in (("io.open",), ("_io.open",))
    assert "1 outside known ML packages" in found.brief
    pickle.loads(data)
    assert canary.exists()


def test_a_payload_behind_an_array_and_compressed_is_listed() -> None:
    """Where scanners stop."""
    plain = golden("wdbc:v2.0.0", "model/model.joblib")
    assert plain.endswith(b".")
    found = read(zlib.compress(plain[:-1] + b"cos\nsystem\n."), "m.joblib")
    assert found.outside[-1:] == ("os.system",)


def opcode(code: bytes, count: int) -> bytes:
    return b"\x80\x04" + code * count + b"."


HOSTILE = {
    "zlib bomb": zlib.compress(bytes(2**28), 9),
    "flood of instructions": opcode(b"N0", 6_000_000),
    "deep stack": opcode(b"(", 3_000_000),
    "memo of nothing": opcode(b"\x94", 10),
    "flood of memo": b"\x80\x04N" + b"\x94" * 3_000_000 + b".",
    "long line": b"I" + b"1" * 10_000_000 + b"\n.",
    "huge number": b"\x80\x04\x8b\xff\xff\xff\x7f" + bytes(100),
    "huge text": b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"x" * 100,
    "cut short": b"\x80\x04\x95\xff",
    "no pickle": b"hello, world",
    "empty": b"",
    "array without end": (
        b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(\x8c\x05shape\x8a\x05"
        b"\xff\xff\xff\xff\x7f\x85\x8c\x05dtypecnumpy\ndtype\n(\x8c\x02f8tRub"
    ),
    "arrays in arrays": (
        b"\x80\x04cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(\x8c\x05shapeK\x01\x85"
        b"\x8c\x05dtypecnumpy\ndtype\n(\x8c\x02O8tRub"
    )
    * 1000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_ones_end_within_the_limits(name: str) -> None:
    """The process ends by itself and says why; nothing is claimed of what it did not read."""
    found = read(HOSTILE[name])
    assert found.notice
    assert found.notice != "it could not be read within the limits"
    assert is_clean(found)


def test_what_grows_when_it_is_loaded_costs_nothing_here() -> None:
    """Values are followed, never made: 256 MiB of bytes, and a tuple of 2 ** 500,000 items."""
    body = b"\x80\x04\x8e" + struct.pack("<Q", 2**28) + bytes(2**28) + b"cos\nsystem\n."
    assert read(zlib.compress(body, 9)).imports == ("os.system",)
    tuples = b"\x80\x04)" + b"2\x86" * 500_000 + b"cos\nsystem\n."
    assert read(tuples).imports == ("os.system",)


def test_damaged_files_are_read_as_far_as_it_goes() -> None:
    """Cut or flipped anywhere."""
    data, chance = golden("wdbc:v1.0.0", "model/model.joblib"), random.Random(11)
    for _ in range(24):
        changed = bytearray(data)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        found = read(bytes(changed[: chance.randrange(1, len(changed))]))
        assert found.notice != "it could not be read within the limits"
        assert is_clean(found)


def test_a_part_of_a_file_is_said_to_be_one() -> None:
    data = golden("wdbc:v1.2.0", "model/model.joblib")
    found = read_pickle("m.joblib", len(data), [data[:4096]], Progress())
    assert found.notice == "only the first 4.0 KiB were read"
    assert found.imports[0] == "sklearn.ensemble._forest.RandomForestClassifier"

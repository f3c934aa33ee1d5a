"""Tensors beside each other: what the golden pairs say, and how many rows that takes."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping

import pytest

from rolldeck.compare import Row, Version, compare
from rolldeck.compare.tensors import MOST_ROWS, shape_of, tensor_rows
from rolldeck.facts import Facts, collect
from rolldeck.facts.pickles import Pickle
from tests.compare.rows import changed, compared, equal
from tests.facts.kits import is_clean, make_kit
from tests.golden_kits import facts_pair

Tensors = Mapping[str, tuple[str, list[int]]]


def weights(tensors: Tensors, **metadata: str) -> bytes:
    """Return a safetensors file (synthetic: as its format is described) of empty tensors."""
    items: dict[str, object] = {
        name: {"dtype": dtype, "shape": shape, "data_offsets": [0, 0]}
        for name, (dtype, shape) in tensors.items()
    }
    if metadata:
        items["__metadata__"] = metadata
    head = json.dumps(items).encode()
    return struct.pack("<Q", len(head)) + head


def facts(**files: bytes) -> Facts:
    """Return the facts of files, ``__`` in whose names stands for a dot."""
    return collect(make_kit(None), {name.replace("__", "."): data for name, data in files.items()})


def rows(a: Facts, b: Facts) -> dict[str, Row]:
    """Return all rows by key, which is unique."""
    found = tensor_rows(a, b)
    keyed = {row.key: row for row in found}
    assert len(keyed) == len(found)
    return keyed


def test_safetensors_of_the_golden_pair() -> None:
    golden = facts_pair("facts-hf:v1", "facts-hf:v2")
    comparison = compared("facts-hf:v1", "facts-hf:v2")
    differing = changed(comparison, "tensors")
    added = differing["layers.2.weight"]
    head = differing["head.weight"]
    assert golden["tensors_changed"]["layers.2.weight"] == f"{added.status}, {added.b}"
    assert (head.a, head.b) == ("F32 3x8", "F16 3x8")
    assert set(golden["tensors_equal"]) <= set(equal(comparison, "tensors"))
    assert not set(golden["tensors_equal"]) & set(differing)


def test_onnx_and_gguf_of_the_golden_pair() -> None:
    golden = facts_pair("facts-tensors:v1", "facts-tensors:v2")
    found = changed(compared("facts-tensors:v1", "facts-tensors:v2"), "tensors")
    for key, name in (("opset", "opset"), ("metadata commit", "metadata commit")):
        assert [found[name].a, found[name].b] == golden["onnx"][key]
    assert [found["W"].a, found["W"].b] == golden["onnx"]["initializer W"]
    for key in ("llama.context_length", "llama.block_count"):
        assert [found[key].a, found[key].b] == golden["gguf"][key]
    assert (found["blk.0.attn_q.weight"].a, found["blk.0.attn_q.weight"].b) == (
        "F32 4x32",
        "F16 6x32",
    )


def test_onnx_declares_a_signature() -> None:
    """Its inputs and outputs; initializers are none."""
    found = changed(compared("facts-tensors:v1", "facts-tensors:v2"), "signature")
    row = found["input x"]
    assert (row.a, row.b, row.note) == ("tensor F32 [N, 4]", "tensor F32 [N, 6]", "breaks callers")


def test_another_architecture_stands_in_the_signature() -> None:
    sides = [
        Version(label, label, make_kit(None, {"side": label}), facts(config__json=text.encode()))
        for label, text in (
            ("a", '{"architectures": ["Bert"], "model_type": "bert"}'),
            ("b", '{"architectures": ["Llama"], "model_type": "llama"}'),
        )
    ]
    comparison = compare(*sides)
    found = changed(comparison, "signature")
    assert (found["architecture"].a, found["architecture"].b) == ("Bert", "Llama")
    assert comparison.summary == "no metrics · architecture Bert → Llama moved"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"w": ("F32", [2, 2])}, {"w": ("F32", [2, 2]), "v": ("F32", [2])}, "tensors added"),
        ({"w": ("F32", [2, 2]), "v": ("F32", [2])}, {"w": ("F32", [2, 2])}, "tensors removed"),
        ({"w": ("F32", [2, 2])}, {"w": ("F32", [2, 3])}, "tensors reshaped"),
        ({"w": ("F32", [2, 2])}, {"w": ("F16", [2, 2])}, "tensors retyped"),
        ({"w": ("F32", [2]), "v": ("F32", [2])}, {"w": ("F16", [2]), "v": ("F32", [3])},
         "tensors reshaped, retyped"),
    ],
)  # fmt: skip
def test_the_summary_tells_how_tensors_moved(before: Tensors, after: Tensors, said: str) -> None:
    """Weights of other shapes are another thing than weights that were trained again."""
    sides = [
        Version(label, label, make_kit(None, {"side": label}), facts(m__safetensors=weights(held)))
        for label, held in (("a", before), ("b", after))
    ]
    assert f"weights ({said})" in compare(*sides).summary


@pytest.mark.parametrize(
    ("cell", "shape"),
    [("F32 8x8", "8x8"), ("F8_E4M3 4096x4096", "4096x4096"), ("Q4_K 32", "32"), ("IQ2_XXS 8", "8"),
     ("BOOL scalar", "scalar"), ("type 99 4x2", "4x2"), ("Llama 3", None), ("GPT 2", None),
     ("pt", None), (None, None), (18, None)],
)  # fmt: skip
def test_metadata_are_no_tensors(cell: str | int | None, shape: str | None) -> None:
    """Else another name of a model would be another architecture."""
    assert shape_of(cell) == shape


def test_tensors_that_were_perhaps_not_read_move_nothing_in_the_summary() -> None:
    """Half a header proves no difference."""
    whole = weights({"w": ("F32", [2]), "v": ("F32", [2])})
    sides = [
        Version(label, label, make_kit(None, {"side": label}), facts(m__safetensors=data))
        for label, data in (("a", whole), ("b", b"\xff" * 40))
    ]
    assert "tensors" not in compare(*sides).summary


def test_thousands_of_tensors_take_a_row_per_pattern() -> None:
    """32 layers became half as precise, 8 more came."""

    def model(layers: int, dtype: str) -> Tensors:
        return {
            f"model.layers.{number}.experts.{expert}.{part}.weight": (dtype, [4, 4])
            for number in range(layers)
            for expert in range(8)
            for part in ("w1", "w2", "w3")
        }

    found = rows(
        facts(m__safetensors=weights(model(32, "F32"))),
        facts(m__safetensors=weights(model(40, "F16"))),
    )
    row = found["model.layers.{0-31}.experts.{0-7}.w1.weight"]
    assert (row.status, row.a, row.b, row.note) == ("changed", "F32 4x4", "F16 4x4", "256 tensors")
    row = found["model.layers.{32-39}.experts.{0-7}.w1.weight"]
    assert (row.status, row.note) == ("added", "64 tensors")
    assert found["tensor count"].delta == 8 * 8 * 3
    assert len(found) < 16


def test_names_without_a_pattern_are_cut() -> None:
    """And how many are left out is said."""
    names = {f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}x{chr(97 + n // 676)}" for n in range(900)}
    found = rows(
        facts(m__safetensors=weights({})),
        facts(m__safetensors=weights({name: ("F32", [1]) for name in names})),
    )
    assert len(found) <= MOST_ROWS + 8
    assert f"{900 - MOST_ROWS + 1} more tensors" in found


def test_shards_are_one_model() -> None:
    """However they are cut; a missing one is said, and nothing is called removed for it."""
    one, two = {"a": ("F32", [2])}, {"b": ("F32", [3])}
    index = json.dumps({"metadata": {"total_size": 20}, "weight_map": {"a": "", "b": ""}}).encode()
    shards = {
        "model-00001-of-00002.safetensors": weights(one),
        "model-00002-of-00002.safetensors": weights(two),
        "model.safetensors.index.json": index,
    }
    whole = collect(make_kit(None), shards)
    single = facts(model__safetensors=weights({**one, **two}))
    assert whole.weights[0].parameters == single.weights[0].parameters == 5
    assert {key for key, row in rows(single, whole).items() if row.status != "equal"} <= {
        "files",
        "metadata total_size",
    }
    del shards["model-00002-of-00002.safetensors"]
    part = collect(make_kit(None), shards)
    assert "1 of 2 files were read" in part.weights[0].notice
    assert part.weights[0].parameters is None
    row = rows(whole, part)["b"]
    assert (row.status, row.verdict) == ("removed", "unknown")


def test_a_damaged_header_is_unknown_not_equal() -> None:
    """Neither side's tensors are called the same."""
    good = facts(m__safetensors=weights({"a": ("F32", [1])}))
    bad = facts(m__safetensors=b"\xff" * 64)
    found = rows(good, bad)
    assert (found["header"].verdict, found["a"].verdict) == ("unknown", "unknown")
    assert any("malformed" in text for text in bad.missing)


def test_hostile_names_are_clean_and_keys_unique() -> None:
    names = ("[/]\x1b]52;c;aGk=\x07", "[/]\u202e", "tensor count")
    hostile: Tensors = {name: ("F32", [1]) for name in names}
    one = facts(m__safetensors=weights(hostile, **{"x\x1b": "y\x07"}))
    two = facts(m__safetensors=weights({}))
    assert is_clean(one)
    assert "tensor count (2)" in rows(one, two)


@pytest.mark.parametrize("swapped", [False, True])
def test_several_files_are_told_apart(swapped: bool) -> None:
    """By path where a name stands in both."""
    small, half = weights({"w": ("F32", [1])}), weights({"w": ("F16", [1])})
    a = facts(x__safetensors=small, y__safetensors=half)
    b = facts(x__safetensors=weights({"w": ("F32", [2])}))
    found = rows(b, a) if swapped else rows(a, b)
    assert found["x.safetensors w"].status == "changed"
    assert found["weights y.safetensors"].status == ("added" if swapped else "removed")


def test_pickles_show_what_they_import() -> None:
    """Another class is another import; a part of a file leaves it open."""
    libraries = (("scikit-learn", "1.8"),), (("scikit-learn", "1.9"),)
    one = Pickle("m.pkl", "pickle", 4, ("sklearn.svm.SVC",), libraries[0])
    two = Pickle("m.pkl", "pickle", 5, ("os.system",), libraries[1])
    found = rows(Facts(pickles=(one,)), Facts(pickles=(two,)))
    assert found["m.pkl imports os.system"].status == "added"
    assert (found["m.pkl scikit-learn"].a, found["m.pkl scikit-learn"].b) == ("1.8", "1.9")
    assert found["m.pkl protocol"].delta == 1
    cut = Pickle("m.pkl", protocol=4, notice="only the first 64.0 KiB were read")
    found = rows(Facts(pickles=(one,)), Facts(pickles=(cut,)))
    assert found["m.pkl imports sklearn.svm.SVC"].verdict == "unknown"

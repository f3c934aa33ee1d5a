"""Headers of weights: files written by the real libraries, and hostile ones."""

from __future__ import annotations

import json
import random
import struct
import tracemalloc
from collections.abc import Callable

import pytest

from rolldeck.facts.tensors import (
    MalformedHeaderError,
    Tensor,
    TensorHeader,
    read_tensor_header,
)
from tests.golden_kits import layer_files, load_kit

GOLDEN = (
    *(
        ("facts-tensors", tag, name)
        for tag in ("v1", "v2")
        for name in ("model.onnx", "model.gguf")
    ),
    *(("facts-hf", tag, "model.safetensors") for tag in ("v1", "v2")),
)


def golden(repository: str, tag: str, name: str) -> bytes:
    """Return a file that a real library wrote."""
    version = f"{repository}:{tag}"
    return next(
        data
        for layer in load_kit(version).layers
        for path, data in layer_files(version, layer).items()
        if path.endswith(name)
    )


def read(name: str, data: bytes, size: int | None = None, **more: int) -> TensorHeader:
    """Read the header of bytes at hand."""
    found = read_tensor_header(
        name, lambda offset, count: data[offset : offset + count], size or len(data), **more
    )
    assert found is not None
    return found


def tensors(header: TensorHeader) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {tensor.name: (tensor.dtype, tensor.shape) for tensor in header.tensors}


def test_safetensors_of_the_real_library() -> None:
    """Names, types, shapes, metadata, and how many numbers in all."""
    old = read("m.safetensors", golden("facts-hf", "v1", "model.safetensors"))
    new = read("m.safetensors", golden("facts-hf", "v2", "model.safetensors"))
    assert tensors(old)["head.weight"] == ("F32", (3, 8))
    assert tensors(new)["head.weight"] == ("F16", (3, 8))
    assert tensors(new)["layers.2.weight"] == ("F32", (8, 8))
    assert "layers.2.weight" not in tensors(old)
    assert tensors(old)["layers.0.weight"] == tensors(new)["layers.0.weight"]
    assert old.metadata == {"format": "pt"}
    assert (old.parameters, new.parameters) == (24 + 128, 24 + 192)


def test_gguf_of_the_real_library() -> None:
    """Metadata first, then the tensors, their outermost dimension first."""
    old = read("m.gguf", golden("facts-tensors", "v1", "model.gguf"))
    new = read("m.gguf", golden("facts-tensors", "v2", "model.gguf"))
    assert old.metadata["general.architecture"] == "llama"
    assert [item.metadata["llama.context_length"] for item in (old, new)] == ["128", "256"]
    assert [item.metadata["llama.block_count"] for item in (old, new)] == ["4", "6"]
    assert tensors(old) == {"blk.0.attn_q.weight": ("F32", (4, 32))}
    assert tensors(new) == {"blk.0.attn_q.weight": ("F16", (6, 32))}
    assert old.parameters == 128


def test_onnx_of_the_real_library() -> None:
    """The model's own fields and its initializers."""
    old = read("m.onnx", golden("facts-tensors", "v1", "model.onnx"))
    new = read("m.onnx", golden("facts-tensors", "v2", "model.onnx"))
    assert [item.metadata["opset"] for item in (old, new)] == ["18", "19"]
    assert [item.metadata["commit"] for item in (old, new)] == ["c1", "c2"]
    assert [tensors(item) for item in (old, new)] == [
        {"W": ("F32", (4, 2))},
        {"W": ("F32", (6, 2))},
    ]


def test_gguf_is_told_by_its_first_bytes_others_by_their_names() -> None:
    """What is neither has no header."""
    data = golden("facts-tensors", "v1", "model.gguf")
    assert read("blob", data).format == "GGUF"
    assert read_tensor_header("a.bin", lambda offset, size: b"\0" * size, 100) is None


def test_weights_are_not_read() -> None:
    """A header before 10 GB costs its own bytes."""
    names = {f"layer.{n}": (n * 10, n * 10 + 10) for n in range(20)}
    data = safetensors(
        {
            name: {"dtype": "U8", "shape": [10], "data_offsets": [start, end]}
            for name, (start, end) in names.items()
        }
    )
    asked: list[tuple[int, int]] = []

    def read_at(offset: int, size: int) -> bytes:
        asked.append((offset, size))
        return data[offset : offset + size]

    found = read_tensor_header("x.safetensors", read_at, len(data) + 10 * 1000**3)
    assert found is not None
    assert found.parameters == 200
    assert sum(size for _, size in asked) < len(data) + 16


def test_a_graph_of_any_size_is_stepped_over() -> None:
    """Initializers are found between bodies that are not read."""
    weights = bytes(500_000)
    graph = b"".join(
        field(
            5, varint_field(1, 7) + varint_field(2, 10) + field(8, b"w%d" % n) + field(9, weights)
        )
        for n in range(3)
    )
    data = varint_field(1, 9) + field(7, graph) + field(14, field(1, b"k") + field(2, b"v"))
    count = 0

    def read_at(offset: int, size: int) -> bytes:
        nonlocal count
        count += size
        return data[offset : offset + size]

    found = read_tensor_header("x.onnx", read_at, len(data))
    assert found is not None
    assert tensors(found) == {f"w{n}": ("F16", (7,)) for n in range(3)}
    assert found.metadata["k"] == "v"
    assert count < 16 * 1024


def test_a_long_vocabulary_ends_the_look_at_gguf() -> None:
    """What stands before it is known, and that something is missing is said."""
    words = b"".join(text(b"word%d" % n) for n in range(100_000))
    many = text(b"tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 100_000) + words
    data = gguf(1, [pair(b"general.name", b"big"), many], tensor(b"w", [2, 3]))
    found = read("m.gguf", data)
    assert found.metadata == {"general.name": "big"}
    assert found.tensors == ()
    assert found.notice == "stopped after 1.0 MiB of its header; it has 1 tensors"
    assert found.parameters is None
    assert read("m.gguf", data, limit=4_000_000).tensors == (Tensor("w", (3, 2), "F16"),)


def test_long_lists_of_numbers_are_stepped_over() -> None:
    """Their length is known beforehand."""
    scores = text(b"scores") + struct.pack("<IIQ", 9, 6, 2_000_000) + bytes(8_000_000)
    short = text(b"dims") + struct.pack("<IIQII", 9, 4, 2, 5, 6)
    found = read("m.gguf", gguf(1, [scores, short], tensor(b"w", [1])))
    assert found.metadata == {"scores": "2000000 items", "dims": "5, 6"}
    assert len(found.tensors) == 1


def test_names_are_cleaned() -> None:
    """Nothing in a header can reach the terminal."""
    data = safetensors({"a\x1b[31m": {"dtype": "F32", "shape": [], "data_offsets": [0, 0]}})
    assert read("x.safetensors", data).tensors[0].name == "a\\x1b[31m"


# Hostile files.


def safetensors(document: object) -> bytes:
    data = json.dumps(document).encode()
    return struct.pack("<Q", len(data)) + data + bytes(1000)


def text(data: bytes) -> bytes:
    return struct.pack("<Q", len(data)) + data


def pair(key: bytes, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", 8) + text(value)


def tensor(name: bytes, dimensions: list[int], kind: int = 1) -> bytes:
    shape = struct.pack(f"<I{len(dimensions)}Q", len(dimensions), *dimensions)
    return text(name) + shape + struct.pack("<IQ", kind, 0)


def gguf(count: int, metadata: list[bytes], rest: bytes = b"", version: int = 3) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", version, count, len(metadata))
    return head + b"".join(metadata) + rest


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint_field(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def entry(**more: object) -> dict[str, object]:
    return {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **more}}


HUGE = 2**64 - 1

HOSTILE: dict[str, tuple[str, bytes]] = {
    "safetensors: absurd length": ("safetensors", struct.pack("<Q", HUGE) + b"{}"),
    "safetensors: length beyond the file": ("safetensors", struct.pack("<Q", 5000) + b"{}"),
    "safetensors: shorter than its length": ("safetensors", b"\x05\0\0"),
    "safetensors: empty": ("safetensors", b""),
    "safetensors: a pickle": ("safetensors", b"\x80\x04cos\nsystem\n" + bytes(100)),
    "safetensors: no JSON": ("safetensors", struct.pack("<Q", 5) + b"hello" + bytes(9)),
    "safetensors: a list": ("safetensors", safetensors([])),
    "safetensors: nested": ("safetensors", struct.pack("<Q", 99_999) + b"[" * 100_000),
    "safetensors: no tensor": ("safetensors", safetensors({"w": 3})),
    "safetensors: shape of text": ("safetensors", safetensors(entry(shape=["x"]))),
    "safetensors: shape of truth": ("safetensors", safetensors(entry(shape=[True]))),
    "safetensors: negative shape": ("safetensors", safetensors(entry(shape=[-1]))),
    "safetensors: huge shape": ("safetensors", safetensors(entry(shape=[2**62, 2**62]))),
    "safetensors: too many dimensions": ("safetensors", safetensors(entry(shape=[1] * 65))),
    "safetensors: outside": ("safetensors", safetensors(entry(data_offsets=[0, 10**9]))),
    "safetensors: backwards": ("safetensors", safetensors(entry(data_offsets=[8, 0]))),
    "safetensors: long number": (
        "safetensors",
        struct.pack("<Q", 5000) + (b'{"w":' + b"9" * 4994 + b"}"),
    ),
    "safetensors: metadata is a list": ("safetensors", safetensors({"__metadata__": []})),
    "gguf: other magic": ("gguf", b"GGML" + bytes(100)),
    "gguf: version 1": ("gguf", gguf(0, [], version=1)),
    "gguf: big endian": ("gguf", gguf(0, [], version=3 << 24)),
    "gguf: absurd tensors": ("gguf", b"GGUF" + struct.pack("<IQQ", 3, HUGE, 0) + bytes(99)),
    "gguf: absurd metadata": ("gguf", b"GGUF" + struct.pack("<IQQ", 3, 0, HUGE) + bytes(99)),
    "gguf: cut short": ("gguf", gguf(1, [pair(b"k", b"v")], tensor(b"w", [2]))[:-9]),
    "gguf: long key": ("gguf", gguf(0, [struct.pack("<Q", 2**40)]) + bytes(999)),
    "gguf: long value": ("gguf", gguf(0, [text(b"k") + struct.pack("<IQ", 8, HUGE)]) + bytes(99)),
    "gguf: unknown type": ("gguf", gguf(0, [text(b"k") + struct.pack("<I", 99)]) + bytes(99)),
    "gguf: list of lists": (
        "gguf",
        gguf(0, [text(b"k") + struct.pack("<IIQ", 9, 9, 5)]) + bytes(9),
    ),
    "gguf: absurd list": (
        "gguf",
        gguf(0, [text(b"k") + struct.pack("<IIQ", 9, 6, HUGE)]) + bytes(9),
    ),
    "gguf: absurd texts": ("gguf", gguf(0, [text(b"k") + struct.pack("<IIQ", 9, 8, HUGE)])),
    "gguf: dimensions": (
        "gguf",
        gguf(1, [], text(b"w") + struct.pack("<I", 2**32 - 1)) + bytes(99),
    ),
    "gguf: huge shape": ("gguf", gguf(1, [], tensor(b"w", [2**62, 2**62]))),
    "onnx: text": ("onnx", b"hello world, this is no model"),
    "onnx: empty": ("onnx", b""),
    "onnx: zeros": ("onnx", bytes(100)),
    "onnx: endless number": ("onnx", b"\xff" * 100),
    "onnx: beyond the end": ("onnx", varint_field(1, 8) + varint(7 << 3 | 2) + varint(2**60)),
    "onnx: group": ("onnx", varint(3 << 3 | 3) + bytes(9)),
    "onnx: two graphs": ("onnx", varint_field(1, 8) + field(7, b"") + field(7, b"")),
    "onnx: inside goes outside": (
        "onnx",
        varint_field(1, 8) + field(7, varint(5 << 3 | 2) + varint(500)) + bytes(600),
    ),
    "onnx: many dimensions": (
        "onnx",
        varint_field(1, 8) + field(7, field(5, field(1, bytes(100_000)))),
    ),
    "onnx: huge shape": (
        "onnx",
        varint_field(1, 8) + field(7, field(5, varint_field(1, 2**62) * 2)),
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_headers_are_malformed(name: str) -> None:
    """Only our error, and memory stays flat whatever the numbers say."""
    suffix, data = HOSTILE[name]
    tracemalloc.start()
    try:
        with pytest.raises(MalformedHeaderError):
            read(f"x.{suffix}", data)
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_json_header_over_the_limit_is_not_read() -> None:
    """It is told of instead."""
    data = safetensors({f"tensor-{n}": n for n in range(100_000)})
    found = read("x.safetensors", data)
    assert found.notice == "its header of 2.2 MiB was not read"
    assert found.parameters is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: gguf(0, [text(b"k") + struct.pack("<IIQ", 9, 8, 2**40) + bytes(3 * 1024 * 1024)]),
        lambda: varint_field(1, 8) + field(7, field(1, bytes(4096)) * 2000),
    ],
    ids=["gguf", "onnx"],
)
def test_endless_structures_end_at_the_limit(make: Callable[[], bytes]) -> None:
    """Jumps count like bytes."""
    data = make()
    count = 0

    def read_at(offset: int, size: int) -> bytes:
        nonlocal count
        count += size
        return data[offset : offset + size]

    suffix = "gguf" if data.startswith(b"GGUF") else "onnx"
    found = read_tensor_header(f"x.{suffix}", read_at, 2**50 if suffix == "gguf" else len(data))
    assert found is not None
    assert "stopped after 1.0 MiB" in found.notice
    assert count <= 1024 * 1024 + 4096


@pytest.mark.parametrize("where", GOLDEN, ids="-".join)
def test_flipped_bytes_never_raise_anything_else(where: tuple[str, str, str]) -> None:
    """Damaged headers are malformed or read; nothing else happens."""
    data, chance = golden(*where), random.Random(7)
    for _ in range(400):
        changed = bytearray(data)
        for _ in range(chance.choice([1, 1, 2, 8])):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        end = chance.choice([len(changed), chance.randrange(len(changed))])
        try:
            read(where[2], bytes(changed[:end]), end or 1)
        except MalformedHeaderError:
            continue

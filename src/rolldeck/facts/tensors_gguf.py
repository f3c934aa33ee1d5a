"""GGUF 2 and 3: counts, typed metadata, then the tensors (ggml, docs/gguf.md).

The vocabulary of a tokenizer stands in the metadata, before the tensors, and can be megabytes
long: where it goes beyond the limit, the tensors behind it stay unread.
"""

from __future__ import annotations

import struct

from rolldeck.facts.byte_cursor import Budget, Cursor, OverBudgetError
from rolldeck.facts.tensors import (
    MOST_DIMENSIONS,
    MalformedHeaderError,
    ReadAt,
    Tensor,
    TensorHeader,
    checked_shape,
)
from rolldeck.text import clean_line
from rolldeck.units import human_size

_VERSIONS = (2, 3)
_NAME_LIMIT = 65_535
_SHOWN_TEXT = 2000
_SHOWN_ITEMS = 8
_MOST_METADATA = 4096
_MOST_TENSORS = 65_536

_STRING, _ARRAY = 8, 9
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q"}
_NUMBERS |= {12: "d"}
_SIZES = {kind: struct.calcsize(letter) for kind, letter in _NUMBERS.items()}

# fmt: off
_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1",
    10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS",
    17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S",
    23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M",
    30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
}
# fmt: on


def read_gguf(read_at: ReadAt, size: int, limit: int) -> TensorHeader:
    """Read the header of a GGUF file, at most ``limit`` bytes; raises MalformedHeaderError."""
    cursor = Cursor(read_at, 0, size, Budget(limit))
    if cursor.take(4) != b"GGUF":
        raise MalformedHeaderError("not GGUF: it does not begin like it")
    version = cursor.number(4)
    if version not in _VERSIONS:
        raise MalformedHeaderError(f"GGUF of version {version}, which is not read")
    tensor_count, metadata_count = cursor.number(8), cursor.number(8)
    # Nothing is smaller than its fixed fields, so counts beyond that cannot be.
    if tensor_count * 24 + metadata_count * 13 > size:
        raise MalformedHeaderError("its header counts more than the file can hold")
    metadata: dict[str, str] = {}
    tensors: list[Tensor] = []
    notice = ""
    try:
        for _ in range(metadata_count):
            key = _text(cursor, _NAME_LIMIT)
            value = _value(cursor, cursor.number(4))
            if len(metadata) < _MOST_METADATA:
                metadata[key] = value
        for _ in range(min(tensor_count, _MOST_TENSORS)):
            tensors.append(_tensor(cursor))
    except OverBudgetError:
        notice = f"stopped after {human_size(limit)} of its header"
    if not notice and len(tensors) < tensor_count:
        notice = f"only the first {_MOST_TENSORS} tensors were read"
    if notice:
        notice += f"; it has {tensor_count} tensors"
    return TensorHeader("GGUF", tuple(tensors), metadata, notice)


def _text(cursor: Cursor, limit: int) -> str:
    length = cursor.number(8)
    if length > limit:
        raise MalformedHeaderError("a name in its header is too long")
    return clean_line(cursor.text(length, _SHOWN_TEXT).decode("utf-8", "replace"), 500)


def _value(cursor: Cursor, kind: int) -> str:
    if kind in _NUMBERS:
        return str(struct.unpack("<" + _NUMBERS[kind], cursor.take(_SIZES[kind]))[0])
    if kind == _STRING:
        data = cursor.text(cursor.number(8), _SHOWN_TEXT)
        return clean_line(data.decode("utf-8", "replace"), 500)
    if kind != _ARRAY:
        raise MalformedHeaderError(f"a value of its header has the unknown type {kind}")
    item, count = cursor.number(4), cursor.number(8)
    if item in _NUMBERS and count <= _SHOWN_ITEMS:
        return ", ".join(_value(cursor, item) for _ in range(count))
    if item in _NUMBERS:
        cursor.skip(count * _SIZES[item])
    elif item == _STRING:
        for _ in range(count):
            cursor.skip(cursor.number(8))
    else:
        raise MalformedHeaderError(f"a list of its header has items of the unknown type {item}")
    return f"{count} items"


def _tensor(cursor: Cursor) -> Tensor:
    name = _text(cursor, _NAME_LIMIT)
    dimensions = cursor.number(4)
    if dimensions > MOST_DIMENSIONS:
        raise MalformedHeaderError(f"tensor {name} has no possible shape")
    # GGUF stores the innermost dimension first.
    shape = [cursor.number(8) for _ in range(dimensions)][::-1]
    kind = cursor.number(4)
    cursor.skip(8)
    return Tensor(name, checked_shape(shape, name), _TYPES.get(kind, f"type {kind}"))

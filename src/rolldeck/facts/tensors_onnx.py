"""ONNX: a protocol buffer (onnx.proto3); its graph is walked by lengths, its weights left out.

Read by hand: the library takes 239 ms to import, and would read the whole file.
"""

from __future__ import annotations

from collections.abc import Iterator

from rolldeck.facts.byte_cursor import Budget, Cursor, OverBudgetError
from rolldeck.facts.document import unique
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

_SHOWN_TEXT = 2000
_MOST_METADATA = 4096
_MOST_TENSORS = 65_536
MOST_FIELDS = 4096
"""Most inputs and outputs read."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MODEL_TEXTS = {2: "producer_name", 3: "producer_version", 4: "domain", 6: "doc_string"}
_MODEL_NUMBERS = {1: "ir_version", 5: "model_version"}
_GRAPH, _OPSET, _METADATA = 7, 8, 14
_INITIALIZER, _INPUT, _OUTPUT = 5, 11, 12
_DIMS, _DATA_TYPE, _NAME = 1, 2, 8

# fmt: off
_TYPES = {
    1: "F32", 2: "U8", 3: "I8", 4: "U16", 5: "I16", 6: "I32", 7: "I64", 8: "STRING", 9: "BOOL",
    10: "F16", 11: "F64", 12: "U32", 13: "U64", 14: "C64", 15: "C128", 16: "BF16",
    17: "F8_E4M3FN", 18: "F8_E4M3FNUZ", 19: "F8_E5M2", 20: "F8_E5M2FNUZ", 21: "U4", 22: "I4",
    23: "F4_E2M1",
}
# fmt: on

_OTHER_TYPES = {4: "sequence", 5: "map", 7: "opaque", 9: "optional"}

_Field = tuple[int, int, int]
"""Number, wire type, and the value of a varint or the length of bytes."""

_Declared = tuple[int, str, str]
"""``_INPUT`` or ``_OUTPUT``, name and type."""


def read_onnx(read_at: ReadAt, size: int, limit: int) -> TensorHeader:
    """Read the model's own fields, then its initializers, at most ``limit`` bytes.

    Raises MalformedHeaderError.
    """
    cursor = Cursor(read_at, 0, size, Budget(limit))
    metadata: dict[str, str] = {}
    tensors: list[Tensor] = []
    graphs: list[Cursor] = []
    declared: list[_Declared] = []
    notice = ""
    try:
        for number, wire, value in _fields(cursor):
            if number == _GRAPH and wire == _BYTES:
                graphs.append(cursor.inside(value))
            elif number in _MODEL_NUMBERS and wire == _VARINT:
                metadata[_MODEL_NUMBERS[number]] = str(value)
            elif number in _MODEL_TEXTS and wire == _BYTES:
                metadata[_MODEL_TEXTS[number]] = _text(cursor, value)
            elif number in (_OPSET, _METADATA) and wire == _BYTES:
                key, entry = _pair(cursor.inside(value), number)
                if len(metadata) < _MOST_METADATA:
                    metadata[key] = entry
            else:
                _leave(cursor, wire, value)
        if "ir_version" not in metadata or len(graphs) != 1:
            raise MalformedHeaderError("not ONNX: it has no version or not one graph")
        for tensor in _graph(graphs[0], declared):
            if len(tensors) == _MOST_TENSORS:
                notice = f"only the first {_MOST_TENSORS} tensors were read"
                break
            tensors.append(tensor)
    except OverBudgetError:
        notice = f"stopped after {human_size(limit)} of its structure"
    signature = None if notice else _signature(declared, {tensor.name for tensor in tensors})
    return TensorHeader("ONNX", tuple(tensors), metadata, notice, signature)


def _fields(cursor: Cursor) -> Iterator[_Field]:
    """Yield the fields of a message; whoever takes one leaves the cursor behind its bytes."""
    while cursor.more:
        tag = cursor.varint()
        wire = tag & 7
        if wire not in (_VARINT, _FIXED64, _BYTES, _FIXED32) or not tag >> 3:
            raise MalformedHeaderError("not ONNX: it is no protocol buffer")
        yield tag >> 3, wire, cursor.varint() if wire in (_VARINT, _BYTES) else 0


def _leave(cursor: Cursor, wire: int, value: int) -> None:
    cursor.skip({_BYTES: value, _FIXED64: 8, _FIXED32: 4, _VARINT: 0}[wire])


def _text(cursor: Cursor, size: int) -> str:
    return clean_line(cursor.text(size, _SHOWN_TEXT).decode("utf-8", "replace"), 500)


def _pair(cursor: Cursor, kind: int) -> tuple[str, str]:
    """Return an entry of the metadata, or an operator set with its version."""
    first = second = ""
    for number, wire, value in _fields(cursor):
        if number == 1 and wire == _BYTES:
            first = _text(cursor, value)
        elif number == 2 and wire == _BYTES:
            second = _text(cursor, value)
        elif number == 2 and wire == _VARINT:
            second = str(value)
        else:
            _leave(cursor, wire, value)
    if kind == _OPSET:
        return f"opset {first}".strip(), second
    return first, second


def _graph(graph: Cursor, declared: list[_Declared]) -> Iterator[Tensor]:
    """Yield the initializers; inputs and outputs on the way are added to ``declared``."""
    for number, wire, value in _fields(graph):
        if number == _INITIALIZER and wire == _BYTES:
            yield _tensor(graph.inside(value))
        elif number in (_INPUT, _OUTPUT) and wire == _BYTES and len(declared) < MOST_FIELDS:
            declared.append((number, *_value_info(graph.inside(value))))
        else:
            _leave(graph, wire, value)


def _signature(
    declared: list[_Declared], initializers: set[str]
) -> tuple[tuple[str, str], ...] | None:
    """Return inputs and outputs; up to IR version 3 initializers stand among the inputs."""
    if not declared:
        return None
    wanted = [item for item in declared if item[0] == _OUTPUT or item[1] not in initializers]
    names = [f"{'input' if kind == _INPUT else 'output'} {name}" for kind, name, _ in wanted]
    return tuple(zip(unique(names), (item[2] for item in wanted), strict=True))


def _value_info(cursor: Cursor) -> tuple[str, str]:
    name, described = "", "undeclared"
    for number, wire, value in _fields(cursor):
        if number == 1 and wire == _BYTES:
            name = _text(cursor, value)
        elif number == 2 and wire == _BYTES:
            described = _type(cursor.inside(value))
        else:
            _leave(cursor, wire, value)
    return name, described


def _type(cursor: Cursor) -> str:
    """Return a type as ``tensor F32 [N, 4]``; of others only what they are."""
    described = "undeclared"
    for number, wire, value in _fields(cursor):
        if number in (1, 8) and wire == _BYTES:
            described = _tensor_type(cursor.inside(value), "tensor" if number == 1 else "sparse")
        else:
            described = _OTHER_TYPES.get(number, described)
            _leave(cursor, wire, value)
    return described


def _tensor_type(cursor: Cursor, word: str) -> str:
    kind, sizes = 0, None
    for number, wire, value in _fields(cursor):
        if number == 1 and wire == _VARINT:
            kind = value
        elif number == 2 and wire == _BYTES:
            sizes = list(_dimensions(cursor.inside(value)))
        else:
            _leave(cursor, wire, value)
    dtype = _TYPES.get(kind, f"type {kind}")
    shape = "" if sizes is None else f" [{', '.join(sizes)}]"
    return clean_line(f"{word} {dtype}{shape}", 200)


def _dimensions(cursor: Cursor) -> Iterator[str]:
    """Yield sizes, names of those that may vary, ``?`` where nothing is known."""
    for count, (number, wire, value) in enumerate(_fields(cursor)):
        if count == MOST_DIMENSIONS:
            raise MalformedHeaderError("an input or output has no possible shape")
        if number != 1 or wire != _BYTES:
            _leave(cursor, wire, value)
            continue
        inside, size = cursor.inside(value), "?"
        for field, kind, item in _fields(inside):
            if field == 1 and kind == _VARINT:
                size = str(item - 2**64 if item >= 2**63 else item)
            elif field == 2 and kind == _BYTES:
                size = _text(inside, item) or "?"
            else:
                _leave(inside, kind, item)
        yield size


def _tensor(cursor: Cursor) -> Tensor:
    name, kind, shape = "", 0, list[int]()
    for number, wire, value in _fields(cursor):
        if number == _DIMS and wire == _VARINT:
            shape.append(value)
        elif number == _DIMS and wire == _BYTES:
            packed = cursor.inside(value)
            while packed.more and len(shape) <= MOST_DIMENSIONS:
                shape.append(packed.varint())
        elif number == _DATA_TYPE and wire == _VARINT:
            kind = value
        elif number == _NAME and wire == _BYTES:
            name = _text(cursor, value)
        else:
            _leave(cursor, wire, value)
        if len(shape) > MOST_DIMENSIONS:
            raise MalformedHeaderError(f"tensor {name} has no possible shape")
    return Tensor(name, checked_shape(shape, name), _TYPES.get(kind, f"type {kind}"))

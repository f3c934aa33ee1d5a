"""Safetensors: eight bytes of length, then a JSON object (huggingface/safetensors, format 1)."""

from __future__ import annotations

import json
from typing import Any, TypeGuard

from rolldeck.facts.tensors import (
    FORMAT_LIMIT,
    MalformedHeaderError,
    ReadAt,
    Tensor,
    TensorHeader,
    checked_shape,
)
from rolldeck.text import clean_line
from rolldeck.units import human_size

_LENGTH = 8
_METADATA = "__metadata__"


def read_safetensors(read_at: ReadAt, size: int, limit: int) -> TensorHeader:
    """Read the header of a safetensors file; raises MalformedHeaderError.

    The JSON is read whole or, over ``limit`` bytes, not at all.
    """
    start = read_at(0, _LENGTH)
    length = int.from_bytes(start, "little")
    if len(start) < _LENGTH or not 2 <= length <= min(size - _LENGTH, FORMAT_LIMIT):
        raise MalformedHeaderError("not safetensors: the length of its header cannot be")
    if length > limit:
        return TensorHeader(
            "safetensors", notice=f"its header of {human_size(length)} was not read"
        )
    data = read_at(_LENGTH, length)
    try:
        document = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise MalformedHeaderError("not safetensors: its header is no JSON object")
    room = size - _LENGTH - length
    tensors = tuple(
        _tensor(clean_line(name, 500), item, room)
        for name, item in document.items()
        if name != _METADATA
    )
    return TensorHeader("safetensors", tensors, _metadata(document.get(_METADATA)))


def _tensor(name: str, item: Any, room: int) -> Tensor:
    if not isinstance(item, dict):
        raise MalformedHeaderError(f"tensor {name} is no JSON object")
    dtype, shape = item.get("dtype"), item.get("shape")
    if not isinstance(dtype, str) or not _whole_numbers(shape):
        raise MalformedHeaderError(f"tensor {name} has no type or no shape")
    place = item.get("data_offsets")
    if not _whole_numbers(place) or len(place) != 2 or not 0 <= place[0] <= place[1] <= room:
        raise MalformedHeaderError(f"tensor {name} lies outside of the file")
    return Tensor(name, checked_shape(shape, name), clean_line(dtype, 40))


def _whole_numbers(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(item) is int for item in value)


def _metadata(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedHeaderError("not safetensors: its metadata is no JSON object")
    return {clean_line(key, 200): clean_line(str(text), 500) for key, text in value.items()}

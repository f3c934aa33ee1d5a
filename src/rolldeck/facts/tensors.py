"""What the header of a weights file says: its tensors and metadata, without the weights.

Everything goes through ``read_at``, so that a few kilobytes of a file in a registry are enough.
Headers are hostile until they were read: no number in one of them decides how much memory or how
many bytes are taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

ReadAt = Callable[[int, int], bytes]
"""Reads at most ``size`` bytes from ``offset`` on; fewer only at the end of the file."""

DISPLAY_LIMIT = 1024 * 1024
"""Bytes of a header that are enough to show it."""

FORMAT_LIMIT = 100_000_000
"""Largest header that is believed, in bytes: what the safetensors library accepts."""

MOST_DIMENSIONS = 64
_MOST_ELEMENTS = 2**63


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor: cleaned name, shape with the outermost dimension first, type as ``F32``."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class TensorHeader:
    """What a weights file says of itself; names and texts are cleaned.

    ``notice`` says what was left out, empty where that is nothing. ``signature`` holds the inputs
    and outputs that the file declares, as ``Facts`` does; None where it declares none.
    """

    format: str
    tensors: tuple[Tensor, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notice: str = ""
    signature: tuple[tuple[str, str], ...] | None = None

    @property
    def parameters(self) -> int | None:
        """How many numbers all tensors hold; None where not all of them are known."""
        if self.notice or not self.tensors:
            return None
        return sum(tensor.elements for tensor in self.tensors)


class MalformedHeaderError(ValueError):
    """A file that is not what its name or its first bytes say; the message is one line."""


def read_tensor_header(
    path: str, read_at: ReadAt, size: int, limit: int = DISPLAY_LIMIT
) -> TensorHeader | None:
    """Read the header of a weights file of ``size`` bytes; None for any other file.

    At most about ``limit`` bytes are read. Raises MalformedHeaderError, and what ``read_at``
    raises.
    """
    name = path.casefold()
    # Imported here: a file is of one format, and most are of none.
    if name.endswith(".gguf") or read_at(0, 4) == b"GGUF":
        from rolldeck.facts.tensors_gguf import read_gguf

        return read_gguf(read_at, size, limit)
    if name.endswith(".safetensors"):
        from rolldeck.facts.tensors_safetensors import read_safetensors

        return read_safetensors(read_at, size, limit)
    if name.endswith(".onnx"):
        from rolldeck.facts.tensors_onnx import read_onnx

        return read_onnx(read_at, size, limit)
    return None


def checked_shape(shape: list[int], name: str) -> tuple[int, ...]:
    """Return a shape that can be; raises MalformedHeaderError."""
    if len(shape) > MOST_DIMENSIONS or any(not 0 <= item < _MOST_ELEMENTS for item in shape):
        raise MalformedHeaderError(f"tensor {name} has no possible shape")
    if math.prod(shape) >= _MOST_ELEMENTS:
        raise MalformedHeaderError(f"tensor {name} has no possible shape")
    return tuple(shape)

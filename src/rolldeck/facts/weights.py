"""The weights of a version: what the headers of its weights files say, shards taken together.

Shards are ``NAME-00001-of-00003.safetensors`` (transformers) and ``.gguf`` (llama.cpp); the index
beside those of transformers, ``NAME.safetensors.index.json``, says which tensors there must be.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from rolldeck.facts.document import mapping, scalar
from rolldeck.facts.load import UnreadableFile, load_json
from rolldeck.facts.tensors import (
    MalformedHeaderError,
    Tensor,
    TensorHeader,
    read_tensor_header,
)
from rolldeck.text import clean_line

SUFFIXES = (".safetensors", ".gguf", ".onnx")
"""How the names of weights files end whose headers are read."""

INDEX_SUFFIX = ".safetensors.index.json"

_HEADER_LIMIT = 8 * 1024 * 1024
"""Most bytes of a header at hand that are read."""

_SHARD = re.compile(r"(.+)-([0-9]{5})-of-([0-9]{5})(\.safetensors|\.gguf)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Weights:
    """One model's weights: a file, or ``files`` shards whose ``path`` is their common name.

    ``notice`` says what is not known of them, empty where that is nothing.
    """

    path: str
    format: str
    files: int = 1
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

    @property
    def types(self) -> dict[str, int]:
        """How many tensors are of each type, the commonest first."""
        return dict(Counter(tensor.dtype for tensor in self.tensors).most_common())


def is_weights(path: str) -> bool:
    """Whether a file by this name has a header that is read."""
    return path.casefold().endswith(SUFFIXES)


def read_weights(
    files: Mapping[str, bytes], heads: Mapping[str, TensorHeader] | None = None
) -> tuple[Weights, ...]:
    """Return the weights of a version; never raises.

    ``files`` are those at hand by path, ``heads`` the headers that were read of others.
    """
    found = dict(heads or {})
    for path in files:
        if is_weights(path) and path not in found:
            found[path] = _header(path, files[path])
    groups: dict[tuple[str, int], dict[str, TensorHeader]] = {}
    for path in sorted(found, key=lambda item: (item.count("/"), item)):
        shard = _SHARD.fullmatch(path)
        key = (f"{shard[1]}{shard[4]}", int(shard[3])) if shard else (path, 0)
        groups.setdefault(key, {})[path] = found[path]
    return tuple(
        _joined(path, count, group, files.get(f"{path}.index.json"))
        for (path, count), group in groups.items()
    )


def _header(path: str, data: bytes) -> TensorHeader:
    try:
        found = read_tensor_header(
            path, lambda start, size: data[start : start + size], len(data), _HEADER_LIMIT
        )
    except MalformedHeaderError as error:
        return unreadable(path, f"malformed: {error}")
    return found or unreadable(path, "not read")


def unreadable(path: str, why: str) -> TensorHeader:
    """Return what is known of weights whose header cannot be read: the format by their name."""
    suffix = next((item for item in SUFFIXES if path.casefold().endswith(item)), "")
    names = {".safetensors": "safetensors", ".gguf": "GGUF", ".onnx": "ONNX"}
    return TensorHeader(names.get(suffix, "weights"), notice=clean_line(why, 300))


def _joined(
    path: str, count: int, heads: Mapping[str, TensorHeader], index: bytes | None
) -> Weights:
    """Return one file's weights, or those of ``count`` shards, of which some may be missing."""
    tensors: dict[str, Tensor] = {}
    metadata: dict[str, str] = {}
    notices = []
    for name, head in heads.items():
        tensors |= {tensor.name: tensor for tensor in head.tensors if tensor.name not in tensors}
        metadata = {**head.metadata, **metadata}
        if head.notice:
            notices.append(f"{clean_line(name, 200)}: {head.notice}" if count else head.notice)
    if count and len(heads) != count:
        notices.insert(0, f"{len(heads)} of {count} files were read")
    if index is not None:
        notices += _against_index(index, tensors, metadata, whole=not notices)
    first = next(iter(heads.values()))
    more = f"; {len(notices) - 2} more" if len(notices) > 2 else ""
    return Weights(
        clean_line(path, 500),
        first.format,
        len(heads),
        tuple(tensors.values()),
        MappingProxyType(metadata),
        "; ".join(notices[:2]) + more,
        next((head.signature for head in heads.values() if head.signature is not None), None),
    )


def _against_index(
    data: bytes, tensors: Mapping[str, Tensor], metadata: dict[str, str], *, whole: bool
) -> Iterable[str]:
    """Yield what the index of shards says of tensors that were not found; add its total size."""
    try:
        document = mapping(load_json(data))
    except UnreadableFile as error:
        yield f"its index is {error}"
        return
    size = mapping(document.get("metadata")).get("total_size")
    if size is not None:
        metadata.setdefault("total_size", str(scalar(size)))
    named = {clean_line(name, 500) for name in mapping(document.get("weight_map"))}
    missing = len(named - tensors.keys())
    if missing:
        which = "no file has" if whole else "were not read"
        yield f"its index names {missing} tensors that {which}"

"""What one file of a version is, from its first bytes: text, weights, or something else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rolldeck.actions.layer_bytes import LayerBytes
from rolldeck.facts.file_type import file_type, is_text
from rolldeck.facts.tensors import (
    DISPLAY_LIMIT,
    MalformedHeaderError,
    TensorHeader,
    read_tensor_header,
)
from rolldeck.kit import (
    Layer,
    LayerFile,
    OpenFile,
    StoppedError,
    by_ranges_or_streamed,
    open_file,
)
from rolldeck.progress import Progress

TEXT_LIMIT = 1024 * 1024
"""Most bytes of a text that are read to show it."""

LOCAL_HEADER_LIMIT = 8 * 1024 * 1024
"""Most bytes of a weights file's header that are read where that needs no network."""

_START = 8 * 1024
"""Bytes that tell text from anything else."""

_UNKNOWN_SIZE = 2**62


@dataclass(frozen=True, slots=True)
class FileView:
    """One file looked at; ``size`` in bytes is None where only unpacking would tell it.

    ``text`` is its start where it is text, ``cut`` whether more follows. ``header`` is that of a
    weights file, ``notice`` why it could not be read. ``layer`` is None for the Kitfile.
    """

    path: str
    size: int | None
    mode: int
    layer: Layer | None
    type: str
    verified: bool
    text: bytes | None = None
    cut: bool = False
    header: TensorHeader | None = None
    notice: str = ""

    @classmethod
    def of_text(cls, path: str, text: bytes, mode: int) -> FileView:
        """Return the view of a text that is at hand and verified."""
        return cls(path, len(text), mode, None, "text", True, text)


def look_at(
    layer: Layer,
    source: LayerBytes,
    path: str,
    progress: Progress,
    limit: int | None,
    seen: Callable[[LayerFile], None] = lambda file: None,
) -> FileView | None:
    """Look at a file of a layer, None where it has none with that path; blocks.

    Raises as ``open_file``.
    """

    def look(ranges: bool) -> FileView | None:
        with open_file(
            layer, source, path, progress, ranges=ranges, limit=limit, seen=seen
        ) as opened:
            if opened is None:
                return None
            return _view(layer, opened, LOCAL_HEADER_LIMIT if source.is_local else DISPLAY_LIMIT)

    return by_ranges_or_streamed(look)


def _view(layer: Layer, opened: OpenFile, header_limit: int) -> FileView:
    file = opened.file
    start = opened.read_at(0, _START)
    cut = file.size is None or len(start) < file.size
    header, notice = None, ""
    try:
        size = _UNKNOWN_SIZE if file.size is None else file.size
        header = read_tensor_header(file.path, opened.read_at, size, header_limit)
    except MalformedHeaderError as error:
        notice = f"malformed: {error}"
    except StoppedError as stop:
        notice = f"its header was not read: {stop}"
    text = None
    if header is None and is_text(start, cut=cut):
        data = opened.read_at(0, TEXT_LIMIT) if cut else start
        cut = file.size != len(data) if file.size is not None else len(data) == TEXT_LIMIT
        text = data if is_text(data, cut=cut) else None
    return FileView(
        file.path,
        file.size,
        file.mode,
        layer,
        f"{header.format} weights" if header else file_type(start, cut=cut),
        opened.verified,
        text,
        cut,
        header,
        notice,
    )

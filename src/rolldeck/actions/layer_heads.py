"""What a large layer tells by itself: headers of weights, known small files, names and sizes.

A layer in a registry is read by range, within an allowance; nothing of it is verified, since no
digest covers parts.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field

from rolldeck.actions.frugal_bytes import FrugalBytes
from rolldeck.actions.layer_bytes import LayerBytes
from rolldeck.actions.pickle_process import read_pickle
from rolldeck.errors import RolldeckError
from rolldeck.facts.byte_cursor import OverBudgetError
from rolldeck.facts.pickles import Pickle, is_pickle
from rolldeck.facts.tensors import MalformedHeaderError, TensorHeader, read_tensor_header
from rolldeck.facts.weights import is_weights, unreadable
from rolldeck.kit import Layer, LayerFile, OpenFile, StoppedError, each_file
from rolldeck.oci import RangesIgnoredError
from rolldeck.progress import Progress
from rolldeck.text import clean_line
from rolldeck.units import human_size

SMALL_FILE = 128 * 1024
"""Largest known file read out of a large layer in a registry, in bytes."""

_LOCAL_FILE = 1024 * 1024
_HEADER = 256 * 1024
"""Most bytes of a weights file's header that are read over the network."""
_LOCAL_HEADER = 8 * 1024 * 1024
_PICKLE_START = 64 * 1024
"""Bytes of a pickle in a registry that are read; of one on this disk all are."""
_LOCAL_LIMIT = 16 * 1024 * 1024
"""Most bytes of a layer on this disk that a look at it reads, pickles apart."""
_AS_DENSE = 4
"""How many times its stored size a compressed file is taken to have."""
_MOST_PICKLES = 8
_UNKNOWN_SIZE = 2**62


@dataclass
class LayerHeads:
    """What was found in one layer.

    ``files`` are known small files by path, ``listed`` the sizes of those that were not read, None
    where that is not known. ``stopped`` says why this is not all, empty where it is; ``spent`` how
    many bytes of a registry it took.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, TensorHeader] = field(default_factory=dict)
    pickles: list[Pickle] = field(default_factory=list)
    listed: dict[str, int | None] = field(default_factory=dict)
    stopped: str = ""
    spent: int = 0


def read_layer_heads(
    layer: Layer,
    source: LayerBytes,
    wanted: Callable[[str], bool],
    progress: Progress,
    most: int,
) -> LayerHeads:
    """Look through a layer, in a registry with at most ``most`` bytes; blocks.

    ``wanted`` says by its path whether a small file is read. A layer that cannot be looked through
    costs no more than itself: why is said. Raises CancelledError.
    """
    found = LayerHeads()
    bytes_of: LayerBytes | FrugalBytes = source
    limit: int | None = _LOCAL_LIMIT
    if not source.is_local:
        bytes_of, limit = FrugalBytes(source, layer.size, most), None
    try:
        for opened in each_file(layer, bytes_of, progress, limit=limit, small=0):
            _look(opened, source.is_local, wanted, progress, found)
            if isinstance(bytes_of, FrugalBytes) and layer.compression != "none":
                # To come to the next file all of this one would have to be fetched.
                left = most - bytes_of.spent
                found.stopped = _too_far(opened.file, left)
                if found.stopped:
                    break
    except (StoppedError, OverBudgetError) as stop:
        found.stopped = str(stop) or "stopped"
    except RangesIgnoredError:
        found.stopped = "the registry sends whole layers only"
    except RolldeckError as error:
        progress.check()
        found.stopped = error.message
    if isinstance(bytes_of, FrugalBytes):
        found.spent = bytes_of.spent
    return found


def _too_far(file: LayerFile, left: int) -> str:
    if (file.size or 0) <= _AS_DENSE * left:
        return ""
    return f"stopped behind {clean_line(file.path, 200)}, which is {human_size(file.size or 0)}"


def _look(
    opened: OpenFile,
    is_local: bool,
    wanted: Callable[[str], bool],
    progress: Progress,
    found: LayerHeads,
) -> None:
    file = opened.file
    path = posixpath.normpath(file.path)
    size = _UNKNOWN_SIZE if file.size is None else file.size
    if is_weights(path):
        found.headers[path] = _header(opened, path, size, is_local)
    elif is_pickle(path):
        if len(found.pickles) < _MOST_PICKLES:
            found.pickles.append(_pickle(opened, path, is_local, progress))
        else:
            found.pickles.append(Pickle(path, size=file.size, notice="not read: there are many"))
    elif wanted(path) and size <= (_LOCAL_FILE if is_local else SMALL_FILE):
        found.files[path] = opened.read_at(0, size)
    else:
        found.listed[path] = file.size


def _header(opened: OpenFile, path: str, size: int, is_local: bool) -> TensorHeader:
    limit = _LOCAL_HEADER if is_local else _HEADER
    stopped = ""

    def read_at(offset: int, count: int) -> bytes:
        nonlocal stopped
        try:
            return opened.read_at(offset, count)
        except StoppedError as stop:
            stopped = str(stop)
            raise OverBudgetError from None

    try:
        header = read_tensor_header(path, read_at, size, limit)
    except MalformedHeaderError as error:
        return unreadable(path, f"malformed: {error}")
    except OverBudgetError:
        return unreadable(path, f"its header was not read: {stopped}")
    return header or unreadable(path, "not read")


def _pickle(opened: OpenFile, path: str, is_local: bool, progress: Progress) -> Pickle:
    if is_local:
        return read_pickle(path, opened.file.size, opened.chunks(), progress)
    return read_pickle(path, opened.file.size, [opened.read_at(0, _PICKLE_START)], progress)

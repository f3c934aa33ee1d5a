"""A ``FileSink`` as the ``StreamSink`` that a transfer works on: all of its bytes in one file."""

from __future__ import annotations

from collections.abc import Mapping

from rolldeck import fsops
from rolldeck.oci.registry import FileSink
from rolldeck.window import Window

_ANY = 2**62


class OneFile:
    """Passes everything on to the sink's file."""

    def __init__(self, sink: FileSink) -> None:
        self._sink = sink
        self._window = Window(sink.fileno())
        self.write = sink.write
        self.rewind = sink.rewind
        self.reserve = sink.reserve
        self.keep_prefix = sink.keep_prefix

    @property
    def offset(self) -> int:
        """How many bytes are in the file."""
        return self._sink.offset

    @property
    def prefixes(self) -> Mapping[int, str]:
        """The prefixes kept so far."""
        return self._sink.prefixes

    def room(self) -> tuple[int, int]:
        """The file, which takes all that comes."""
        return self._sink.fileno(), _ANY

    def appended(self, count: int, /) -> None:
        """Nothing to note: the file knows its size."""

    def view(self, position: int, most: int, /) -> memoryview:
        """See what is in the file."""
        return self._window.view(position, most)

    def close_view(self) -> None:
        """Give the memory back."""
        self._window.close()

    def write_back(self, start: int, size: int, /) -> None:
        """Let the disk begin with these bytes."""
        fsops.write_back(self._sink.fileno(), start, size)

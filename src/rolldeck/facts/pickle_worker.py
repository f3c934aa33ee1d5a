"""Reads a pickle as a list of instructions, in a process of its own; nothing of it is ever run.

Run as a script, ``python -I -S pickle_worker.py``: the file comes on standard input, one JSON
document goes out. It imports nothing but the standard library, and of a pickle only
``pickletools.genops`` sees anything, which has no way to import or call. The values that matter
(names, numbers, what an object was made of) are followed on a stack of stand-ins. All of it is one
file, since the process finds no other.

Joblib writes arrays raw between the instructions; they are left out by their declared size.
"""

from __future__ import annotations

import json
import pickletools
import re
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from io import BufferedReader
from typing import Any, Protocol, cast

MEMORY = 512 * 1024 * 1024
"""Address space of the process, in bytes."""
SECONDS = 5
"""Processor time that reading may take; the kernel ends the process soon after."""
_KEPT = 64 * 1024
"""Longest argument of an instruction that is kept, in bytes."""
_MOST_VALUES = 1_000_000
"""Most values on the stack, and in the memo."""
_MOST_BYTES = 4 * 1024 * 1024 * 1024
"""Most bytes after decompression."""
_MOST_IMPORTS = 500
_MOST_VERSIONS = 8
_MOST_PICKLES = 16
_MOST_DEPTH = 8
_NAME = 300
_PIECE = 256 * 1024

_UNKNOWN = object()
_MARK = object()


class Stop(Exception):
    """Reading ends here; the message says why."""


class _Decoder(Protocol):
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Skipped(bytes):
    """Bytes of which only the length is known: an argument that is too long to matter."""

    size: int

    def __len__(self) -> int:
        return self.size


class Source:
    """A file read once, decompressed on the way; ``read`` keeps nothing that is long."""

    def __init__(self, read: Callable[[int], bytes], until: float) -> None:
        self._read = read
        self._until = until
        self._decoder: _Decoder | None = None
        self._buffer = b""
        self._start = 0
        self._stored = b""
        self._position = 0

    def check(self) -> None:
        """Raise Stop where the time is over."""
        if time.process_time() > self._until:
            raise Stop(f"stopped after {SECONDS} seconds")

    def through(self, decoder: _Decoder) -> None:
        """Decompress what follows."""
        self._stored, self._buffer, self._start = self._buffer[self._start :], b"", 0
        self._decoder = decoder

    def _fill(self) -> bool:
        self.check()
        if self._position > _MOST_BYTES:
            raise Stop("stopped after 4 GiB")
        data = self._piece()
        self._buffer = self._buffer[self._start :] + data
        self._start = 0
        return bool(data)

    def _piece(self) -> bytes:
        if self._decoder is None:
            return self._read(_PIECE)
        while True:
            rest = getattr(self._decoder, "unconsumed_tail", b"")
            needs = getattr(self._decoder, "needs_input", not rest)
            stored = rest or (self._stored or self._read(_PIECE) if needs else b"")
            self._stored = b""
            if getattr(self._decoder, "eof", False):
                return b""
            last = needs and not stored
            try:
                data = self._decoder.decompress(stored, _PIECE)
            except MemoryError:
                raise
            except Exception:  # each of the four decoders has errors of its own
                raise Stop("it is not compressed as its first bytes say") from None
            if data or last:
                return data
            self.check()

    def peek(self, size: int) -> bytes:
        """Return the next ``size`` bytes without taking them; fewer at the end."""
        while len(self._buffer) - self._start < size and self._fill():
            pass
        return self._buffer[self._start : self._start + size]

    def read(self, size: int) -> bytes:
        """Return the next bytes as genops asks for them; fewer at the end."""
        if size > _KEPT:
            skipped = _Skipped()
            skipped.size = self.skip(size)
            return skipped
        data = self.peek(size)
        self._start += len(data)
        self._position += len(data)
        return data

    def readline(self) -> bytes:
        """Return the next line."""
        while (end := self._buffer.find(b"\n", self._start)) < 0:
            if len(self._buffer) - self._start > _KEPT:
                raise Stop("a line in it is too long")
            if not self._fill():
                end = len(self._buffer) - 1
                break
        return self.read(end + 1 - self._start)

    def skip(self, size: int) -> int:
        """Leave out bytes; returns how many there were."""
        left = size
        while left:
            here = min(left, len(self._buffer) - self._start)
            self._start += here
            self._position += here
            left -= here
            if left and not self._fill():
                break
        return size - left

    def tell(self) -> int:
        """How many bytes were taken."""
        return self._position


class Made:
    """An object that loading would make: by what, of what, with which state."""

    __slots__ = ("by", "of", "state")

    def __init__(self, by: Any, of: Any) -> None:
        self.by, self.of, self.state = by, of, _UNKNOWN


class Name:
    """A global that loading would import."""

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Report:
    """What was found; the document that goes out."""

    def __init__(self) -> None:
        self.format = "pickle"
        self.packing = ""
        self.protocol = 0
        self.pickles = 0
        self.imports: dict[str, None] = {}
        self.more = 0
        self.versions: dict[str, None] = {}
        self.problem = ""

    def imported(self, name: str) -> None:
        """Add a global."""
        if name in self.imports:
            return
        if len(self.imports) < _MOST_IMPORTS:
            self.imports[name] = None
        else:
            self.more += 1

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "format": self.format,
            "packing": self.packing,
            "protocol": self.protocol,
            "pickles": self.pickles,
            "imports": list(self.imports),
            "more": self.more,
            "versions": list(self.versions),
            "problem": self.problem,
        }


class Machine:
    """Follows one pickle with stand-ins for its values."""

    def __init__(self, source: Source, report: Report, depth: int = 0) -> None:
        self._source = source
        self._report = report
        self._depth = depth
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> None:
        """Read up to the end of the pickle; raises Stop, ValueError and the like."""
        for count, (opcode, argument, _) in enumerate(pickletools.genops(cast(Any, self._source))):
            if count % 4096 == 0:
                self._source.check()
            if len(self._stack) > _MOST_VALUES or len(self._memo) > _MOST_VALUES:
                raise Stop(f"it holds more than {_MOST_VALUES} values at once")
            step = _STEPS.get(opcode.name)
            if step is not None:
                step(self, argument)
            else:
                self._other(opcode)

    def _other(self, opcode: Any) -> None:
        before = [item.name for item in opcode.stack_before]
        if "mark" in before:
            self.since_mark()
            del self._stack[len(self._stack) - before.index("mark") :]
        elif before:
            self._need(len(before))
            del self._stack[-len(before) :]
        self._stack += [_UNKNOWN] * len(opcode.stack_after)

    def _need(self, count: int) -> None:
        if len(self._stack) < count:
            raise ValueError("it takes more values than it has")

    def pop(self) -> Any:
        """Take the value on top."""
        self._need(1)
        return self._stack.pop()

    def top(self) -> Any:
        """Return the value on top."""
        self._need(1)
        return self._stack[-1]

    def push(self, value: Any) -> None:
        """Put a value on top."""
        self._stack.append(value)

    def since_mark(self) -> list[Any]:
        """Take the values above the last mark, and the mark."""
        for place in range(len(self._stack) - 1, -1, -1):
            if self._stack[place] is _MARK:
                values = self._stack[place + 1 :]
                del self._stack[place:]
                return values
        raise ValueError("it has no mark where it needs one")

    # Instructions.

    def literal(self, argument: Any) -> None:
        """Push a number or short text."""
        kept = isinstance(argument, int) or (isinstance(argument, str) and len(argument) <= _NAME)
        self.push(argument if kept else _UNKNOWN)

    def imported(self, module: Any, name: Any) -> Name:
        """Note what loading would import."""
        if not (isinstance(module, str) and isinstance(name, str)):
            module, name = "?", "a name that is computed"
        found = Name(module, name)
        self._report.imported(f"{module[:_NAME]}.{name[:_NAME]}")
        return found

    def named(self, argument: Any) -> None:
        """GLOBAL: module and name in one argument."""
        module, _, name = str(argument).partition(" ")
        self.push(self.imported(module, name))

    def named_on_stack(self, _: Any) -> None:
        """STACK_GLOBAL."""
        name, module = self.pop(), self.pop()
        self.push(self.imported(module, name))

    def instance(self, argument: Any) -> None:
        """INST."""
        self.since_mark()
        module, _, name = str(argument).partition(" ")
        self.push(Made(self.imported(module, name), _UNKNOWN))

    def extension(self, argument: Any) -> None:
        """EXT1, EXT2, EXT4: what the registry of copyreg has under a number."""
        self._report.imported(f"copyreg extension {argument}")
        self.push(_UNKNOWN)

    def outside(self, _: Any) -> None:
        """PERSID: something that whoever loads it finds by itself."""
        self.push(_UNKNOWN)

    def tuple_of(self, count: int) -> None:
        """TUPLE1 to TUPLE3 and EMPTY_TUPLE."""
        self._need(count)
        values = tuple(self._stack[len(self._stack) - count :])
        del self._stack[len(self._stack) - count :]
        self.push(values)

    def tuple_since_mark(self, _: Any) -> None:
        """TUPLE."""
        values = self.since_mark()
        self.push(tuple(values) if len(values) <= 64 else _UNKNOWN)

    def dictionary(self, values: list[Any]) -> None:
        """EMPTY_DICT, and DICT with its values."""
        self.push({})
        self.fill(values)

    def fill(self, values: list[Any]) -> None:
        """Set items of the dictionary on top, those that matter."""
        target = self.top()
        for key, value in zip(values[::2], values[1::2], strict=False):
            if not isinstance(key, str):
                continue
            if key == "_sklearn_version" and isinstance(value, str):
                if len(self._report.versions) < _MOST_VERSIONS:
                    self._report.versions[f"scikit-learn {value[:40]}"] = None
            elif isinstance(target, dict) and len(target) < 256:
                target[key] = value

    def set_one(self, _: Any) -> None:
        """SETITEM."""
        value, key = self.pop(), self.pop()
        self.fill([key, value])

    def set_many(self, _: Any) -> None:
        """SETITEMS."""
        self.fill(self.since_mark())

    def make(self, count: int) -> None:
        """REDUCE, NEWOBJ and NEWOBJ_EX: an object by what stands below its ``count`` arguments."""
        values = [self.pop() for _ in range(count)]
        self.push(Made(self.pop(), values[-1]))

    def build(self, _: Any) -> None:
        """BUILD; behind the wrapper of an array joblib writes the array itself."""
        state = self.pop()
        made = self.top()
        if isinstance(made, Made):
            made.state = state
            by = made.by
            if isinstance(by, Name) and by.name == "NumpyArrayWrapper":
                self._report.format = "joblib"
                self._array(state)

    def _array(self, state: Any) -> None:
        state = state if isinstance(state, dict) else {}
        shape, dtype = state.get("shape"), state.get("dtype")
        of = dtype.of if isinstance(dtype, Made) else ()
        code = of[0] if isinstance(of, tuple) and of else None
        found = (
            re.fullmatch(r"([?bBiufcmMOSaUV])(\d{0,9})", code) if isinstance(code, str) else None
        )
        if found is None or not isinstance(shape, tuple):
            raise Stop("it holds an array of unknown size, and was read up to there")
        if found[1] == "O":
            if self._depth == _MOST_DEPTH:
                raise Stop("its arrays hold arrays too deep")
            Machine(self._source, self._report, self._depth + 1).run()
            return
        size = int(found[2] or 1) * (4 if found[1] == "U" else 1)
        for length in shape:
            if type(length) is not int or not 0 <= length < 2**48:
                raise Stop("it holds an array of unknown size, and was read up to there")
            size = min(size * length, 2**62)
        if type(state.get("numpy_array_alignment_bytes")) is int:
            size += int.from_bytes(self._source.read(1), "little")
        if self._source.skip(size) < size:
            raise Stop("it ends within an array")

    def memoize(self, _: Any) -> None:
        """MEMOIZE."""
        self._memo[len(self._memo)] = self.top()

    def put(self, argument: Any) -> None:
        """PUT, BINPUT, LONG_BINPUT."""
        self._memo[int(argument)] = self.top()

    def get(self, argument: Any) -> None:
        """GET, BINGET, LONG_BINGET."""
        self.push(self._memo.get(int(argument), _UNKNOWN))

    def protocol(self, argument: Any) -> None:
        """PROTO."""
        self._report.protocol = max(self._report.protocol, int(argument))


_Step = Callable[[Machine, Any], Any]
_LITERALS = (
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 STRING BINSTRING SHORT_BINSTRING"
    " UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8"
)
_STEPS: dict[str, _Step] = {
    "PROTO": Machine.protocol,
    "GLOBAL": Machine.named,
    "STACK_GLOBAL": Machine.named_on_stack,
    "INST": Machine.instance,
    "PERSID": Machine.outside,
    "MARK": lambda machine, _: machine.push(_MARK),
    "POP": lambda machine, _: machine.pop(),
    "POP_MARK": lambda machine, _: machine.since_mark(),
    "DUP": lambda machine, _: machine.push(machine.top()),
    "EMPTY_TUPLE": lambda machine, _: machine.tuple_of(0),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "TUPLE": Machine.tuple_since_mark,
    "EMPTY_DICT": lambda machine, _: machine.dictionary([]),
    "DICT": lambda machine, _: machine.dictionary(machine.since_mark()),
    "SETITEM": Machine.set_one,
    "SETITEMS": Machine.set_many,
    "REDUCE": lambda machine, _: machine.make(1),
    "NEWOBJ": lambda machine, _: machine.make(1),
    "NEWOBJ_EX": lambda machine, _: machine.make(2),
    "BUILD": Machine.build,
    "MEMOIZE": Machine.memoize,
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), Machine.extension),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), Machine.put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), Machine.get),
    **dict.fromkeys(_LITERALS.split(), Machine.literal),
}


def _unpack(source: Source, report: Report) -> None:
    """Have the source decompress where its first bytes say so; raises Stop for what cannot be."""
    start = source.peek(64 * 1024)
    if start.startswith(b"PK\x03\x04"):
        _enter_zip(source, start, report)
        return
    for magic, packing in _PACKINGS:
        if start.startswith(magic):
            report.packing = packing
            source.through(_decoder(packing))
            return


_PACKINGS = (
    (b"\x1f\x8b", "gzip"),
    (b"\x78", "zlib"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x5d\x00", "lzma"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
"""How joblib and people compress; the first bytes of a pickle are none of these."""


def _decoder(packing: str) -> _Decoder:
    if packing in ("gzip", "zlib"):
        import zlib

        return zlib.decompressobj(wbits=31 if packing == "gzip" else 15)
    if packing == "bz2":
        import bz2

        return bz2.BZ2Decompressor()
    if packing in ("xz", "lzma"):
        import lzma

        return lzma.LZMADecompressor(memlimit=MEMORY // 4)
    raise Stop(f"it is compressed with {packing}, which is not read")


def _enter_zip(source: Source, start: bytes, report: Report) -> None:
    """Go to the pickle in an archive of PyTorch, which stands first."""
    report.format = "torch"
    method = int.from_bytes(start[8:10], "little")
    name_size, more = (int.from_bytes(start[at : at + 2], "little") for at in (26, 28))
    name = start[30 : 30 + name_size]
    if method not in (0, 8) or not name.endswith(b"data.pkl"):
        raise Stop("it is a zip archive that does not begin with a pickle")
    source.skip(30 + name_size + more)
    if method == 8:
        import zlib

        source.through(zlib.decompressobj(wbits=-15))


def read(take: Callable[[int], bytes]) -> Report:
    """Read one file; never raises for what is in it."""
    report = Report()
    source = Source(take, time.process_time() + SECONDS)
    try:
        _unpack(source, report)
        if not source.peek(1):
            raise Stop("it is empty")
        while report.pickles < _MOST_PICKLES:
            Machine(source, report).run()
            report.pickles += 1
            if report.format == "torch" or source.peek(1) != b"\x80":
                break
    except Stop as stop:
        report.problem = str(stop)
    except MemoryError:
        report.problem = "it takes too much memory"
    except Exception as error:  # whatever a malformed pickle makes of genops
        report.problem = f"malformed: {type(error).__name__} at byte {source.tell()}"
    return report


def _limit() -> None:
    """Give up what reading does not need."""
    limits = {
        "RLIMIT_AS": MEMORY,
        "RLIMIT_CPU": SECONDS + 2,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_CORE": 0,
        "RLIMIT_NPROC": 0,
    }
    for name, most in limits.items():
        with suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (most, most))


def main() -> None:
    """Read standard input and print what it is."""
    _limit()
    report = read(cast(BufferedReader, sys.stdin.buffer).read1)
    # Whoever still writes learns that enough was read, before it is asked to listen.
    sys.stdin.close()
    sys.stdout.write(json.dumps(report.document()))


if __name__ == "__main__":
    main()

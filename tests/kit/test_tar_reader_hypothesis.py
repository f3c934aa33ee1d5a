"""Archives that hypothesis builds and shrinks: refused, or read as Python's reader does.

Parts are headers of every format with fields that may lie; bytes are flipped afterwards. What
must hold is that of ``test_tar_reader_fuzz.py``.
"""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.conftest import TORTURE
from tests.kit.archives import END, GNU, POSIX, directory, file, header, long_name, pax, record
from tests.kit.test_tar_reader_fuzz import V7, read, read_by_python
from tests.kit.test_tar_reader_fuzz import traced as traced

EXAMPLES = 125 * TORTURE
"""Of each test: 250 in all, 10,000 with torture."""

_BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

_NAMES = some.one_of(
    some.text("ab./\\ -é", min_size=1, max_size=24),
    some.sampled_from(
        ["a", "./a", "a/b", "../a", "/a", "a/../b", "a//b", ".", "a\x00b", "x" * 100]
    ),
).map(lambda name: name.encode()[:100])
_MAGIC = some.sampled_from([POSIX, GNU, V7])
_FILES = some.builds(
    lambda name, content, magic: file(name, content, magic=magic),
    _NAMES,
    some.binary(max_size=1500),
    _MAGIC,
)
_LYING = some.builds(
    lambda name, size, kind, magic, field: header(
        name, size, kind=kind, magic=magic, size_field=field
    ),
    _NAMES,
    some.integers(0, 2**33),
    some.sampled_from([b"0", b"\0", b"1", b"2", b"3", b"5", b"6", b"7", b"L", b"S", b"g", b"x"]),
    _MAGIC,
    some.none() | some.binary(min_size=12, max_size=12),
)
_RECORDS = some.lists(
    some.builds(
        record,
        some.sampled_from(["path", "size", "linkpath", "mtime", "GNU.sparse.major", "comment"]),
        some.text("a/.0123456789-é", max_size=40),
    ),
    min_size=1,
    max_size=3,
).map(lambda records: pax(*records))
_LONG = some.text("ab/.", min_size=1, max_size=300).map(long_name)
_PARTS = some.one_of(
    _FILES, _FILES, _NAMES.map(directory), _RECORDS, _LONG, _LYING, some.binary(max_size=1024)
)
_WILD = some.builds(
    lambda parts, end: b"".join(parts) + end,
    some.lists(_PARTS, max_size=6),
    some.sampled_from([END, END, END + bytes(512), b"", bytes(512), END + b"x"]),
)


def _named(form: str, name: str, content: bytes) -> bytes:
    """Return a file whose name stands in its header, in a PAX record, or in a GNU long name."""
    if form == "pax":
        return pax(record("path", name)) + file("short", content)
    if form == "long":
        return long_name(name) + file("short", content, magic=GNU)
    return directory(name) if form == "directory" else file(name, content)


_SOUND = some.builds(
    lambda names, parts: (
        b"".join(
            _named(*part[:1], name, *part[1:]) for name, part in zip(names, parts, strict=False)
        )
        + END
    ),
    some.lists(some.text("abcdef/", min_size=1, max_size=30), min_size=1, max_size=5, unique=True),
    some.lists(
        some.tuples(
            some.sampled_from(["plain", "directory", "pax", "long"]), some.binary(max_size=1500)
        ),
        min_size=1,
        max_size=5,
    ),
)
_ARCHIVES = _SOUND | _WILD
_FLIPS = some.lists(some.tuples(some.integers(0, 4095), some.integers(1, 255)), max_size=4)


def _held(data: bytes) -> None:
    found = read(data)
    if found is not None:
        assert found == read_by_python(data)


@_BOUNDED
@given(archive=_ARCHIVES)
def test_an_archive_that_is_built(archive: bytes, traced: None) -> None:
    """Whatever stands in it, only our own error comes, within bounds."""
    _held(archive)


@_BOUNDED
@given(archive=_ARCHIVES, flips=_FLIPS)
def test_an_archive_with_flipped_bytes(
    archive: bytes, flips: list[tuple[int, int]], traced: None
) -> None:
    """The same with bytes changed anywhere, checksums included."""
    data = bytearray(archive)
    for place, change in flips:
        if place < len(data):
            data[place] ^= change
    _held(bytes(data))

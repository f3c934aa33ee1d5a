"""Hostile archives (threats A1 to A17): each is refused and leaves nothing behind."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.kit.archives import (
    END,
    GNU,
    Payload,
    directory,
    file,
    header,
    long_name,
    padded,
    pax,
    record,
)
from tests.kit.unpacking import accept, refuse

NEGATIVE = b"\xff" * 12
TINY_SIZE = b"\x80" + bytes(10) + b"\x07"

HOSTILE: dict[str, bytes] = {
    # A1: names that lead outside or that another system reads differently.
    "a1 parent": file("../evil"),
    "a1 parent inside": file("a/../../evil"),
    "a1 parent that stays": file("a/../evil"),
    "a1 parent at the end": directory("a/.."),
    "a1 absolute": file("/tmp/evil"),
    "a1 absolute double": file("//tmp/evil"),
    "a1 prefix sibling": file("../dest-evil/x"),
    "a1 empty": file(""),
    "a1 dot file": file("."),
    "a1 backslash": file("..\\evil"),
    "a1 drive": file("C:/evil"),
    "a1 drive relative": file("c:evil"),
    "a1 newline": file("a\nb"),
    "a1 escape": file("a\x1b[31m"),
    "a1 C1 control": file("a\x9bb"),
    "a1 delete": file("a\x7f"),
    "a1 not UTF-8": file(b"a\xff\xfe"),
    "a1 absolute prefix": file("evil", prefix=b"/tmp"),
    "a1 parent prefix": file("evil", prefix=b".."),
    "a1 pax parent": pax(record("path", "../evil")) + file("evil"),
    "a1 pax absolute": pax(record("path", "/evil")) + file("evil"),
    "a1 pax NUL": pax(record("path", "a\0b")) + file("a"),
    "a1 pax empty": pax(record("path", "")) + file("evil"),
    "a1 ustar parent behind pax": pax(record("path", "safe")) + file("../evil"),
    "a1 GNU parent": long_name("../" + "x" * 200) + file("x", magic=GNU),
    # A2, A3, A4: links of every kind, alone and before a write through them.
    "a2 symlink": header("link", kind=b"2", link=b"../outside"),
    "a2 absolute symlink": header("link", kind=b"2", link=b"/etc"),
    "a2 looped symlink": header("link", kind=b"2", link=b"link"),
    "a2 symlink into proc": header("link", kind=b"2", link=b"/proc/self/cwd"),
    "a2 write through": header("link", kind=b"2", link=b"../outside") + file("link/victim"),
    "a2 overwrite": header("x", kind=b"2", link=b"../outside/victim") + file("x"),
    "a2 directory replaced": directory("d") + header("d", kind=b"2", link=b"../outside"),
    "a2 directory over link": header("d", kind=b"2", link=b"../outside") + directory("d", 0o777),
    "a2 pax link target": pax(record("linkpath", "../outside/victim")) + file("x"),
    "a3 hard link": header("x", kind=b"1", link=b"../outside/victim"),
    "a3 absolute hard link": header("x", kind=b"1", link=b"/etc/passwd"),
    "a3 hard link to CWD": header("x", kind=b"1", link=b"secret"),
    "a4 empty link name": header("", kind=b"2", link=b"x"),
    "a4 link name with a slash": header("x/", kind=b"2", link=b"x"),
    "a4 GNU long link": file("././@LongLink", b"x\0", kind=b"K", magic=GNU) + file("x"),
    # A7: every other type.
    **{
        f"a7 type {letter!r}": header("x", kind=bytes([letter])) + file("x")
        for letter in b"346SMDVNAXBz9! \xff"
    },
    # A11: one name twice, and names that are file and directory at once.
    "a11 file twice": file("x") + file("x"),
    "a11 file twice by dots": file("x") + file("./x"),
    "a11 file as directory": file("x") + file("x/y"),
    "a11 directory as file": directory("x") + file("x"),
    "a11 file then directory": file("x") + directory("x"),
    "a11 parent as file": file("x/y") + file("x"),
    # A12: too much of anything.
    "a12 deep": file("/".join("d" * 65)),
    "a12 long name": pax(record("path", "x" * 5000)) + file("x" * 100),
    "a12 long GNU name": long_name("x" * 5000) + file("x" * 100, magic=GNU),
    "a12 large pax": pax(record("comment", "x" * 70_000)) + file("x"),
    "a12 chain": pax(record("comment", "x")) * 9 + file("x"),
    # A13: sizes that cannot be.
    "a13 sparse pax": pax(record("GNU.sparse.major", "1")) + file("x"),
    "a13 sparse real size": pax(record("SCHILY.realsize", "9")) + file("x"),
    "a13 far beyond": header("x", 2**33 - 1),
    "a13 near 2^63": pax(record("size", str(2**63 - 1))) + header("x"),
    "a13 over 2^63": pax(record("size", "9" * 25)) + header("x"),
    "a13 negative": header("x", size_field=NEGATIVE),
    "a13 negative pax": pax(record("size", "-1")) + header("x"),
    "a13 negative octal": header("x", size_field=b"-0000000001\0"),
    "a13 base-256": header("x", size_field=TINY_SIZE) + padded(b"1234567"),
    "a13 directory with content": header("d", 7, kind=b"5") + padded(b"payload"),
    # A14: what one reader takes for this and another for that.
    "a14 pax size over ustar": pax(record("size", "1024")) + file("x", b"y") + file("z"),
    "a14 ustar 0, pax size": pax(record("size", "512")) + header("x") + file("nested"),
    "a14 pax size 0": pax(record("size", "0")) + header("x", 1024) + file("nested") + file("z"),
    "a14 two pax sizes": pax(record("size", "7")) + pax(record("size", "8")) + file("x"),
    "a14 size twice": pax(record("size", "7"), record("size", "8")) + file("x"),
    "a14 path twice": pax(record("path", "x"), record("path", "y")) + file("x"),
    "a14 pax against GNU": pax(record("path", "x1")) + long_name("x2") + file("x"),
    "a14 other name": pax(record("path", "harmless")) + file("evil"),
    "a14 global path": pax(record("path", "x"), kind=b"g") + file("x"),
    "a14 global size": pax(record("size", "7"), kind=b"g") + file("x"),
    "a14 global linkpath": pax(record("linkpath", "x"), kind=b"g") + file("x"),
    "a14 global sparse": pax(record("GNU.sparse.name", "x"), kind=b"g") + file("x"),
    "a14 pax without length": file("h", b"path=x\n", kind=b"x") + file("x"),
    "a14 pax length short": file("h", b"5 path=x\n", kind=b"x") + file("x"),
    "a14 pax length long": file("h", b"99 path=x\n", kind=b"x") + file("x"),
    "a14 pax length 0": file("h", b"0 path=x\n", kind=b"x") + file("x"),
    "a14 pax signed length": file("h", b"+10 path=x\n", kind=b"x") + file("x"),
    "a14 pax without equals": file("h", b"9 pathxx\n", kind=b"x") + file("x"),
    "a14 pax without key": file("h", b"5 =x\n", kind=b"x") + file("x"),
    "a14 pax size with letters": pax(record("size", "0x7")) + file("x"),
    "a14 pax fullwidth size": pax(record("size", "７")) + file("x"),
    "a14 pax charset": pax(record("hdrcharset", "BINARY")) + file("x"),
    "a14 pax not UTF-8": pax(record("path", b"\xff")) + file("x"),
    "a14 empty pax": header("h", kind=b"x") + file("x"),
    "a14 pax at the end": pax(record("path", "x")),
    "a14 letters in size": header("x", size_field=b"0000000000z\0"),
    "a14 letters in mode": file("x", mode=b"00006zz\0"),
    "a14 letters in owner": file("x", uid=b"root    "),
    "a14 number in two parts": header("x", size_field=b"0000 000007\0"),
    "a14 bad checksum": file("x", checksum=b"000000\0 "),
    "a14 bad checksum mid-archive": file("a") + file("x", checksum=b"017777\0 ") + file("b"),
    "a14 checksum letters": file("x", checksum=b"zzzzzz\0 "),
    "a14 random header mid-archive": file("a") + random.Random(1).randbytes(512) + file("b"),
    "a14 unknown format": file("x", magic=b"tar\0\0\0\0\0"),
    "a14 GNU with prefix": file("x", magic=GNU, prefix=b"p"),
    "a14 file with a slash": file("x/"),
    "a14 contiguous with a slash": file("x/", kind=b"7"),
    "a14 long name with a tail": file("L", b"x\0y", kind=b"L", magic=GNU) + file("x", magic=GNU),
    # A16: the Kitfile belongs to the config.
    "a16 Kitfile": file("Kitfile"),
    "a16 kitfile": file("./kitfile"),
    "a16 .kitfile": file(".kitfile"),
    "a16 Kitfile as directory": file("Kitfile/x"),
}

UNFINISHED: dict[str, bytes] = {
    "no end": file("x"),
    "empty": b"",
    "lone zero block": file("x") + bytes(512),
    "zero block, then data": file("x") + bytes(512) + file("y") + END,
    "members after the end": file("x") + END + file("y") + END,
    "one byte after the end": file("x") + END + b"\1",
    "cut in content": file("x", b"z" * 2000)[:1500],
    "cut in padding": file("x")[:-1],
    "cut in header": file("x") + header("y")[:300],
    "cut in pax": pax(record("path", "x" * 300))[:700],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_member_is_refused(name: str, tmp_path: Path) -> None:
    refuse(tmp_path, file("first") + HOSTILE[name] + END)


@pytest.mark.parametrize("name", UNFINISHED)
def test_unfinished_archive_is_refused(name: str, tmp_path: Path) -> None:
    refuse(tmp_path, UNFINISHED[name])


def test_refusal_names_the_member(tmp_path: Path) -> None:
    error = refuse(tmp_path, file("a") + header("sub/link", kind=b"2", link=b"x") + END)
    assert "sub/link" in error.message
    assert "symbolic link" in error.message


def test_hostile_name_is_shown_clean(tmp_path: Path) -> None:
    error = refuse(tmp_path, file("a\x1b]52;c;x\x07") + END)
    assert "\x1b" not in error.message


@pytest.mark.parametrize(
    ("second", "path"),
    [(file("a/x"), "a"), (file("x"), "x"), (directory("a/x"), "a/x")],
    ids=["same file", "other path", "directory over file"],
)
def test_collision_between_layers(second: bytes, path: str, tmp_path: Path) -> None:
    first = Payload(directory("a") + file("a/x") + END, path="a/x")
    if path == "x":
        accept(tmp_path, first, Payload(second + END, path=path))
    else:
        refuse(tmp_path, first, Payload(second + END, path=path))


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("src", file("other/x")),
        ("src", file("srcs/x")),
        ("src", file("s")),
        ("src", directory("other")),
        ("data/raw/x.csv", file("data/raw/y.csv")),
        ("data/raw/x.csv", file("data")),
        ("./src/", file("x")),
        ("../src", file("src/x")),
        ("/etc", file("etc/x")),
        ("src/../..", file("x")),
        ("..\\src", file("src/x")),
        ("C:/src", file("src/x")),
        ("src\0", file("src/x")),
        ("src\n", file("src/x")),
    ],
)
def test_member_outside_its_element(path: str, member: bytes, tmp_path: Path) -> None:
    refuse(tmp_path, Payload(member + END, path=path))


@pytest.mark.parametrize("path", [None, ".", "../x", "/x", "a/../../x", "a\\b", "Kitfile", "x\0"])
def test_raw_layer_with_a_hostile_path(path: str | None, tmp_path: Path) -> None:
    refuse(tmp_path, Payload(b"content", path=path, form="raw"))


def test_base_of_old_kits_is_checked_too(tmp_path: Path) -> None:
    refuse(tmp_path, Payload(file("x") + END, path="a/x", base="../a"))


def test_last_member_hostile(tmp_path: Path) -> None:
    members = b"".join(file(f"f{number}", b"x" * 5000) for number in range(50))
    refuse(tmp_path, members + header("evil", kind=b"2", link=b"/etc") + END)

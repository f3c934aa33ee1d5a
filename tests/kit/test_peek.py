"""Digests of the files of a layer: the same whatever packed them."""

from __future__ import annotations

import gzip
import hashlib

import pytest

from rolldeck.errors import RefusedError
from rolldeck.kit.model import Layer
from rolldeck.kit.peek import read_file_digests
from rolldeck.oci import Descriptor, digest_of
from tests.golden_kits import load_kit, load_members
from tests.made_kits import tar_of


def layer(payload: bytes, path: str, **fields: str) -> Layer:
    blob = Descriptor("application/x", digest_of(payload), len(payload))
    return Layer(blob, "dataset", fields.get("form", "tar"), fields.get("compression", "none"),
                 path=path, base=fields.get("base", ""))  # type: ignore[arg-type]  # fmt: skip


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_paths_are_relative_to_the_element() -> None:
    packed = tar_of({"data/a.csv": b"1", "data/sub/b.csv": b"2"})
    expected = {"a.csv": sha256(b"1"), "sub/b.csv": sha256(b"2")}
    assert read_file_digests(layer(packed, "./data"), packed) == expected
    assert read_file_digests(layer(packed, "."), packed) == {
        f"data/{path}": digest for path, digest in expected.items()
    }


def test_an_element_that_is_one_file_has_no_path() -> None:
    packed = tar_of({"data/a.csv": b"1"})
    assert read_file_digests(layer(packed, "data/a.csv"), packed) == {"": sha256(b"1")}
    assert read_file_digests(layer(b"1", "data/a.csv", form="raw"), b"1") == {"": sha256(b"1")}


def test_compression_and_base_change_nothing() -> None:
    packed = tar_of({"a.csv": b"1"})
    squeezed = gzip.compress(packed)
    expected = {"a.csv": sha256(b"1")}
    assert (
        read_file_digests(layer(squeezed, "d", compression="gzip", base="d"), squeezed) == expected
    )


def test_no_file_is_too_large_for_its_digest() -> None:
    content = b"0" * (3 * 1024 * 1024)
    squeezed = gzip.compress(tar_of({"d/a": content, "d/b": b"2"}))
    assert read_file_digests(layer(squeezed, "d", compression="gzip"), squeezed) == {
        "a": sha256(content), "b": sha256(b"2"),
    }  # fmt: skip
    raw = gzip.compress(content)
    found = read_file_digests(layer(raw, "a", form="raw", compression="gzip"), raw)
    assert found == {"": sha256(content)}


def test_what_unpacking_refuses_is_refused() -> None:
    bad = b"\x01" * 1024
    with pytest.raises(RefusedError):
        read_file_digests(layer(bad, "d"), bad)


@pytest.mark.parametrize("other", ["v0.4.0-gzip", "v1.0.0-none", "v1.11-gzip", "v1.11-modelpack"])
def test_kits_of_every_generation_hold_the_same_files(other: str) -> None:
    def by_path(tag: str) -> dict[str, dict[str, str]]:
        members = load_members(f"era:{tag}")
        return {
            (item.path or "").removeprefix("./"): members[item.digest]
            for item in load_kit(f"era:{tag}").layers
        }

    assert by_path("v0.4.0-none") == by_path(other)

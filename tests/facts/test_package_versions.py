"""Versions and names of packages: what is one, what contradicts, what is newer."""

from __future__ import annotations

import random
import string

import pytest
from packaging.utils import canonicalize_name

from rolldeck.facts.conda_spec import read_file_name, read_spec
from rolldeck.facts.package_versions import agree, is_pinned, same_version, step
from rolldeck.facts.packages import canonical_name
from rolldeck.facts.purl import read_purl


def test_names_are_those_of_the_packaging_library() -> None:
    randomness = random.Random(3)
    for _ in range(500):
        name = "A" + "".join(randomness.choices(string.ascii_letters + "019-_.", k=8))
        assert canonical_name(name) == canonicalize_name(name)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("1.0", "1.0.0", True),
        ("1.0rc1", "1.0.rc1", True),
        ("2.1+cpu", "2.1", False),
        ("2004-final", "2004-final", True),
        ("2004-final", "2004-other", False),
        ("1.0 if x", "1.0", False),
        (">=1.0", ">=1.0.0", False),
    ],
)
def test_same_version(a: str, b: str, same: bool) -> None:
    assert same_version(a, b) is same


@pytest.mark.parametrize(
    ("a", "b", "agreeing"),
    [
        ("1.0", "1.0.0", True),
        ("1.0", "1.1", False),
        ("1.0", ">=0.9,<2", True),
        (">=2", "1.0", False),
        (">=2.0", "2.1rc1", True),
        ("1.0 if a or 2.0 if b", "2.0", True),
        ("1.0", "unpinned", True),
        ("1.0", "@ git+https://h/a", True),
        ("==3.11.*", "3.11.7", True),
        ("==3.11.*", "3.12.1", False),
        (">=1", "<1", True),
    ],
)
def test_sources_that_agree(a: str, b: str, agreeing: bool) -> None:
    assert agree(a, b) is agreeing
    assert agree(b, a) is agreeing


@pytest.mark.parametrize(
    ("a", "b", "moved"),
    [
        ("1.9", "1.10", "newer"),
        ("2.0", "2.0rc1", "older"),
        ("2.5.1+cu124", "2.5.1+cpu", "other build"),
        ("2.5.1 py3_cuda12.4_0", "2.5.1 py3_cpu_0", "other build"),
        ("1.0 in dev", "1.1 in dev", "newer"),
        ("1.0", "1.0 if x", None),
        ("1.0 if x or 2.0", "3.0", None),
        ("1.0", ">=2", None),
        ("2004-final", "2005-final", None),
    ],
)
def test_how_a_package_moved(a: str, b: str, moved: str | None) -> None:
    assert step(a, b) == moved


@pytest.mark.parametrize(
    ("value", "pinned"),
    [("1.0", True), ("1.0 if x", True), ("1.*", False), ("==1.*", False), ("unpinned", False)],
)
def test_pinned(value: str, pinned: bool) -> None:
    assert is_pinned(value) is pinned


@pytest.mark.parametrize(
    ("spec", "name", "version", "built"),
    [
        ("numpy", "numpy", "unpinned", False),
        ("numpy=2.2", "numpy", "==2.2.*", False),
        ("numpy=2.2.1", "numpy", "2.2.1", False),
        ("numpy=2.2.1=py311_0", "numpy", "2.2.1", True),
        ("numpy==2.2", "numpy", "2.2", False),
        ("numpy 2.2 py311_0", "numpy", "2.2", True),
        ("numpy >=2,<3", "numpy", ">=2,<3", False),
        ("numpy>=2, <3", "numpy", ">=2,<3", False),
        ("numpy 2.*", "numpy", "==2.*", False),
        ("numpy=2.2.*", "numpy", "==2.2.*", False),
        ("numpy 1.8|1.9", "numpy", "=1.8|1.9", False),
        ("conda-forge/linux-64::numpy=2.2.1", "numpy", "2.2.1", False),
        ("conda-forge::numpy[version='>=2',build=*cuda*]", "numpy", ">=2 *cuda*", True),
        ("pytorch=2.5.1=py3.11_cuda12.4_0", "pytorch", "2.5.1 py3.11_cuda12.4_0", True),
        ("_libgcc_mutex=0.1=main", "_libgcc_mutex", "0.1", True),
    ],
)
def test_specs_of_conda(spec: str, name: str, version: str, built: bool) -> None:
    found = read_spec(spec)
    assert found is not None
    assert (found[0].name, found[0].version, found[1]) == (name, version, built)


@pytest.mark.parametrize("spec", ["", "[", "::", "=1", "@ x", "-e .", "é"])
def test_what_is_no_spec(spec: str) -> None:
    assert read_spec(spec) is None


def test_package_files_of_conda() -> None:
    url = "https://h/c/linux-64/ca-certificates-2024.7.4-hbcca054_0.conda#0123"
    assert read_file_name(url) == ("ca-certificates", "2024.7.4", "hbcca054_0")
    assert read_file_name("https://h/c/linux-64/nothing.zip") is None


@pytest.mark.parametrize(
    ("purl", "found"),
    [
        ("pkg:pypi/Ruamel.YAML@0.18?file_name=x#y", ("ruamel-yaml", "0.18")),
        ("pkg:conda/numpy@2.2.1?build=py311_0", ("numpy", "2.2.1")),
        ("pkg:deb/debian/libc6@2.36-9", ("deb:debian/libc6", "2.36-9")),
        ("pkg:npm/%40acme/tool.js@1.0", ("npm:@acme/tool.js", "1.0")),
        ("pkg:pypi/a", ("a", "unknown")),
        ("pkg:pypi/", None),
    ],
)
def test_package_urls(purl: str, found: tuple[str, str] | None) -> None:
    assert read_purl(purl) == found

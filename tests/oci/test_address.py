"""Hosts, origins and what counts as private."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolldeck.errors import (
    UsageError,
)
from rolldeck.oci.address import is_public_address, registry_origin, repository_path
from tests.oci.bench import (
    Bench,
)


@pytest.mark.parametrize(
    ("host", "plain_http", "url"),
    [
        ("localhost:5000", None, "http://localhost:5000"),
        ("127.8.9.1", None, "http://127.8.9.1"),
        ("[::1]:5000", None, "http://[::1]:5000"),
        ("localhost:5000", False, "https://localhost:5000"),
        ("GHCR.io", None, "https://ghcr.io"),
        ("10.0.0.1:5000", None, "https://10.0.0.1:5000"),
        ("10.0.0.1:5000", True, "http://10.0.0.1:5000"),
        ("localhost.evil.example", None, "https://localhost.evil.example"),
        ("docker.io", None, "https://registry-1.docker.io"),
        ("index.docker.io", None, "https://registry-1.docker.io"),
    ],
)
def test_where_plain_http_is_spoken(host: str, plain_http: bool | None, url: str) -> None:
    assert registry_origin(host, plain_http).url == url


@pytest.mark.parametrize("host", ["", "a b", "user@host", "host/path", "host:99999", "h?x", "a\nb"])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(UsageError):
        registry_origin(host)


def test_docker_hub_names() -> None:
    assert repository_path("docker.io", "alpine") == "/v2/library/alpine"
    assert repository_path("docker.io", "acme/model") == "/v2/acme/model"
    assert repository_path("ghcr.io", "alpine") == "/v2/alpine"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "nonsense",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public_address(address)


def test_ca_file_must_hold_certificates(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(UsageError, match="certificates"):
        Bench("registry.example", ca_file=tmp_path / "ca.pem").get()

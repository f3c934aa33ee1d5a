"""Fixtures for the servers; registered by the root conftest as a plugin."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.servers.forward_proxy import ForwardProxy, forward_proxy
from tests.servers.registry import PASSWORD, USER, RunningRegistry, run_registry
from tests.servers.scripted import ScriptedServer, scripted_server
from tests.servers.token_server import TokenServer, token_server

LAYOUTS = Path(__file__).parents[1] / "golden" / "layouts"
"""OCI layouts written by real tools."""


@pytest.fixture(scope="session")
def docker_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """An open registry, shared by all tests: push into repositories of your own."""
    with run_registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture(scope="session")
def locked_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A registry that wants Basic authentication for everything."""
    with run_registry(tmp_path_factory.mktemp("locked"), htpasswd=True) as registry:
        yield registry


@pytest.fixture(scope="session")
def distribution_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """An open registry of distribution 3, which does things that docker-registry does not."""
    program = shutil.which("registry")
    if program is None:
        pytest.skip("needs distribution 3: its `registry` is not on PATH")
    with run_registry(tmp_path_factory.mktemp("distribution"), program=program) as registry:
        yield registry


@pytest.fixture(scope="session")
def golden_registry(docker_registry: RunningRegistry) -> RunningRegistry:
    """The open registry with every golden layout pushed as ``golden/<layout>``; do not damage."""
    for layout in sorted(LAYOUTS.iterdir()):
        docker_registry.push(layout, f"golden/{layout.name}")
    return docker_registry


@pytest.fixture(scope="session")
def secure_registry(
    tmp_path_factory: pytest.TempPathFactory, golden_registry: RunningRegistry, certificate: Path
) -> Iterator[RunningRegistry]:
    """The golden registry over TLS and with Basic authentication."""
    directory = tmp_path_factory.mktemp("secure")
    with run_registry(
        directory, htpasswd=True, tls=certificate, storage=golden_registry.storage
    ) as registry:
        yield registry


@pytest.fixture
def tokens(certificate: Path) -> Iterator[TokenServer]:
    """A token server that knows USER and PASSWORD."""
    with token_server(certificate, (USER, PASSWORD)) as server:
        yield server


@pytest.fixture
def token_registry(
    tmp_path: Path, golden_registry: RunningRegistry, certificate: Path, tokens: TokenServer
) -> Iterator[RunningRegistry]:
    """The golden registry over TLS, for those who bring a token of ``tokens``."""
    with run_registry(
        tmp_path / "token-registry", tls=certificate, token=tokens, storage=golden_registry.storage
    ) as registry:
        yield registry


@pytest.fixture
def start_scripted() -> Iterator[Callable[[], ScriptedServer]]:
    """Start any number of scripted servers, which end with the test."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(scripted_server())


@pytest.fixture
def scripted(start_scripted: Callable[[], ScriptedServer]) -> ScriptedServer:
    """One scripted server."""
    return start_scripted()


@pytest.fixture
def proxy_server() -> Iterator[ForwardProxy]:
    """An HTTP proxy."""
    with forward_proxy() as proxy:
        yield proxy


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 and registry.test, in one file.

    Its key is in ``key.pem`` beside.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("makes certificates with openssl")
    directory = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            openssl,
            *["req", "-x509", "-nodes", "-newkey", "ec"],
            *["-pkeyopt", "ec_paramgen_curve:prime256v1"],
            *["-keyout", "key.pem", "-out", "certificate.pem", "-days", "2", "-subj", "/CN=test"],
            *["-addext", "subjectAltName=IP:127.0.0.1,DNS:registry.test"],
        ],
        cwd=directory,
        check=True,
        capture_output=True,
    )
    return directory / "certificate.pem"


@pytest.fixture
def secure(certificate: Path) -> Iterator[ScriptedServer]:
    """A scripted server that speaks TLS with ``certificate``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with scripted_server(context) as server:
        yield server

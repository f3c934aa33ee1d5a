"""The settings file: every key works, every mistake is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from rolldeck.errors import UsageError
from rolldeck.settings import RegistrySettings, load_settings

EXAMPLE = """
library = "~/models"
read_only = true
concurrency = 3
proxy = "http://proxy.internal:3128"
no_proxy = ["registry.internal", "10.0.0.0/8"]

[registries."ghcr.io"]
repositories = ["acme/fraud"]

[registries."registry.internal:5000"]
plain_http = true
ca_file = "/etc/ssl/internal.pem"
token_hosts = ["auth.internal"]
client_cert = "/etc/ssl/me.pem"
client_key = "/etc/ssl/me.key"
proxy = ""
no_proxy = []
"""


def write(path: Path, text: str) -> Path:
    """Write a settings file."""
    path.write_text(text)
    return path


def test_every_key_is_read(tmp_path: Path) -> None:
    """The README's example."""
    found = load_settings(write(tmp_path / "s.toml", EXAMPLE))
    assert found.library == Path.home() / "models"
    assert (found.read_only, found.concurrency) == (True, 3)
    assert found.registry("ghcr.io").repositories == ("acme/fraud",)
    internal = found.registry("registry.internal:5000")
    assert (internal.plain_http, internal.token_hosts) == (True, ("auth.internal",))
    assert internal.client_cert == Path("/etc/ssl/me.pem")
    assert internal.client_key == Path("/etc/ssl/me.key")
    assert (internal.proxy, internal.no_proxy) == ("", ())
    assert found.proxy == "http://proxy.internal:3128"
    assert found.no_proxy == ("registry.internal", "10.0.0.0/8")
    assert internal.ca_file == Path("/etc/ssl/internal.pem")
    assert found.registry("elsewhere.example") == RegistrySettings()


def test_no_file_is_all_defaults() -> None:
    """The first start asks nothing."""
    assert load_settings().library.name == "rolldeck"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("librari = 1", "librari"),
        ("concurrency = 0", "concurrency"),
        ("concurrency = 'many'", "concurrency"),
        ("read_only = 'perhaps'", "read_only"),
        ("registries = 5", "registries"),
        ("[registries.x]\nplain = true", "registries.x.plain"),
        ("library = [", "s.toml"),
    ],
)
def test_a_mistake_names_file_and_key(tmp_path: Path, text: str, named: str) -> None:
    """Exit code 2, before anything runs."""
    path = write(tmp_path / "s.toml", text)
    with pytest.raises(UsageError) as caught:
        load_settings(path)
    assert str(path) in caught.value.message
    assert named in caught.value.message

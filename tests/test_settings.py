"""The settings file: every key works, every mistake is named."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from rolldeck.errors import UsageError
from rolldeck.settings import RegistrySettings, Settings, load_settings

EXAMPLE = """
library = "~/models"
read_only = true
concurrency = 3
proxy = "http://proxy.internal:3128"
no_proxy = ["registry.internal", "10.0.0.0/8"]
tolerance = "0.1 %"
policy = "~/gate.toml"

[directions]
"*_drift" = "lower"

[schemes]
"ghcr.io/acme/nightly-*" = "pep440"
"ghcr.io/*" = "semver"

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
    assert found.tolerance == pytest.approx(0.001)
    assert found.policy == Path.home() / "gate.toml"
    assert found.directions == {"*_drift": "lower"}
    assert found.scheme("ghcr.io/acme/nightly-fraud") == "pep440"
    assert found.scheme("ghcr.io/acme/fraud") == "semver"
    assert found.scheme("quay.io/acme/fraud") is None
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
    ("text", "said"),
    [
        ("librari = 1", ':1: no such key "librari"; Did you mean library?'),
        (
            "\n# a comment\nconcurrenci = 9",
            ':3: no such key "concurrenci"; Did you mean concurrency?',
        ),
        (
            '[registries."ghcr.io"]\nplain_htp = true',
            ':2: no such key "plain_htp" in [registries."ghcr.io"]; Did you mean plain_http?',
        ),
        (
            "[registries.local]\nplain_http = true\n\nconcurrency = 9",
            ':4: no such key "concurrency" in [registries.local]; '
            "concurrency stands at the top of the file, before the first [table].",
        ),
        (
            "plain_http = true",
            ':1: no such key "plain_http"; '
            'plain_http stands in the table of a registry: [registries."HOST"].',
        ),
        (
            'registries = { "ghcr.io" = { plain = true } }',
            ':1: no such key "plain" in [registries."ghcr.io"]; Did you mean plain_http?',
        ),
        ("[palette]", ':1: no such key "palette"; Known keys: library, '),
        ("\nconcurrency = 0", ':2: "concurrency" should be 1 to 64'),
        ("concurrency = 'many'", ":1: \"concurrency\" should be a whole number; Found: 'many'."),
        ("read_only = 'perhaps'", ':1: "read_only" should be true or false; '),
        ("registries = 5", ':1: "registries" should be a table; Found: 5.'),
        ("[registries]\nx = 5", ':2: "x" in [registries] should be a table; Found: 5.'),
        ("library = 5", ':1: "library" should be a path in quotes; Found: 5.'),
        (
            '[registries.x]\n\n# more\nrepositories = [\n  "a",\n  7,\n]',
            ':4: "repositories" in [registries.x] should be a text in quotes; Found: 7.',
        ),
        (
            '[registries.x]\nrepositories = "a"',
            ':2: "repositories" in [registries.x] should be a l',
        ),
        ("palette = 1\nlibrary = 5", ':1: no such key "palette"; Known keys: library, '),
        ("concurrency = ['a']", ':1: "concurrency" should be a whole number; Found: a list.'),
        ('tolerance = "lots"', ':1: "tolerance" should be a number'),
        ('tolerance = "100 %"', ':1: "tolerance" should be a number'),
        ("tolerance = 1.5", ':1: "tolerance" should be from 0 to below 1'),
        ("tolerance = nan", ':1: "tolerance" should be from 0 to below 1'),
        ("[directions]\nf1 = 'up'", ':2: "f1" in [directions] should be higher, lower or none'),
        ("[schemes]\nx = 'sha'", ':2: "x" in [schemes] should be semver, pep440, calver or other'),
        ("library = [", ":1:"),
        ("read_only = true\nlibrary = ~/models", ":2:11: not TOML: invalid value; Texts stand in"),
        ('a = """\nlibrari = 1\n"""', ':1: no such key "a"'),
    ],
)
def test_a_mistake_names_file_line_and_key(tmp_path: Path, text: str, said: str) -> None:
    """And what was meant, before anything runs."""
    path = write(tmp_path / "s.toml", text)
    with pytest.raises(UsageError) as caught:
        load_settings(path)
    found = f"{caught.value.message}; {caught.value.hint}"
    assert found.startswith(f"{path}{said}")


def test_hostile_keys_and_values_are_cleaned(tmp_path: Path) -> None:
    """A settings file may come from elsewhere."""
    for text in ('"\\u001b[2Jx" = 1', 'concurrency = "\\u001b[2J"'):
        with pytest.raises(UsageError) as caught:
            load_settings(write(tmp_path / "s.toml", text))
        assert "\x1b" not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize("kind", [Settings, RegistrySettings])
def test_every_key_is_documented(kind: type) -> None:
    """With its own row in docs/settings.md, and no row for what does not exist."""
    text = (Path(__file__).parent.parent / "docs" / "settings.md").read_text(encoding="utf-8")
    part = text.partition("## Of one registry")[2 if kind is RegistrySettings else 0]
    documented = re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)
    assert documented == [item.name for item in fields(kind)]

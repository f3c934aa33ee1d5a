"""The settings file, and where rolldeck keeps things (XDG base directories).

``$XDG_CONFIG_HOME/rolldeck/settings.toml``; every key is optional and an unknown key is an error
that names it. Logins never stand here: they come from the files of Docker, Podman and kit.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from rolldeck.errors import UsageError
from rolldeck.text import clean_line

MOST_HOURS = 24 * 366
"""Longest hold or soak time, in hours."""

MOST_RELEASES = 1000
"""Most releases that a local target is told to keep."""


def home(kind: str, fallback: str) -> Path:
    """Return rolldeck's directory below ``$XDG_<kind>_HOME`` or below its standard place."""
    base = os.environ.get(f"XDG_{kind}_HOME", "")
    root = Path(base) if base.startswith("/") else Path.home() / fallback
    return root / "rolldeck"


def data_home() -> Path:
    """The library's default place."""
    return home("DATA", ".local/share")


def config_home() -> Path:
    """Where the settings file lies."""
    return home("CONFIG", ".config")


def cache_home() -> Path:
    """Where rolldeck keeps what it can ask for again."""
    return home("CACHE", ".cache")


def state_home() -> Path:
    """Where rolldeck remembers local targets and keeps crash reports."""
    return home("STATE", ".local/state")


@dataclass(frozen=True)
class RegistrySettings:
    """How to reach one registry.

    ``plain_http`` chooses http or https; without it http is for loopback hosts alone; ``ca_file``
    is a PEM file trusted in addition to the system's; ``repositories`` are shown where the
    registry cannot list its own; ``token_hosts`` are further hosts that may receive this
    registry's credentials; ``client_cert`` and ``client_key`` are PEM files that prove to the
    registry, and to nobody else, who asks (the key may stand in the first); ``proxy`` is an
    http URL, empty for none, and ``no_proxy`` are hosts, domains and networks asked without
    one, both in place of the general ones.
    """

    plain_http: bool | None = None
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    proxy: str | None = field(default=None, repr=False)
    no_proxy: tuple[str, ...] | None = None
    repositories: tuple[str, ...] = ()
    token_hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """All settings.

    ``library`` is the layout directory that references without a host name; ``concurrency``, 1 to
    64, is how many blobs are transferred at once; ``proxy`` and ``no_proxy`` replace the standard
    environment variables. ``tolerance`` is the fraction by which a metric may move and still count
    as equal; ``directions`` says by patterns of names which way of a metric is good where no
    version does; ``policy`` is a file with guardrails for metrics; ``schemes`` says by patterns of
    repositories how their tags are meant, where these could be meant in several ways.
    ``actor`` is the name that moves of channels are recorded under, None for
    user@host or the CI job; ``hold_hours`` is how long a rollback holds its channel; a version is
    good without a verdict once it was live for ``soak_hours``. A local target keeps the
    ``keep_releases`` versions unpacked that were current last, beside all that it may go back to.
    """

    library: Path = field(default_factory=data_home)
    read_only: bool = False
    concurrency: int = 5
    proxy: str | None = field(default=None, repr=False)
    no_proxy: tuple[str, ...] | None = None
    tolerance: float = 0.0
    directions: Mapping[str, Literal["higher", "lower", "none"]] = field(default_factory=dict)
    policy: Path | None = None
    schemes: Mapping[str, Literal["semver", "pep440", "calver", "other"]] = field(
        default_factory=dict
    )
    actor: str | None = None
    hold_hours: float = 24.0
    soak_hours: float = 24.0
    keep_releases: int = 3
    registries: Mapping[str, RegistrySettings] = field(default_factory=dict)

    def registry(self, host: str) -> RegistrySettings:
        """Return the settings of a registry, defaults where none are written."""
        return self.registries.get(host, RegistrySettings())

    def scheme(self, repository: str) -> Literal["semver", "pep440", "calver", "other"] | None:
        """Return how the tags of a repository are meant, by the first pattern that fits its name;
        None where the settings do not say."""
        found = (name for pattern, name in self.schemes.items() if fnmatchcase(repository, pattern))
        return next(found, None)


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings file; raises UsageError that names the file and the key."""
    chosen = path or config_home() / "settings.toml"
    try:
        text = chosen.read_text("utf-8")
    except FileNotFoundError:
        if path is not None:
            raise UsageError(f"No settings file {path}", reference=str(path)) from None
        return Settings()
    except (UnicodeDecodeError, OSError) as error:
        raise _unreadable(chosen, error) from None
    settings = _parse(text, chosen)
    policy = settings.policy.expanduser() if settings.policy else None
    return replace(settings, library=settings.library.expanduser(), policy=policy)


def _unreadable(path: Path, error: Exception) -> UsageError:
    text = clean_line(str(error), 200)
    return UsageError(f"Cannot read settings {path}: {text}", reference=str(path))


def _parse(text: str, path: Path) -> Settings:
    # Imported here: pydantic takes 80 ms, which only users with a settings file should pay.
    import tomllib

    from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

    strict = ConfigDict(extra="forbid")
    for kind in (RegistrySettings, Settings):
        with_config(strict)(kind)
    try:
        settings = TypeAdapter(Settings).validate_python(_with_fraction(tomllib.loads(text)))
    except tomllib.TOMLDecodeError as error:
        from rolldeck.settings_mistakes import syntax_mistake

        raise syntax_mistake(path, text, error) from None
    except ValidationError as error:
        from rolldeck.settings_mistakes import key_mistake

        names = [[item.name for item in fields(kind)] for kind in (Settings, RegistrySettings)]
        raise key_mistake(path, text, error.errors(include_url=False), *names) from None
    if not 1 <= settings.concurrency <= 64:
        from rolldeck.settings_mistakes import range_mistake

        raise range_mistake(path, text, "concurrency", "1 to 64")
    if not 0 <= settings.tolerance < 1:
        from rolldeck.settings_mistakes import range_mistake

        raise range_mistake(path, text, "tolerance", "from 0 to below 1, or a percentage")
    if not 1 <= settings.keep_releases <= MOST_RELEASES:
        from rolldeck.settings_mistakes import range_mistake

        raise range_mistake(path, text, "keep_releases", f"1 to {MOST_RELEASES}")
    for key in ("hold_hours", "soak_hours"):
        if not 0 <= getattr(settings, key) <= MOST_HOURS:
            from rolldeck.settings_mistakes import range_mistake

            raise range_mistake(path, text, key, f"0 to {MOST_HOURS}")
    return settings


def _with_fraction(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with the tolerance as a number, where it is a percentage."""
    from rolldeck.units import fraction

    tolerance = document.get("tolerance")
    if isinstance(tolerance, str):
        with suppress(ValueError):
            return {**document, "tolerance": fraction(tolerance)}
    return document

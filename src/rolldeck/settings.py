"""The settings file, and where rolldeck keeps things (XDG base directories).

``$XDG_CONFIG_HOME/rolldeck/settings.toml``; every key is optional and an unknown key is an error
that names it. Credentials never stand here: they come from Docker's and kit's own files.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rolldeck.errors import UsageError
from rolldeck.text import clean_line


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


def state_home() -> Path:
    """Where rolldeck remembers local targets and keeps crash reports."""
    return home("STATE", ".local/state")


class RegistrySettings(BaseModel):
    """How to reach one registry.

    ``plain_http`` chooses http or https; without it http is for loopback hosts alone; ``ca_file`` is a PEM
    file trusted in addition to the system's; ``repositories`` are shown where the registry cannot
    list its own; ``token_hosts`` are further hosts that may receive this registry's credentials.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    plain_http: bool | None = None
    ca_file: Path | None = None
    repositories: tuple[str, ...] = ()
    token_hosts: tuple[str, ...] = ()


class Settings(BaseModel):
    """All settings; ``library`` is the layout directory that references without a host name."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    library: Path = Field(default_factory=data_home)
    read_only: bool = False
    concurrency: int = Field(default=5, ge=1, le=64)
    registries: dict[str, RegistrySettings] = Field(default_factory=dict)

    def registry(self, host: str) -> RegistrySettings:
        """Return the settings of a registry, defaults where none are written."""
        return self.registries.get(host, RegistrySettings())


def load_settings(path: Path | None = None) -> Settings:
    """Read the settings file; raises UsageError that names the file and the key."""
    chosen = path or config_home() / "settings.toml"
    try:
        document = tomllib.loads(chosen.read_text("utf-8"))
        settings = Settings.model_validate(document)
    except FileNotFoundError:
        if path is not None:
            raise UsageError(f"No settings file {path}", reference=str(path)) from None
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"Bad settings in {chosen}: {clean_line(key, 80)}: {clean_line(first['msg'], 200)}",
            reference=str(chosen),
            hint=f"Known keys: {', '.join(Settings.model_fields)}",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UsageError(
            f"Cannot read settings {chosen}: {clean_line(str(error), 200)}", reference=str(chosen)
        ) from None
    return settings.model_copy(update={"library": settings.library.expanduser()})

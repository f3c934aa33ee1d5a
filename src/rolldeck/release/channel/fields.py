"""The fields of a record: text in the annotations of a manifest, so that any OCI tool shows them.

What stands there came from outside: what is shown is cleaned, what decides is checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rolldeck.errors import IntegrityError
from rolldeck.oci import Digest, is_digest
from rolldeck.text import clean_line
from rolldeck.units import rfc3339

PREFIX = "vnd.rolldeck."
"""How the names of rolldeck's annotations begin."""
CREATED = "org.opencontainers.image.created"

_TEXT_LIMIT = 2000


def encode_fields(time: datetime, fields: Mapping[str, Any]) -> dict[str, str]:
    """Return the annotations of a record; fields that are None or empty are left out."""
    annotations = {CREATED: rfc3339(time)}
    for name, value in fields.items():
        if value is None or value in ("", ()):
            continue
        plain = isinstance(value, str)
        annotations[PREFIX + name] = (
            value if plain else json.dumps(value, sort_keys=True, separators=(",", ":"))
        )
    return annotations


class Fields:
    """Reads the annotations of one record; each method raises IntegrityError for a false one."""

    def __init__(self, annotations: Mapping[str, str], place: str) -> None:
        self._annotations = annotations
        self._place = place

    def wrong(self, name: str) -> IntegrityError:
        """Return the error that says which field of the record is false."""
        return IntegrityError(
            f"{self._place}: {name} is missing or malformed", reference=self._place
        )

    def text(self, name: str) -> str | None:
        """Return a text as it may be shown."""
        value = self._annotations.get(PREFIX + name)
        return clean_line(value, _TEXT_LIMIT) if value else None

    def required(self, name: str) -> str:
        """Return a text that must be there."""
        value = self.text(name)
        if value is None:
            raise self.wrong(name)
        return value

    def digest(self, name: str) -> Digest | None:
        """Return a digest, or None where it is absent."""
        value = self._annotations.get(PREFIX + name)
        if not value:
            return None
        if not is_digest(value):
            raise self.wrong(name)
        return Digest(value)

    def required_digest(self, name: str) -> Digest:
        """Return a digest that must be there."""
        value = self.digest(name)
        if value is None:
            raise self.wrong(name)
        return value

    def number(self, name: str) -> int | None:
        """Return a number from 1 on, or None where it is absent."""
        value = self._annotations.get(PREFIX + name)
        if not value:
            return None
        if not (value.isascii() and value.isdigit() and len(value) <= 12) or int(value) == 0:
            raise self.wrong(name)
        return int(value)

    def moment(self, name: str) -> datetime | None:
        """Return a moment, or None where it is absent."""
        value = self._annotations.get(PREFIX + name)
        return self._parse(value, name) if value else None

    @property
    def created(self) -> datetime:
        """When the record says that it was made."""
        return self._parse(self._annotations.get(CREATED, ""), "created")

    def _parse(self, value: str, name: str) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            raise self.wrong(name) from None

    def items(self, name: str) -> list[dict[str, Any]]:
        """Return a list of objects; empty where it is absent."""
        value = self._annotations.get(PREFIX + name)
        if not value:
            return []
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            raise self.wrong(name) from None
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise self.wrong(name)
        return found

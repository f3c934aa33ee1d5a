"""The headers of an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from email.message import Message


class Headers(Mapping[str, str]):
    """Header values by name in any case; those of one name are joined by a comma (RFC 9110 5.3)."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def all(self, name: str) -> list[str]:
        """Return the values of a name one by one."""
        return self._message.get_all(name) or []

    def __getitem__(self, name: str) -> str:
        found = self.all(name)
        if not found:
            raise KeyError(name)
        return ", ".join(found)

    def __iter__(self) -> Iterator[str]:
        return iter(self._message)

    def __len__(self) -> int:
        return len(self._message)

"""The few errors a user can meet, each with a stable exit code.

A message names what failed and for which reference; the hint says what to do next. Front ends
print them as one line (or one JSON object) and exit with ``code``; nothing else of an error
reaches the user.
"""

from __future__ import annotations

from typing import ClassVar

from rolldeck.secret import redact


class RolldeckError(Exception):
    """Base of every user-facing error.

    ``message`` and ``hint`` are plain text without a trailing newline and without any secret;
    ``reference`` is the version, path or host that the message is about, as the user typed or would
    type it.
    """

    code: ClassVar[int] = 70
    kind: ClassVar[str] = "bug"

    def __init__(
        self, message: str, *, reference: str | None = None, hint: str | None = None
    ) -> None:
        message = redact(message)
        super().__init__(message)
        self.message = message
        self.reference = reference
        self.hint = redact(hint) if hint else hint


class UsageError(RolldeckError):
    """Bad arguments, a badly typed reference or digest, bad settings."""

    code = 2
    kind = "usage"


class NotFoundError(RolldeckError):
    """A repository, tag, digest, generation or file that does not exist."""

    code = 3
    kind = "not-found"


class DeniedError(RolldeckError):
    """Authentication or authorization failed."""

    code = 4
    kind = "denied"


class UntrustedRealmError(DeniedError):
    """A login was not sent to a token server that the user never confirmed.

    ``registry`` named the token server; ``token_host`` is its ``host[:port]``.
    """

    def __init__(self, message: str, *, registry: str, token_host: str, hint: str) -> None:
        super().__init__(message, reference=registry, hint=hint)
        self.registry = registry
        self.token_host = token_host


class UnavailableError(RolldeckError):
    """Network or TLS failed, or the registry is unavailable or is no registry."""

    code = 5
    kind = "unavailable"


class IntegrityError(RolldeckError):
    """A digest, size or media type does not match, or a store is damaged."""

    code = 6
    kind = "integrity"


class StorageError(RolldeckError):
    """Local storage: no space, no rights, read-only."""

    code = 7
    kind = "storage"


class RefusedError(RolldeckError):
    """Refused for safety: an unsafe archive, a hold, a policy."""

    code = 8
    kind = "refused"


class BusyError(RolldeckError):
    """Another process holds the lock, or something moved under us."""

    code = 9
    kind = "busy"


class CancelledError(RolldeckError):
    """The user cancelled; what was already received is dropped or kept as the action says."""

    code = 130
    kind = "cancelled"

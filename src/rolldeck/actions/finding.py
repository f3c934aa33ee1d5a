"""What the doctor found: one thing looked at, what it means, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rolldeck.errors import RolldeckError

Severity = Literal["ok", "warn", "fail", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    ``area`` is what it belongs to, ``detail`` what was seen, ``meaning`` what that means for who
    uses rolldeck, ``hint`` what to do. ``code`` is the exit code of this failure, 0 without one.
    """

    area: str
    check: str
    severity: Severity
    detail: str
    meaning: str = ""
    hint: str = ""
    code: int = 0


def failed(area: str, check: str, error: RolldeckError, meaning: str) -> Finding:
    """Return the finding for an error that an ordinary command would meet, too."""
    return Finding(area, check, "fail", error.message, meaning, error.hint or "", error.code)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings; ``registry`` is who was asked, None for nobody."""

    registry: str | None
    findings: tuple[Finding, ...]

    @property
    def code(self) -> int:
        """The exit code: that of the first failure, 0 where nothing fails."""
        return next((item.code for item in self.findings if item.severity == "fail"), 0)

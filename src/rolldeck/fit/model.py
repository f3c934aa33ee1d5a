"""``Fit``: whether a version fits a host, and everything that speaks for or against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["blocker", "warn", "info"]
"""``blocker``: it will not run as recorded; ``warn``: it may fail or act in another way."""

SEVERITIES: tuple[Severity, ...] = ("blocker", "warn", "info")
"""All severities, worst first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a version says of its environment, held against the host.

    ``version`` is what the version has or wants, ``host`` what is here, both None where there is
    nothing to name. ``detail`` goes on where ``what`` and ``version`` end: ``is not installed``.
    """

    what: str
    version: str | None
    host: str | None
    severity: Severity
    detail: str

    @property
    def text(self) -> str:
        """The finding as one sentence."""
        return " ".join(part for part in (self.what, self.version, self.detail) if part)


@dataclass(frozen=True, slots=True)
class Fit:
    """The judgement: ``fits`` is None where it cannot be told; findings stand worst first."""

    fits: bool | None
    findings: tuple[Finding, ...] = ()

    def count(self, severity: Severity) -> int:
        """Return how many findings are that severe."""
        return sum(item.severity == severity for item in self.findings)

    @property
    def line(self) -> str:
        """The judgement and its first reason in short: ``no: numpy 2.1.0 is not installed``."""
        if self.fits is None:
            reason = next((item.text for item in self.findings), "nothing is recorded")
            return f"unknown: {reason}"
        worst: Severity = "warn" if self.fits else "blocker"
        found = (item.text for item in self.findings if item.severity == worst)
        reasons = [text.partition(";")[0] for text in found]
        if not reasons:
            return "yes"
        more = f" (+{len(reasons) - 1} more)" if len(reasons) > 1 else ""
        return f"{'yes, but' if self.fits else 'no:'} {reasons[0]}{more}"

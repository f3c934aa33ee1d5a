"""From a version's facts and the readings of a host to the judgement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rolldeck.facts import Facts
from rolldeck.fit.gpu import gpu_findings
from rolldeck.fit.host import Host
from rolldeck.fit.install import install_findings
from rolldeck.fit.locked import find_lock
from rolldeck.fit.model import SEVERITIES, Finding, Fit
from rolldeck.fit.packages import package_findings
from rolldeck.fit.system import Recorded, memory_finding, system_findings

_DECISIVE = (("python", "version"), ("python", "requires"))


def judge(
    facts: Facts, host: Host, files: Mapping[str, bytes] | None = None, weights: int = 0
) -> Fit:
    """Judge whether a version fits a host.

    ``files`` are its small text files by path, a lock among them; ``weights`` is the size of its
    weights in bytes. A blocker decides; without one it fits where an interpreter was read and the
    version names packages or a Python, and else that cannot be told.
    """
    files = files or {}
    found = list(dict.fromkeys(_findings(facts, host, files, weights)))
    found.sort(key=lambda item: SEVERITIES.index(item.severity))
    if any(item.severity == "blocker" for item in found):
        return Fit(False, tuple(found))
    recorded = Recorded.of(facts)
    named = bool(facts.packages) or any(recorded.get(*each) for each in _DECISIVE)
    if host.python is not None and not named:
        named = find_lock(files, host.python.markers) is not None
    if not named:
        missing = Finding("environment", None, None, "info", "of the version is not recorded")
        found.insert(0, missing)
    return Fit(True if named and host.python is not None else None, tuple(found))


def _findings(
    facts: Facts, host: Host, files: Mapping[str, bytes], weights: int
) -> Iterator[Finding]:
    yield from gpu_findings(facts, weights, host)
    yield from system_findings(facts, host)
    yield from memory_finding(weights, host)
    if host.python is not None:
        yield from package_findings(facts, host.python)
        yield from install_findings(files, host.python)

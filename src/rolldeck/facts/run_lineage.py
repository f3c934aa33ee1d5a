"""What a run came from: its data, its parents, its commit and the run itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rolldeck.facts.document import (
    entries,
    mapping,
    name,
    objects,
    text,
    unique,
    without_credentials,
)
from rolldeck.facts.model import DataSet, LineageFact

_STRONGEST_FIRST = ("sha256", "sha512", "diff_id", "dvc-md5", "md5", "mlflow", "etag")
"""Digest schemes in the order in which one is chosen; any other comes after them, by name."""
_MOST_DIGESTS = 8
"""Most digests of other schemes that are read of one thing."""

_LINEAGE_ROLES = {
    "parent": "parent",
    "base-model": "base model",
    "pipeline": "pipeline",
    "container-image": "container image",
}

_SOURCE = (
    ("git repository", "vcs.repository.url.full"),
    ("git revision", "vcs.ref.head.revision"),
    ("git branch", "vcs.ref.head.name"),
    ("git dirty", "dirty"),
    ("git patch", "patchDigest"),
)
_RUN = (
    ("run system", "system"),
    ("run id", "invocationId"),
    ("run status", "status"),
    ("run started", "startedOn"),
    ("run finished", "finishedOn"),
    ("tracking server", "trackingUri"),
)
_CAPTURE = (("captured at", "capturedAt"), ("captured by", "capturedBy"))


def all_digests(digests: Any) -> list[tuple[str, str]]:
    """Return scheme and value of all in an object of digests, the strongest first."""
    found = {
        scheme.lower(): digest
        for key, value in entries(digests)
        if (scheme := name(key)) and (digest := name(value))
    }
    known = [scheme for scheme in _STRONGEST_FIRST if scheme in found]
    others = sorted(set(found).difference(known))[:_MOST_DIGESTS]
    return [(scheme, found[scheme]) for scheme in (*known, *others)]


def strongest_digest(digests: Any) -> tuple[str, str] | None:
    """Return scheme and value of the strongest digest in an object of digests, None without one."""
    return next(iter(all_digests(digests)), None)


def read_data(record: Mapping[str, Any], source: str) -> tuple[DataSet, ...]:
    """Return the data sets among a record's resolved dependencies, under each digest they have.

    One without a digest is identified by its URI or, failing that, by its name.
    """
    data: list[DataSet] = []
    for dependency in objects(record.get("resolvedDependencies")):
        role = name(dependency.get("role")) or "data"
        if role in _LINEAGE_ROLES:
            continue
        uri = _address(dependency.get("uri"))
        label = name(dependency.get("name")) or uri
        if label is None:
            continue
        known = all_digests(dependency.get("digest")) or [("uri", uri) if uri else ("name", label)]
        data += (DataSet(label, role, scheme, identity, source) for scheme, identity in known)
    return tuple(data)


def read_lineage(record: Mapping[str, Any], source: str) -> tuple[LineageFact, ...]:
    """Return commit, run, parents and capture of a record under unique names."""
    pairs = list(_lineage(record))
    names = unique(label for label, _ in pairs)
    return tuple(
        LineageFact(label, value, source) for label, (_, value) in zip(names, pairs, strict=True)
    )


def _lineage(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for section, fields in (("source", _SOURCE), ("run", _RUN)):
        found = mapping(record.get(section))
        for label, key in fields:
            if value := plain(found.get(key)):
                yield label, value
    for dependency in objects(record.get("resolvedDependencies")):
        role = _LINEAGE_ROLES.get(name(dependency.get("role")) or "")
        address = _address(dependency.get("uri")) or name(dependency.get("name"))
        digest = strongest_digest(dependency.get("digest"))
        if role and (address or digest):
            identity = f"{digest[0]}:{digest[1]}" if digest else None
            yield role, " ".join(part for part in (address, identity) if part)
    lock = mapping(mapping(record.get("environment")).get("lock"))
    if digest := strongest_digest(lock.get("digest")):
        yield "lock file", f"{name(lock.get('path')) or 'lock'} {digest[0]}:{digest[1]}"
    for label, key in _CAPTURE:
        if value := plain(record.get(key)):
            yield label, value


def plain(value: Any) -> str | None:
    """Return a scalar as text: ``yes`` or ``no`` for a truth value, addresses without passwords."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    found = text(value)
    return without_credentials(found) if found else None


def _address(value: Any) -> str | None:
    found = name(value)
    return without_credentials(found) if found else None

"""Leases: what running operations need of a library, so that collecting garbage leaves it alone.

A lease is a small file in ``leases/`` that names digests and the process that needs them. It is
made under the library's lock, before the operation looks at what is there, and ends with the
process. It is not synced: after a power cut no process runs that could need it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rolldeck import fsops
from rolldeck.oci import Digest, is_digest
from rolldeck.process import ProcessId

FOREIGN_SECONDS = 24 * 3600.0
"""How long a lease counts whose process cannot be seen from here: of another machine or container,
or one that cannot be read."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What one operation needs: manifests with all that they name, and single blobs.

    ``digests`` is None for everything: the operation makes blobs whose digests nobody knows yet,
    or the file cannot be read. ``dead`` means that nobody needs it any more.
    """

    path: Path
    text: str
    digests: frozenset[Digest] | None
    dead: bool = False


def write_lease(
    directory: Path, verb: str, reference: str, digests: Iterable[Digest] | None
) -> Path:
    """Write down what this process needs; the library's lock must be held. Remove it at the end."""
    process = ProcessId.own()
    document = {
        "verb": verb,
        "reference": reference,
        "digests": None if digests is None else sorted(digests),
        "process": process.to_json(),
    }
    path = directory / f"{process.pid}-{os.urandom(6).hex()}.json"
    data = json.dumps(document, separators=(",", ":")).encode()
    with fsops.storage(path):
        fd = fsops.create(path, 0o600)
        try:
            fsops.write(fd, data)
        except BaseException:
            fsops.unlink(path)
            raise
        finally:
            os.close(fd)
    return path


def read_leases(directory: Path, now: float | None = None) -> list[Lease]:
    """Read all leases, dead ones included; to be relied on, the library's lock must be held."""
    moment = time.time() if now is None else now
    with fsops.storage(directory):
        names = sorted(os.listdir(directory)) if directory.is_dir() else []
        found = (_read(directory / name, moment) for name in names)
        return [lease for lease in found if lease]


def _read(path: Path, now: float) -> Lease | None:
    try:
        data = path.read_bytes()
        old = now - path.stat().st_mtime > FOREIGN_SECONDS
    except FileNotFoundError:
        return None  # given back meanwhile
    if not data:
        # Its writer was killed before it began: under the lock nobody writes now.
        return Lease(path, "an operation that ended", None, dead=True)
    try:
        document = json.loads(data)
        process = ProcessId.from_json(document["process"])
        text = f"{document['verb']} of {document['reference']}, process {process.pid}"
        digests = document["digests"]
        needed = None if digests is None else frozenset(Digest(item) for item in digests)
        if needed and not all(is_digest(digest) for digest in needed):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        return Lease(path, f"an operation whose lease cannot be read: {path}", None, dead=old)
    runs = process.runs()
    if runs is None:
        text += f" on {process.host}"
    return Lease(path, text, needed, dead=old if runs is None else not runs)

"""kit's own storage for tests: the real one out of the golden data, and others in its form."""

from __future__ import annotations

import base64
import json
import os
import shutil
import stat
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rolldeck.oci import LayoutRegistry

GOLDEN = Path(__file__).parent / "golden"
GOLDEN_PREFIX = "127.0.0.1:5081/golden/"
"""What the names of the repositories in the real storage begin with."""


def real_kit_home(directory: Path) -> Path:
    """Unpack the storage that kit wrote and return the home it belongs to."""
    with tarfile.open(GOLDEN / "kit-home.tar.gz") as archive:
        archive.extractall(directory, filter="fully_trusted")
    home = directory / "kit-home"
    for path in (home, *home.rglob("*")):
        # Extracted by root, the files would belong to whoever packed them.
        os.chown(path, os.getuid(), os.getgid())
    return home


def made_kit_home(home: Path, layouts: Mapping[str, Path]) -> Path:
    """Keep layouts under the names given, in kit's form; synthetic, but for the blobs."""
    storage = home / "storage"
    blobs = storage / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    for name, layout in layouts.items():
        tags: dict[str, Any] = {}
        for entry in LayoutRegistry(layout).entries():
            if entry.tag:
                tags[entry.tag] = {
                    "mediaType": entry.descriptor.media_type,
                    "digest": entry.descriptor.digest,
                    "size": entry.descriptor.size,
                }
        for blob in (layout / "blobs" / "sha256").iterdir():
            if not (blobs / blob.name).exists():
                shutil.copy(blob, blobs / blob.name)
        keep(home, name, tags)
    return home


def keep(home: Path, name: str, tags: Mapping[str, Any], *untagged: Any) -> None:
    """Write the two index files of a repository as kit does."""
    storage = home / "storage"
    storage.mkdir(parents=True, exist_ok=True)
    stored = name if "." in name.partition("/")[0] and "/" in name else f"localhost/{name}"
    encoded = base64.urlsafe_b64encode(stored.encode()).decode()
    manifests = list({item["digest"]: item for item in (*tags.values(), *untagged)}.values())
    index = {"schemaVersion": 2, "manifests": manifests}
    (storage / f"{encoded}-index.json").write_text(json.dumps(index))
    if tags:
        (storage / f"{encoded}-tags.json").write_text(json.dumps(tags))


def everything_in(root: Path) -> dict[str, tuple[Any, ...]]:
    """Return what would show any write below ``root``: names, modes, inodes, times and content.

    A directory's time changes with every name made or removed in it, even one that is gone again,
    and a time of change cannot be set back.
    """
    found: dict[str, tuple[Any, ...]] = {}
    for path in (root, *sorted(root.rglob("*"))):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else None
        times = (status.st_mtime_ns, status.st_ctime_ns)
        found[str(path.relative_to(root))] = (status.st_mode, status.st_ino, times, content)
    return found

"""What holds after any crash, checked in one place.

I1  every file in blobs/ hashes to its name
I2  every name in the library, and every ``current``, names a version whose blobs are all here, as
    blobs or to be rebuilt from a release
I3  ``current`` is a version that was pinned (that it is the old or the new one is the test's)
I4  a release directory is complete, recorded or not; so is an unpacked directory
I6  nothing lies outside the library, the destination and rolldeck's own state

I5 (what came is not fetched again) is counted where bytes are: by the callers, at a proxy or in
what ``pull --json`` says.
"""

from __future__ import annotations

import hashlib
import json
import os
from io import BufferedReader
from pathlib import Path

from rolldeck.half_made import TEMPORARY_PREFIX
from rolldeck.kit import verify_tree
from rolldeck.kit.rebuild import RebuiltBlob
from rolldeck.kit.staging_place import PREFIX
from rolldeck.oci import Digest
from rolldeck.progress import Progress
from rolldeck.release import Target
from rolldeck.store import Library

Files = dict[str, str]
"""The files below a directory: relative path to sha256."""


def broken(root: Path, trees: dict[str, Files]) -> list[str]:
    """Say what does not hold below ``root``, a directory with ``library``, ``serving``, ``out``
    and ``home``; empty when all is well.

    ``trees`` are the files of each version that may be unpacked, by its digest.
    """
    return [
        *broken_library(root / "library"),
        *_target(Target(root / "serving"), trees),
        *_destination(root / "out", trees),
        *(f"outside: {path}" for path in _outside(root)),
    ]


def broken_library(library: Path) -> list[str]:
    """Say what does not hold in a library: I1 and I2."""
    return [*_blobs(library), *_names(library)]


def temporaries(root: Path) -> list[str]:
    """What is half-made below ``root``: at most one thing per kill, and gone after the next run."""
    found = []
    for place, directories, files in os.walk(root):
        found += [f"{place}/{name}" for name in (*directories, *files) if _is_temporary(name)]
        directories[:] = [name for name in directories if not _is_temporary(name)]
    return found


def files_of(directory: Path) -> Files:
    """Hash every file below a directory."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def names_of(library: Path) -> dict[str, Digest]:
    """What stands in a library: ``repository:tag`` (or a digest) to digest; no library, no name."""
    if not (library / "index.json").exists():
        return {}
    return {
        f"{entry.repository}:{entry.tag}" if entry.tag else entry.descriptor.digest: (
            entry.descriptor.digest
        )
        for entry in Library(library).layout.entries()
    }


def _is_temporary(name: str) -> bool:
    return name.startswith((TEMPORARY_PREFIX, PREFIX))


def _blobs(library: Path) -> list[str]:
    wrong = []
    for path in (library / "blobs").glob("*/*"):
        digest = hashlib.new(path.parent.name, path.read_bytes()).hexdigest()
        if digest != path.name:
            wrong.append(f"I1: blob {path.name} holds other bytes")
    return wrong


def _names(library: Path) -> list[str]:
    wrong = []
    if (library / "rolldeck.json").exists() and not (library / "index.json").exists():
        wrong.append("I2: a library without its index")
    for name, digest in names_of(library).items():
        manifest_path = library / "blobs" / digest.replace(":", "/")
        if not manifest_path.exists():
            wrong.append(f"I2: {name} names a manifest that is not here")
            continue
        document = json.loads(manifest_path.read_bytes())
        for blob in [document.get("config"), *document.get("layers", [])]:
            here = blob and (library / "blobs" / blob["digest"].replace(":", "/")).exists()
            if blob and not here and not _is_rebuilt(library, Digest(blob["digest"])):
                wrong.append(f"I2: {name} needs {blob['digest']}, which is not here")
    return wrong


def _is_rebuilt(library: Path, digest: Digest) -> bool:
    target = Target(library.with_name("serving"))
    for release in target.holders(digest) if target.exists else ():
        skeleton = target.skeleton(release.digest, digest)
        assert skeleton
        with BufferedReader(RebuiltBlob(target.directory(release.digest), skeleton)) as blob:
            if f"sha256:{hashlib.file_digest(blob, 'sha256').hexdigest()}" == digest:
                return True
    return False


def _target(target: Target, trees: dict[str, Files]) -> list[str]:
    if not target.exists:
        return []
    wrong = []
    by_name = {digest.partition(":")[2][:12]: files for digest, files in trees.items()}
    for directory in target.releases.iterdir() if target.releases.exists() else ():
        if _is_temporary(directory.name):
            continue
        name = directory.name.partition(".")[0]
        if ".changed-" not in directory.name and files_of(directory) != by_name.get(name):
            wrong.append(f"I4: releases/{directory.name} is not the whole version")
    current = target.current()
    history = target.history()
    if current is not None:
        release = target.release(current)
        if release is None:
            return [*wrong, f"I2: current is {current}, which is not unpacked"]
        wrong += [
            f"I2: current: {path}: {problem}"
            for path, problem in verify_tree(target.directory(current), release.tree, Progress())
        ]
        if current not in trees:
            wrong.append(f"I3: current is {current}, which nobody pinned")
    if (history[-1].to_digest if history else None) != current:
        wrong.append("I3: the history does not end with what is current")
    numbers = [generation.number for generation in history]
    if numbers != sorted(set(numbers)):
        wrong.append("I3: two generations share a number")
    return wrong


def _destination(out: Path, trees: dict[str, Files]) -> list[str]:
    if out.exists() and files_of(out) not in trees.values():
        return ["I4: what was unpacked is not the whole version"]
    return []


def _outside(root: Path) -> list[str]:
    allowed = {"library", "serving", "out", "home"}
    return sorted(
        path.name
        for path in root.iterdir()
        if path.name not in allowed and not _is_temporary(path.name)
    )

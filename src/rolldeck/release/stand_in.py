"""Releases that stand in for blobs: a verified tree and its skeletons are the blobs once more.

A version that was received in one pass is on the disk once, as files. Where its large blobs are
needed again, they are rebuilt from any release of a known target, and hashed by whoever reads them.
"""

from __future__ import annotations

from rolldeck.errors import IntegrityError, NotFoundError, RolldeckError
from rolldeck.kit.rebuild import RebuiltBlob
from rolldeck.kit.skeleton import Content, Skeleton
from rolldeck.oci import Digest
from rolldeck.progress import Progress
from rolldeck.release.known import known_paths
from rolldeck.release.target import Release, Target
from rolldeck.text import clean_line


def has_stand_in(layer: Digest) -> bool:
    """Whether some release may stand in for a blob; only opening it tells whether it does."""
    return any(_holders(target, layer) for target in _targets())


def stand_ins(layer: Digest) -> list[tuple[Target, Release]]:
    """Return the releases that may stand in for a blob, each with its target."""
    return [(target, release) for target in _targets() for release in _holders(target, layer)]


def stands_in_elsewhere(layer: Digest, target: Target, digest: Digest) -> bool:
    """Whether some release other than that one of a target may stand in for a blob."""
    known = {found.path: found for found in (*_targets(), target)}
    return any(
        release.digest != digest or place.path != target.path
        for place in known.values()
        for release in _holders(place, layer)
    )


def open_stand_in(layer: Digest, progress: Progress | None = None) -> RebuiltBlob:
    """Open a blob that is rebuilt from a release whose files are as they were unpacked.

    Raises IntegrityError, naming the file, where all releases that hold it were changed, and
    NotFoundError where there is none.
    """
    changed: IntegrityError | None = None
    for target, release in stand_ins(layer):
        try:
            return open_release(target, release, layer, progress or Progress())
        except IntegrityError as error:
            changed = error
    raise changed or NotFoundError(
        f"Blob {layer} is neither in the library nor in a release of a known target",
        reference=layer,
        hint="Pull the version again from where it came.",
    )


def _targets() -> list[Target]:
    return [target for target in (Target(known.path) for known in known_paths()) if target.exists]


def _holders(target: Target, layer: Digest) -> list[Release]:
    try:
        return target.holders(layer)
    except RolldeckError:
        return []  # a damaged record: that target is of no help, and `verify` says why


def open_release(
    target: Target, release: Release, layer: Digest, progress: Progress
) -> RebuiltBlob:
    """Open a blob that is rebuilt from one release; raises as ``open_stand_in``."""
    skeleton = target.skeleton(release.digest, layer)
    directory = target.directory(release.digest)
    if skeleton is None:
        raise NotFoundError(f"{directory} has no skeleton of {layer}", reference=layer)
    changes = dict(target.changes(release.digest, progress))
    changed = [path for path in _files(skeleton) if path in changes]
    if changed:
        problem = clean_line(f"{directory}/{changed[0]}: {changes[changed[0]]}")
        raise IntegrityError(
            problem,
            reference=layer,
            hint="Pull the version again from where it came.",
        )
    return RebuiltBlob(directory, skeleton)


def _files(skeleton: Skeleton) -> list[str]:
    return [piece.path for piece in skeleton.pieces() if isinstance(piece, Content)]

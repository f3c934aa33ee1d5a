"""Local targets: directories whose ``current`` link names one unpacked, verified version.

Layout: ``releases/<first 12 of digest>/`` (a version's files), ``current`` (a relative link to one
of them) and ``.rolldeck/`` (``history.jsonl``, one record per release, the skeletons of its large
layers, the lock). A release is recorded, then its directory gets its name in one rename: only both
together are a release. ``current`` is replaced in one rename.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from rolldeck import fsops, half_made, locks
from rolldeck.errors import BusyError, IntegrityError, NotFoundError, RefusedError
from rolldeck.kit.staging_place import is_worthless, sweep_places
from rolldeck.kit.tree import Stamp, Tree, verify_tree
from rolldeck.oci import Digest, is_digest, parse_digest
from rolldeck.progress import Progress
from rolldeck.release.generation import Generation, effective, parse_line, trail
from rolldeck.units import short_digest

if TYPE_CHECKING:
    from rolldeck.kit.skeleton import Skeleton


@dataclass(frozen=True, slots=True)
class Release:
    """One unpacked version in a target: where it came from and every file that it holds.

    ``stamps`` tell whether a file was touched since it was unpacked. ``chain`` are the kits that
    its model came from, nearest first: the tags that name them may move.
    """

    digest: Digest
    reference: str
    label: str
    tree: Tree
    stamps: Mapping[str, Stamp] = field(default_factory=dict)
    chain: tuple[Digest, ...] = ()


class Target:
    """One local target; reading blocks for milliseconds, moving takes its lock."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.releases = self.path / "releases"
        self.link = self.path / "current"
        self._state = self.path / ".rolldeck"
        self._journal = self._state / "history.jsonl"

    @property
    def exists(self) -> bool:
        """Whether the directory is a local target."""
        return self._state.is_dir()

    def require(self) -> Target:
        """Return this target; raises NotFoundError where the directory is none."""
        if not self.exists:
            raise NotFoundError(
                f"{self.path} is no local target",
                reference=str(self.path),
                hint=f"Pin a version to it first: rolldeck pin REFERENCE {self.path}",
            )
        return self

    def prepare(self) -> None:
        """Make the directory a local target; refuses a directory with other things in it."""
        if obstacle := self.obstacle():
            raise RefusedError(
                f"{self.path} {obstacle}",
                reference=str(self.path),
                hint="Choose an empty or a new directory.",
            )
        # This order, so that a target whose making was cut short is still known for one.
        for directory in (self._state / "releases", self.releases):
            fsops.make_directories(directory)

    def obstacle(self) -> str | None:
        """Say why the directory cannot become a local target; None where it is one or can."""
        if self.exists:
            return None
        with fsops.storage(self.path):
            if self.path.is_symlink() or (self.path.exists() and not self.path.is_dir()):
                return "is no directory"
            if self.path.is_dir() and any(self.path.iterdir()):
                return "has files that rolldeck did not put there"
        return None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the target for one move; BusyError when another process holds it."""
        with locks.locked(self._state / "lock"):
            state = (self._state, self._state / "releases", *(self._state / "layers").glob("*"))
            for directory in (self.path, self.releases, *state):
                half_made.sweep(directory)
            sweep_places(self.releases, is_worthless)
            self._forget_removed()
            yield

    def directory(self, digest: Digest) -> Path:
        """Where a version's files lie."""
        return self.releases / short_digest(digest)

    def current(self) -> Digest | None:
        """The version that ``current`` names; None before the first pin.

        Raises IntegrityError where the link leads to something that rolldeck did not unpack.
        """
        try:
            name = os.readlink(self.link)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise IntegrityError(f"{self.link} is no link", reference=str(self.path)) from error
        release = (
            self._read_record(Path(name).name) if Path(name).parent == Path("releases") else None
        )
        if release is None:
            raise IntegrityError(
                f"{self.link} leads to {name}, which rolldeck did not unpack",
                reference=str(self.path),
                hint="Someone changed the link by hand; pin the version that you want.",
            )
        return release.digest

    def release(self, digest: Digest) -> Release | None:
        """Return the record of a version that is unpacked here, None where it is not."""
        release = self._read_record(short_digest(digest))
        if release is None or not self.directory(digest).is_dir():
            return None
        if release.digest != digest:
            raise IntegrityError(
                f"Two versions share the name {short_digest(digest)} in {self.path}",
                reference=digest,
            )
        return release

    def chain(self, digest: Digest) -> tuple[Digest, ...]:
        """The kits that a version's model came from when it was last unpacked, nearest first."""
        release = self._read_record(short_digest(digest))
        if release is not None and release.digest == digest:
            return release.chain
        moves = (item for item in reversed(self._lines()) if item.to_digest == digest)
        return next((item.chain for item in moves), ())

    def unpacked(self) -> frozenset[Digest]:
        """The versions that are unpacked here."""
        names = (path.stem for path in (self._state / "releases").glob("*.json"))
        records = (self._read_record(name) for name in names if (self.releases / name).is_dir())
        return frozenset(record.digest for record in records if record)

    def layers(self, digest: Digest) -> Path:
        """Where the skeletons of a version's layers lie."""
        return self._state / "layers" / short_digest(digest)

    def make_layers(self, digest: Digest) -> Path:
        """Have a durable place for the skeletons of a version's layers."""
        directory = self.layers(digest)
        fsops.make_directories(directory)
        return directory

    def skeleton(self, digest: Digest, layer: Digest) -> Skeleton | None:
        """Return the skeleton of a layer of a version; None where there is none."""
        # Imported here, as below: a switch reads no skeleton.
        from rolldeck.kit.skeleton import read_skeleton

        return read_skeleton(self.layers(digest), layer)

    def holders(self, layer: Digest) -> list[Release]:
        """The releases whose files, with a skeleton, make up the blob of a layer."""
        from rolldeck.kit.skeleton import skeleton_path

        found = (self._state / "layers").glob(skeleton_path(Path("*"), layer).as_posix())
        records = [self._read_record(path.parent.name) for path in found]
        return [item for item in records if item and self.directory(item.digest).is_dir()]

    def record(self, release: Release) -> None:
        """Write down a version that is complete, and needs only its directory's name."""
        document = {
            "digest": release.digest,
            "reference": release.reference,
            "label": release.label,
            "tree": release.tree.to_json(),
            "stamps": release.stamps,
            "chain": release.chain,
        }
        path = self._record_path(short_digest(release.digest))
        half_made.write_atomic(path, json.dumps(document, ensure_ascii=False).encode())

    def discard(self, digest: Digest) -> None:
        """Free a version's name: what a killed process left there goes, what was changed stays.

        A recorded release keeps its files under a name that ends in ``.changed-<number>``. What
        came of other versions that were not completed goes, too.
        """
        directory = self.directory(digest)
        record = self._record_path(short_digest(digest))
        with fsops.storage(directory):
            others = f"-{short_digest(digest)}"
            sweep_places(self.releases, lambda place: not place.name.endswith(others))
            fsops.remove_tree(self.layers(digest))
            if not record.exists():
                fsops.remove_tree(directory)
                return
            if directory.is_dir():
                number = sum(1 for _ in self.releases.glob(f"{directory.name}.changed-*")) + 1
                fsops.rename_directory(directory, Path(f"{directory}.changed-{number}"))
            # After the rename: without its record a directory counts as left by a killed process.
            fsops.unlink(record)

    def take_away(self, digest: Digest) -> Path:
        """Take a release's directory away from its name; returns where it lies, hidden.

        From here on there is no such release. The lock must be held: whoever has it next removes
        what is hidden, and what still tells of it.
        """
        directory = self.directory(digest)
        with fsops.storage(directory):
            aside = half_made.temporary_name(self.releases)
            fsops.rename_directory(directory, aside)
        return aside

    def put_back(self, digest: Digest, aside: Path) -> None:
        """Give a release that was taken away its name again."""
        with fsops.storage(aside):
            fsops.rename_directory(aside, self.directory(digest))

    def remove(self, aside: Path) -> None:
        """Remove a release that was taken away; the lock must be held."""
        fsops.remove_tree(aside)
        if aside.exists():
            fsops.remove_tree(aside)  # once more, should a file have resisted
        self._forget_removed()

    def _forget_removed(self) -> None:
        for record in sorted((self._state / "releases").glob("*.json")):
            if not (self.releases / record.stem).is_dir():
                with fsops.storage(record):
                    fsops.remove_tree(self._state / "layers" / record.stem)
                    fsops.unlink(record)
                    fsops.fsync_directory(record.parent)

    def skeletons(self, digest: Digest) -> frozenset[Digest]:
        """The layers that a release, with their skeletons, stands in for."""
        names = (path.name.replace("-", ":", 1) for path in self.layers(digest).glob("sha256-*"))
        return frozenset(Digest(name) for name in names if is_digest(name))

    def changes(
        self, digest: Digest, progress: Progress, *, believe_stamps: bool = True
    ) -> list[tuple[str, str]]:
        """Return what of an unpacked release is not as it was unpacked: (path, problem).

        With ``believe_stamps`` only files that were touched since are read.
        """
        release = self.release(digest)
        if release is None:
            return []
        return verify_tree(
            self.directory(digest),
            release.tree,
            progress,
            release.stamps,
            believe_stamps=believe_stamps,
            skeletons=lambda layer: self.skeleton(digest, layer),
        )

    def _record_path(self, name: str) -> Path:
        return self._state / "releases" / f"{name}.json"

    def _read_record(self, name: str) -> Release | None:
        path = self._record_path(name)
        try:
            found = os.stat(path)
            return _parse_record(path, (found.st_ino, found.st_size, found.st_mtime_ns))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise fsops.storage_error(error, path) from error
        except (ValueError, KeyError, TypeError, AttributeError):
            raise IntegrityError(f"{path} is damaged", reference=str(self.path)) from None

    def history(self) -> tuple[Generation, ...]:
        """The moves that took place, oldest first."""
        return effective(self._lines(), self.current())

    def history_lines(self) -> list[bytes]:
        """The lines of the history as they are, without empty ones."""
        try:
            lines = self._journal.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise fsops.storage_error(error, self._journal) from error
        return [line for line in lines if line.strip()]

    def _lines(self) -> list[Generation]:
        parsed = (parse_line(line, str(self._journal)) for line in self.history_lines())
        return [generation for generation in parsed if generation]

    def previous(self) -> Digest | None:
        """The version that was current before the present one, by the way back."""
        way = trail(self.history())
        return way[-2] if len(way) > 1 else None

    def next_number(self) -> int:
        """The number of the next generation."""
        return max((generation.number for generation in self._lines()), default=0) + 1

    def move(self, generation: Generation) -> None:
        """Write the generation down and switch ``current``; the lock must be held.

        Raises BusyError where ``current`` is no longer what the generation starts from.
        """
        if self.current() != generation.from_digest:
            raise BusyError(
                f"{self.link} was moved while this was planned",
                reference=str(self.path),
                hint="Look at the target again and repeat the command.",
            )
        fsops.append_line(self._journal, generation.to_line())
        if generation.to_digest is None:
            with fsops.storage(self.link):
                fsops.unlink(self.link)
                fsops.fsync_directory(self.path)
        else:
            half_made.switch_link(self.link, f"releases/{short_digest(generation.to_digest)}")


@lru_cache(maxsize=32)
def _parse_record(path: Path, stamp: tuple[int, ...]) -> Release:
    """Read a record; it may list many files, and ``stamp`` tells whether it was replaced."""
    document = json.loads(path.read_bytes())
    return Release(
        parse_digest(document["digest"]),
        str(document["reference"]),
        str(document["label"]),
        Tree.from_json(document["tree"]),
        {path: tuple(stamp) for path, stamp in document.get("stamps", {}).items()},
        tuple(parse_digest(digest) for digest in document.get("chain", ())),
    )

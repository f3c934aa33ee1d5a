"""kit's own storage as a registry; read, and never written to.

``$KITOPS_HOME/storage`` is one OCI image layout whose ``index.json`` names no tags. Beside it
stand, for each repository, ``NAME-index.json`` with its manifests and ``NAME-tags.json`` with its
tags, NAME being the repository in URL-safe base64. What has no host is kept under ``localhost``,
what was packed without a name in its repository ``_``.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from rolldeck.errors import IntegrityError, NotFoundError
from rolldeck.fsops import storage, storage_error
from rolldeck.oci.layout import (
    INDEX_LIMIT,
    Entry,
    LayoutRegistry,
    parse_descriptor,
    parse_index,
)
from rolldeck.oci.model import parse_json
from rolldeck.oci.reference import is_repository

_FILE = re.compile(r"([-A-Za-z0-9_]+={0,3})-(?:index|tags)\.json")
_DEFAULT_HOST = "localhost/"
_NAMELESS = "_"

_Stamp = tuple[int, int, int]


def kit_home(environment: Mapping[str, str] = os.environ) -> Path:
    """Return kit's directory: ``$KITOPS_HOME``, else ``kitops`` below ``$XDG_DATA_HOME``."""
    home = environment.get("HOME") or str(Path.home())
    data = environment.get("XDG_DATA_HOME") or str(Path(home, ".local", "share"))
    return Path(environment.get("KITOPS_HOME") or Path(data, "kitops"))


class KitStorage(LayoutRegistry):
    """Reads kit's storage; implements ``Registry``.

    A repository is called as kit shows it: ``host/name``, ``name``, and "" for what has no name.
    """

    def __init__(self, home: Path) -> None:
        super().__init__(home / "storage")
        self._known: tuple[dict[str, _Stamp], list[Entry]] | None = None

    @property
    def address(self) -> str:
        """The storage as a user would type it."""
        return "kit:"

    @property
    def exists(self) -> bool:
        """Whether kit keeps anything on this host."""
        return os.path.isdir(self.root)

    def entries(self) -> list[Entry]:
        """Read the indexes of all repositories, again only when one changed. Blocks."""
        stamps = self._stamps()
        if self._known is None or self._known[0] != stamps:
            names = sorted({match[1] for file in stamps if (match := _FILE.fullmatch(file))})
            try:
                entries = [entry for name in names for entry in self._repository(name)]
            except IntegrityError as error:
                # kit takes no lock and writes in place, so a half-written index is no damage yet.
                hint = error.hint or "If kit was at work there just now, try again."
                raise IntegrityError(error.message, reference=self.address, hint=hint) from None
            if not entries:
                self._require_this_form()
            self._known = stamps, entries
        return self._known[1]

    def _stamps(self) -> dict[str, _Stamp]:
        """Return what tells whether an index changed, by file name."""
        stamps = {}
        try:
            with os.scandir(self.root) as found:
                for file in found:
                    if _FILE.fullmatch(file.name):
                        with suppress(FileNotFoundError):
                            status = file.stat()
                            stamps[file.name] = status.st_mtime_ns, status.st_size, status.st_ino
        except (FileNotFoundError, NotADirectoryError):
            raise NotFoundError(
                f"kit keeps nothing in {self.root}",
                reference=self.address,
                hint="Set KITOPS_HOME where kit has another home.",
            ) from None
        except OSError as error:
            raise storage_error(error, self.root) from error
        return stamps

    def _repository(self, name: str) -> Iterator[Entry]:
        """Yield what a repository holds: its tags, then the manifests that have none."""
        repository = self._decode(name)
        tagged = set()
        for tag, item in self._read_tags(f"{name}-tags.json"):
            descriptor = parse_descriptor(item, reference=f"kit:{repository}")
            tagged.add(descriptor.digest)
            yield Entry(repository, tag, descriptor)
        file = f"{name}-index.json"
        if (raw := self._read(file)) is not None:
            for entry in parse_index(raw, reference=f"kit:{repository}"):
                if entry.descriptor.digest not in tagged:
                    yield Entry(repository, None, entry.descriptor)

    def _read_tags(self, file: str) -> Iterator[tuple[str, object]]:
        raw = self._read(file)
        document = {} if raw is None else parse_json(raw, what=file, reference=self.address)
        if not isinstance(document, dict):
            raise IntegrityError(f"{file} maps no tags", reference=self.address)
        yield from document.items()

    def _read(self, file: str) -> bytes | None:
        """Read an index; None where there is none, since kit removes those that are empty."""
        path = self.root / file
        with storage(path):
            try:
                with open(path, "rb") as opened:
                    raw = opened.read(INDEX_LIMIT + 1)
            except FileNotFoundError:
                return None
        if len(raw) > INDEX_LIMIT:
            raise IntegrityError(f"{file} is too large", reference=self.address)
        return raw

    def _decode(self, name: str) -> str:
        try:
            repository = base64.urlsafe_b64decode(name).decode("ascii")
        except ValueError:
            repository = ""
        repository = repository.removeprefix(_DEFAULT_HOST)
        if repository == _NAMELESS:
            return ""
        if not is_repository(repository):
            raise IntegrityError(
                f"{name}-index.json names no repository",
                reference=self.address,
                hint=f"kit did not write it; look into {self.root}",
            )
        return repository

    def _require_this_form(self) -> None:
        """Raise NotFoundError where all there is has the form of kit before v0.3."""
        with storage(self.root):
            old = next(self.root.glob("*/**/index.json"), None)
        if old is not None:
            raise NotFoundError(
                f"kit's storage in {self.root} has the form of kit before v0.3",
                reference=self.address,
                hint="Any newer kit converts it: kit list",
            )

    def _shown(self, repository: str) -> str:
        return f"{self.address}{repository}"

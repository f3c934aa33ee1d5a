"""References: how a version is named.

Forms: ``host[:port]/repository[:tag][@digest]`` for a registry, the same without a host for the
library, ``local:REFERENCE`` for the library's copy of a registry's version, ``kit:REFERENCE`` for
kit's own storage, ``oci:DIRECTORY`` for an OCI layout (``oci:DIRECTORY//repository`` where one
holds several). The general form is parsed by oras; repository and tag grammar are those of the OCI
distribution specification 1.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum

from oras.container import Container

from rolldeck.errors import UsageError
from rolldeck.oci.digest import Digest, is_digest
from rolldeck.text import clean_line

_REPOSITORY = re.compile(
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
)
_ADDRESS = re.compile(r"(?:localhost|[0-9]{1,3}(?:\.[0-9]{1,3}){3}):[0-9]{1,5}")
"""What is a host with a port, although it has the form of a repository with a tag."""
_MAX_NAME = 255
_RECORD = re.compile(
    r"sha256-[0-9a-f]{64}(?:\..*)?|sha512-[0-9a-f]{128}|.+\.(?:[gv]0\d{5}|hold)", re.ASCII
)

_SCHEMES = ("local", "kit", "oci", "mlflow")
"""What a repository of the library may be called only behind ``local:``."""

FORMS = "[host[:port]/]repository[:tag|@digest], kit:REFERENCE, oci:DIRECTORY[:tag]"
"""The forms of a reference, for messages."""


class Place(Enum):
    """Where a reference points: the library, a registry, an OCI layout, kit's own storage."""

    LIBRARY = "library"
    REGISTRY = "registry"
    LAYOUT = "layout"
    KIT = "kit"


@dataclass(frozen=True, slots=True)
class Reference:
    """A name for a version or a repository.

    ``root`` is the registry's host or the layout's directory, else empty; ``repository`` may be
    empty only for a whole registry, a layout with one repository, or what kit keeps without a name.
    """

    place: Place
    root: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Parse a reference as typed by a user; raises UsageError."""
        shown = clean_line(text, 200)
        if not text or text != text.strip() or any(ord(c) < 0x21 for c in text if c != " "):
            raise UsageError(f"Not a reference: {shown!r}", hint=f"Forms: {FORMS}")
        if text.startswith("oci:"):
            return _parse_layout(text.removeprefix("oci:"), shown)
        if text.startswith("kit:"):
            return _parse_kit(text.removeprefix("kit:"), shown)
        if text.startswith("local:"):
            return _kept(_parse_general(text.removeprefix("local:"), shown), Place.LIBRARY)
        if text.startswith("mlflow:"):
            raise UsageError(
                f"MLflow cannot be read yet: {shown}", reference=shown, hint=f"Forms: {FORMS}"
            )
        return _parse_general(text, shown)

    @classmethod
    def parse_plain(cls, text: str) -> Reference:
        """Parse ``[host[:port]/]repository[:tag][@digest]`` alone; raises UsageError.

        For names out of artifacts, which must never lead to a directory of this host.
        """
        if not text.isprintable() or " " in text:
            raise UsageError(f"Not a reference: {clean_line(text, 200)!r}")
        return _parse_general(text, clean_line(text, 200))

    @property
    def name(self) -> str:
        """The repository with its place, without tag and digest."""
        if self.place is Place.LAYOUT:
            return f"oci:{self.root}" + (f"//{self.repository}" if self.repository else "")
        if self.place is Place.REGISTRY:
            return f"{self.root}/{self.repository}"
        if self.place is Place.KIT:
            return f"kit:{self.repository}"
        first = self.repository.partition("/")[0]
        is_ambiguous = self.repository in _SCHEMES or _is_host(first, self.repository)
        return f"local:{self.repository}" if is_ambiguous else self.repository

    def __str__(self) -> str:
        return (
            self.name
            + (f":{self.tag}" if self.tag else "")
            + (f"@{self.digest}" if self.digest else "")
        )

    def at(self, digest: Digest) -> Reference:
        """Return this reference pinned to a digest, its tag kept."""
        return replace(self, digest=digest)

    def tagged(self, tag: str) -> Reference:
        """Return the reference of a tag of the same repository."""
        return replace(self, tag=tag, digest=None)

    @property
    def library_name(self) -> str:
        """The repository under which the library keeps versions of this repository."""
        if self.place is Place.REGISTRY:
            return f"{self.root}/{self.repository}"
        if self.place is Place.LAYOUT:
            return self.repository or _layout_name(self.root)
        return self.repository or "kit"


def is_tag(text: str) -> bool:
    """Whether ``text`` can be a tag."""
    return _TAG.fullmatch(text) is not None


def is_record_tag(text: str) -> bool:
    """Whether a tag names no version but what was recorded of versions beside them.

    These are the referrers of a digest, and the generations and the hold of a channel. A number of
    six digits without a leading zero, as in ``fraud.v202611``, may well be a version.
    """
    return _RECORD.fullmatch(text) is not None


def is_repository(text: str) -> bool:
    """Whether ``text`` can be a repository, with or without a host in front."""
    first, slash, rest = text.partition("/")
    if slash and _is_host(first, text):
        return _HOST.fullmatch(first) is not None and _REPOSITORY.fullmatch(rest) is not None
    return len(text) <= _MAX_NAME and _REPOSITORY.fullmatch(text) is not None


def _is_host(first: str, whole: str) -> bool:
    return "/" in whole and ("." in first or ":" in first)


def _layout_name(directory: str) -> str:
    last = directory.rstrip("/").rpartition("/")[2].lower()
    name = re.sub(r"[^a-z0-9]+", "-", last).strip("-")
    return name or "layout"


def _kept(reference: Reference, place: Place) -> Reference:
    """Return the reference to a copy kept in a place of this host under the same name."""
    if reference.place is Place.REGISTRY:
        name = f"{reference.root}/{reference.repository}"
        return replace(reference, place=place, root="", repository=name)
    return replace(reference, place=place)


def _parse_kit(rest: str, shown: str) -> Reference:
    bare = rest.removeprefix("@")
    if not rest or is_digest(bare):
        return Reference(Place.KIT, "", "", None, Digest(bare) if bare else None)
    inner = _parse_general(rest, shown)
    if not inner.repository:
        raise UsageError(
            f"Not a reference: {shown}", reference=shown, hint="All of kit's storage: kit:"
        )
    return _kept(inner, Place.KIT)


def _parse_layout(rest: str, shown: str) -> Reference:
    rest, at, digest = rest.partition("@")
    if at and not is_digest(digest):
        raise UsageError(f"Not a digest in {shown}", reference=shown, hint="sha256:<64 hex digits>")
    directory, double, repository = rest.partition("//")
    head, colon, tag = (repository if double else directory).rpartition(":")
    if colon and is_tag(tag):
        directory, repository = (directory, head) if double else (head, repository)
    else:
        tag = ""
    if not directory or (repository and not is_repository(repository)):
        raise UsageError(f"Not an OCI layout: {shown}", reference=shown, hint=f"Forms: {FORMS}")
    return Reference(
        Place.LAYOUT, directory, repository, tag or None, Digest(digest) if digest else None
    )


def _parse_general(text: str, shown: str) -> Reference:
    host, slash, rest = text.partition("/")
    if slash and not rest and _HOST.fullmatch(host):
        return Reference(Place.REGISTRY, host, "")
    if _ADDRESS.fullmatch(text):
        raise UsageError(
            f"{shown} is the address of a registry, not a version",
            reference=shown,
            hint=f"Its repositories: rolldeck ls {shown}/",
        )
    try:
        parsed = Container(text, registry="-")
    except ValueError:
        raise UsageError(
            f"Not a reference: {shown}", reference=shown, hint=f"Forms: {FORMS}"
        ) from None
    repository = parsed.api_prefix
    digest: str | None = parsed.digest
    tag: str | None = parsed.tag if f":{parsed.tag}" in rest or f":{parsed.tag}" in text else None
    if digest is not None and not is_digest(digest):
        raise UsageError(f"Not a digest in {shown}", reference=shown, hint="sha256:<64 hex digits>")
    # The parser passes over what it does not know: of x:y:z it would take y:z.
    is_whole = text.removeprefix(f"{parsed.registry}/").startswith(repository)
    if not (is_whole and _REPOSITORY.fullmatch(repository)) or len(text) > 2 * _MAX_NAME:
        raise UsageError(
            f"Not a repository name in {shown}",
            reference=shown,
            hint="Repository names are lower case letters, digits and . _ - /",
        )
    if tag is not None and not is_tag(tag):
        raise UsageError(f"Not a tag: {clean_line(tag, 80)!r}", reference=shown)
    host = parsed.registry
    if host != "-":
        if not _HOST.fullmatch(host):
            raise UsageError(f"Not a host: {clean_line(host, 80)!r}", reference=shown)
        return Reference(Place.REGISTRY, host, repository, tag, Digest(digest) if digest else None)
    return Reference(Place.LIBRARY, "", repository, tag, Digest(digest) if digest else None)

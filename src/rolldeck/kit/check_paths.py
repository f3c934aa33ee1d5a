"""Checks of the paths in a Kitfile by their text alone: where they lead, whether they clash."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rolldeck.errors import RefusedError
from rolldeck.kit.chain import parse_model_reference
from rolldeck.kit.finding import Findings
from rolldeck.kit.kitfile_elements import KitfileElement
from rolldeck.kit.member_path import member_parts
from rolldeck.kit.strict_yaml import Place

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
_S3_OBJECT = re.compile(r"s3://[^/?]+/[^?]+(\?.*)?")


@dataclass(frozen=True, slots=True)
class LocalElement:
    """An element whose files are packed: its components below the context, none for all of it."""

    element: KitfileElement
    parts: tuple[str, ...]
    place: Place

    @property
    def path(self) -> str:
        """The clean path; empty for the whole context."""
        return "/".join(self.parts)

    def holds(self, parts: tuple[str, ...]) -> bool:
        """Whether a path lies in the element."""
        return parts[: len(self.parts)] == self.parts


def check_paths(
    elements: Sequence[KitfileElement], context: Path, findings: Findings
) -> tuple[LocalElement, ...]:
    """Check the paths and references of all elements; returns those that name local files."""
    found = [local for element in elements if (local := _local_element(element, context, findings))]
    _clashes(found, findings)
    whole = next((item for item in found if not item.parts), None)
    if whole and any(item.kind == "model" and not item.text("path") for item in elements):
        text = "kit refuses the whole directory beside a model without a path"
        findings.warning(whole.place, text, "Give the model a path.")
    return tuple(item for item in found if not item.element.text("remotePath"))


def _local_element(
    element: KitfileElement, context: Path, findings: Findings
) -> LocalElement | None:
    if element.kind == "dataset":
        _remote_data(element, findings)
    if not element.is_known("path"):
        return None
    path, place = element.text("path"), element.place("path")
    if not path:
        return _without_path(element, findings)
    if element.kind == "model" and parse_model_reference(path) is not None:
        if os.path.lexists(context / path):
            text = f"{path} is read as the name of another kit, not as the file"
            findings.warning(place, text, f"Write ./{path}, or rename the file.")
        return None
    problem = _not_local(element, path, context)
    if problem is None:
        try:
            return LocalElement(element, member_parts(path, empty=True), place)
        except RefusedError as error:
            problem = error.message.rpartition(": ")[2], _inside(path, context)
    findings.error(place, f"{path} cannot be packed: {problem[0]}", problem[1])
    return None


def _without_path(element: KitfileElement, findings: Findings) -> LocalElement | None:
    place = element.node.key or element.node.place
    if element.kind == "model":
        hint = "Name a file or directory, or another kit as host/repository:tag."
        findings.warning(place, "the model has no path: no weights are packed", hint)
        return None
    if element.text("remotePath"):
        hint = "path says where the data set goes when the kit is unpacked."
        findings.warning(place, "this data set has no path: it would replace everything", hint)
        return None
    text = f"this {element.title} element has no path: the whole directory is packed"
    findings.warning(place, text, "Write path: . if that is meant.")
    return LocalElement(element, (), place)


def reads_as_address(path: str) -> bool:
    """Whether kit takes the name of a file for that of another kit, or for an address."""
    return parse_model_reference(path) is not None or _SCHEME.match(path) is not None


def _not_local(element: KitfileElement, path: str, context: Path) -> tuple[str, str] | None:
    """Return why kit does not take a path for a local one, and what to do; None where it does."""
    if parse_model_reference(path) is not None:
        hint = "Only the model may come from another kit; no file name may look like a kit's."
        return "it reads as the name of another kit", hint
    if path.startswith("s3://"):
        if element.kind == "dataset":
            return "it lies elsewhere", "Write it as remotePath, with its ETag as remoteHash."
        return "it lies elsewhere", "Only a data set may lie in S3, as its remotePath."
    if path.startswith(("http://", "https://")):
        return "addresses are not packed", "Download it, and name the file."
    is_file = os.path.lexists(context / path)
    if element.kind == "model" and not is_file and (":" in path or "@" in path):
        hint = "A kit is named host/repository:tag or host/repository@sha256:…, in lower case."
        return "it is neither a path nor the name of a kit", hint
    if _SCHEME.match(path):
        return "it reads as an address", "Rename the file: what stands before ':' is a scheme."
    return None


def _inside(path: str, context: Path) -> str:
    """Say how a path that was refused may be written."""
    inside = posixpath.normpath(path.replace("\\", "/"))
    if posixpath.isabs(inside):
        try:
            inside = Path(inside).relative_to(context.absolute()).as_posix()
        except ValueError:
            inside = ".."
    if inside == ".." or inside.startswith("../"):
        return "Paths are relative to the Kitfile's directory and stay inside: copy it there."
    return f"Write {inside}"


def _remote_data(element: KitfileElement, findings: Findings) -> None:
    path, value = element.text("remotePath"), element.text("remoteHash")
    if not element.is_known("remotePath"):
        return
    if not path:
        if value:
            text = "remoteHash without remotePath"
            findings.error(element.place("remoteHash"), text, "Name the object as s3://bucket/key.")
    elif parse_model_reference(path) is not None:
        text = f"{path}: only kit of 2026 takes a data set from another kit"
        findings.warning(element.place("remotePath"), text)
    elif not _S3_OBJECT.fullmatch(path):
        hint = "The form is s3://bucket/key."
        findings.error(element.place("remotePath"), f"{path} is no object in S3", hint)
    elif not value and element.is_known("remoteHash"):
        hint = "It is the ETag of the object."
        findings.error(element.place("remotePath"), "remoteHash is missing", hint)


def _clashes(found: Sequence[LocalElement], findings: Findings) -> None:
    first: dict[tuple[str, ...], LocalElement] = {}
    for item in found:
        if item.parts in first:
            other = first[item.parts]
            text = f"{item.path or '.'} is already the path of the {other.element.title}"
            hint = "Give every element a path of its own."
            findings.error(item.place, f"{text} in line {other.place.line}", hint)
        first.setdefault(item.parts, item)
    for item in first.values():
        above = [item.parts[:length] for length in range(len(item.parts) - 1, 0, -1)]
        outer = next((first[parts] for parts in above if parts in first), None)
        if outer is not None:
            text = f"{item.path} lies in {outer.path} of line {outer.place.line}"
            findings.info(item.place, f"{text}; it is packed here only")

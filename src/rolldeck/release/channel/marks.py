"""Verdicts on versions and holds of channels: small artifacts that every user of a registry sees.

Both are OCI image manifests with an empty config, an artifact type of their own and the version
as ``subject``; their fields stand in annotations, which a list of referrers repeats.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, cast, get_args

from rolldeck.errors import IntegrityError
from rolldeck.oci import MANIFEST, Descriptor, Digest, Manifest, digest_of, parse_manifest
from rolldeck.release.channel.fields import Fields, encode_fields

VERDICT_TYPE = "application/vnd.rolldeck.verdict.v1+json"
HOLD_TYPE = "application/vnd.rolldeck.hold.v1+json"

EMPTY = b"{}"
"""The config and only layer of a record: the empty descriptor of the image specification 1.1."""
EMPTY_BLOB = Descriptor("application/vnd.oci.empty.v1+json", digest_of(EMPTY), len(EMPTY))

Opinion = Literal["good", "bad", "note", "withdrawn"]
"""``withdrawn`` takes an earlier good or bad back; a note changes neither."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody said of a version. ``set_by`` is the entry whose move said so, if one did."""

    version: Descriptor
    opinion: Opinion
    actor: str
    time: datetime
    reason: str | None = None
    set_by: Digest | None = None
    nonce: str = field(default_factory=lambda: secrets.token_hex(8))

    def to_manifest(self) -> Manifest:
        """Return the manifest that records this."""
        fields = {
            "verdict": self.opinion,
            "version": self.version.digest,
            "actor": self.actor,
            "reason": self.reason,
            "set-by": self.set_by,
            "nonce": self.nonce,
        }
        return _manifest(VERDICT_TYPE, self.version, encode_fields(self.time, fields))


@dataclass(frozen=True, slots=True)
class Hold:
    """A channel frozen on one version until ``until`` (None: until somebody releases it).

    A released hold is kept in its place, with who released it as ``holder``.
    """

    channel: str
    version: Descriptor
    holder: str
    time: datetime
    until: datetime | None = None
    reason: str | None = None
    released: bool = False
    set_by: Digest | None = None
    nonce: str = field(default_factory=lambda: secrets.token_hex(8))

    def holds(self, now: datetime) -> bool:
        """Whether it freezes the channel at that moment."""
        return not self.released and (self.until is None or now < self.until)

    def to_manifest(self) -> Manifest:
        """Return the manifest that records this."""
        fields = {
            "channel": self.channel,
            "version": self.version.digest,
            "holder": self.holder,
            "reason": self.reason,
            "until": self.until.isoformat() if self.until else None,
            "state": "released" if self.released else "held",
            "set-by": self.set_by,
            "nonce": self.nonce,
        }
        return _manifest(HOLD_TYPE, self.version, encode_fields(self.time, fields))


def read_verdict(annotations: Mapping[str, str], version: Descriptor | None, place: str) -> Verdict:
    """Read a verdict from its annotations, of its manifest or of a list of referrers.

    ``version`` is what it is attached to. Raises IntegrityError where it is no verdict, or one on
    another version.
    """
    fields = Fields(annotations, place)
    opinion = fields.required("verdict")
    if opinion not in get_args(Opinion):
        raise fields.wrong("verdict")
    if version is None or fields.required_digest("version") != version.digest:
        raise fields.wrong("version")
    return Verdict(
        version=version,
        opinion=cast(Opinion, opinion),
        actor=fields.text("actor") or "unknown",
        time=fields.created,
        reason=fields.text("reason"),
        set_by=fields.digest("set-by"),
        nonce=fields.required("nonce"),
    )


def read_hold(manifest: Manifest, place: str) -> Hold:
    """Read a hold from its manifest; raises IntegrityError where it is none."""
    if manifest.artifact_type != HOLD_TYPE or manifest.subject is None:
        raise IntegrityError(f"{place} is not the record of a hold", reference=place)
    fields = Fields(manifest.annotations, place)
    state = fields.required("state")
    if state not in ("held", "released"):
        raise fields.wrong("state")
    if fields.required_digest("version") != manifest.subject.digest:
        raise fields.wrong("version")
    return Hold(
        channel=fields.required("channel"),
        version=manifest.subject,
        holder=fields.text("holder") or "unknown",
        time=fields.created,
        until=fields.moment("until"),
        reason=fields.text("reason"),
        released=state == "released",
        set_by=fields.digest("set-by"),
        nonce=fields.required("nonce"),
    )


def ruling(verdicts: Iterable[Verdict]) -> Verdict | None:
    """Return the newest verdict of one version that is good or bad and was not withdrawn.

    Of two of the same second a bad one rules.
    """
    said = [item for item in verdicts if item.opinion != "note"]
    newest = max(
        said, key=lambda item: (item.time, item.opinion == "bad", item.nonce), default=None
    )
    return None if newest is None or newest.opinion == "withdrawn" else newest


def rulings(verdicts: Iterable[Verdict], entry: Digest) -> tuple[Verdict | None, Verdict | None]:
    """Return the verdict that rules, and the one that would without those of one entry's move."""
    said = tuple(verdicts)
    return ruling(said), ruling(item for item in said if item.set_by != entry)


def _manifest(kind: str, subject: Descriptor, annotations: Mapping[str, str]) -> Manifest:
    empty = EMPTY_BLOB.to_json()
    named = Descriptor(subject.media_type, subject.digest, subject.size).to_json()
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": kind,
        "config": empty,
        "layers": [empty],
        "subject": named,
        "annotations": annotations,
    }
    raw = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return parse_manifest(raw, MANIFEST, reference=kind)

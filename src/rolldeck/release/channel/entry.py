"""The entry of one generation: an OCI image index that names the version a channel went to.

Artifact type ``application/vnd.rolldeck.generation.v1+json``; the version is both its only child
and its ``subject``, so that a registry keeps it and tells where it was ever live. All else stands
in annotations. ``prev`` is the digest of the entry before, which makes of the journal a hash chain.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, cast, get_args

from rolldeck.errors import IntegrityError
from rolldeck.oci import INDEX, Descriptor, Digest, Manifest, parse_manifest
from rolldeck.release.channel.fields import Fields, encode_fields
from rolldeck.release.plan import Check
from rolldeck.text import clean_line

ENTRY_TYPE = "application/vnd.rolldeck.generation.v1+json"

ChannelVerb = Literal["promote", "rollback", "undo", "restore", "external", "weights", "prune"]
"""``external`` adopts a move that somebody made without writing an entry."""

_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Skipped:
    """A generation that a rollback did not go back to, and why."""

    number: int
    digest: Digest
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One generation of a channel, as recorded or about to be.

    ``from_digest`` is None for the first version of a channel. ``version`` is the descriptor of
    the version that the channel goes to. ``actor`` is declared, not proved. ``refers_to`` is the
    generation that a rollback returns to or an undo takes back. ``sets_hold`` (until when) and
    ``marks_bad`` say what else belongs to the move, so that whoever finishes it knows.
    """

    channel: str
    number: int
    verb: ChannelVerb
    from_digest: Digest | None
    version: Descriptor
    actor: str
    time: datetime
    reason: str | None = None
    previous: Digest | None = None
    from_label: str | None = None
    to_label: str | None = None
    source: str | None = None
    refers_to: int | None = None
    sets_hold: datetime | None = None
    marks_bad: Digest | None = None
    checks: tuple[Check, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def to_digest(self) -> Digest:
        """The version that the channel goes to."""
        return self.version.digest

    def to_manifest(self) -> Manifest:
        """Return the image index that records this; the same entry gives the same bytes."""
        version = self.version.to_json()
        annotations = encode_fields(
            self.time,
            {
                "channel": self.channel,
                "number": str(self.number),
                "verb": self.verb,
                "from": self.from_digest,
                "from.label": self.from_label,
                "to": self.to_digest,
                "to.label": self.to_label,
                "source": self.source,
                "actor": self.actor,
                "reason": self.reason,
                "prev": self.previous,
                "nonce": self.nonce,
                "refers-to": str(self.refers_to) if self.refers_to else None,
                "sets-hold": self.sets_hold.isoformat() if self.sets_hold else None,
                "marks-bad": self.marks_bad,
                "checks": tuple(
                    {"check": item.check, "ok": item.ok, "detail": item.detail}
                    for item in self.checks
                ),
                "skipped": tuple(
                    {"number": item.number, "digest": item.digest, "reason": item.reason}
                    for item in self.skipped
                ),
            },
        )
        document = {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "artifactType": ENTRY_TYPE,
            "manifests": [version],
            "subject": {key: version[key] for key in ("mediaType", "digest", "size")},
            "annotations": annotations,
        }
        raw = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        return parse_manifest(raw, INDEX, reference=f"{self.channel}.g{self.number}")


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry that a registry holds, with its digest there."""

    entry: Entry
    digest: Digest


def read_entry(manifest: Manifest, place: str) -> Recorded:
    """Read the entry that an image index records; raises IntegrityError where it is none."""
    if manifest.artifact_type != ENTRY_TYPE or len(manifest.manifests) != 1:
        raise IntegrityError(f"{place} is not the record of a generation", reference=place)
    fields = Fields(manifest.annotations, place)
    version = manifest.manifests[0]
    verb = fields.required("verb")
    number = fields.number("number")
    if verb not in get_args(ChannelVerb):
        raise fields.wrong("verb")
    if fields.required_digest("to") != version.digest:
        raise fields.wrong("to")
    if number is None:
        raise fields.wrong("number")
    entry = Entry(
        channel=fields.required("channel"),
        number=number,
        verb=cast(ChannelVerb, verb),
        from_digest=fields.digest("from"),
        version=version,
        actor=fields.text("actor") or "unknown",
        time=fields.created,
        reason=fields.text("reason"),
        previous=fields.digest("prev"),
        from_label=fields.text("from.label"),
        to_label=fields.text("to.label"),
        source=fields.text("source"),
        refers_to=fields.number("refers-to"),
        sets_hold=fields.moment("sets-hold"),
        marks_bad=fields.digest("marks-bad"),
        checks=tuple(_check(item) for item in fields.items("checks")[:_LIMIT]),
        skipped=tuple(_skipped(item, fields) for item in fields.items("skipped")[:_LIMIT]),
        nonce=fields.required("nonce"),
    )
    return Recorded(entry, manifest.digest)


def _check(item: dict[str, Any]) -> Check:
    ok = item.get("ok")
    return Check(
        clean_line(str(item.get("check", "")), 200),
        ok if isinstance(ok, bool) else None,
        clean_line(str(item.get("detail", "")), 500),
    )


def _skipped(item: dict[str, Any], fields: Fields) -> Skipped:
    number, reason = item.get("number"), clean_line(str(item.get("reason", "")), 500)
    digest = Fields({"vnd.rolldeck.digest": str(item.get("digest", ""))}, "").digest("digest")
    if not isinstance(number, int) or digest is None:
        raise fields.wrong("skipped")
    return Skipped(number, digest, reason)

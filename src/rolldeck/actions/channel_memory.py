"""What a channel was when it was last read: kept in the cache, so that it can be shown at once.

The names of its records and what they named are kept as those of any tags; the records themselves
are small manifests, which are never believed under another digest than their own.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

from rolldeck.actions.channel import Channel, channel_name, known_labels, recorded_labels
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import IntegrityError
from rolldeck.oci import Digest, Manifest, Place, Reference, parse_manifest
from rolldeck.release.channel import (
    Hold,
    Recorded,
    Verdict,
    assemble,
    entry_tag,
    hold_tag,
    keeper_tag,
    parse_record_tag,
    read_entry,
    read_hold,
    read_verdict,
    verdict_tag,
)
from rolldeck.store.cache import Seen


def remember_channel(workspace: Workspace, channel: Channel) -> None:
    """Let the cache keep a channel that was read from a registry."""
    if channel.reference.place is not Place.REGISTRY or channel.live is None:
        return
    named = {channel.name: channel.live}
    for recorded in channel.journal.recorded:
        named[entry_tag(channel.name, recorded.entry.number)] = recorded.digest
    for number in channel.journal.made:
        named[keeper_tag(channel.name, number)] = channel.live
    marks: dict[str, Manifest] = {}
    if channel.hold is not None:
        marks[hold_tag(channel.name)] = channel.hold.to_manifest()
    for version, verdicts in channel.verdicts.items():
        for verdict in verdicts:
            marks[verdict_tag(version, verdict.nonce)] = verdict.to_manifest()
    for tag, manifest in marks.items():
        workspace.keep(channel.reference, manifest.digest, manifest.raw)
        named[tag] = manifest.digest
    workspace.cache.see(str(channel.reference), Seen(datetime.now(UTC), named, True, 0))


def recall_channel(workspace: Workspace, reference: Reference) -> tuple[Channel, datetime] | None:
    """Return a channel as it was last read, and when; None where that is not known any more.

    Asks no registry. Blocks; meant for a thread.
    """
    name = channel_name(reference)
    seen = workspace.cache.seen(str(reference))
    if seen is None or name not in seen.tags:
        return None
    held = workspace.cache.read(dict.fromkeys(seen.tags.values()))
    entries: list[Recorded] = []
    made: set[int] = set()
    hold: Hold | None = None
    verdicts: dict[Digest, list[Verdict]] = {}
    for tag, digest in seen.tags.items():
        record = parse_record_tag(tag)
        if record is not None and record.kind == "keeper":
            made.add(record.number)
        if record is None or digest not in held:
            continue
        with suppress(IntegrityError):
            manifest = parse_manifest(held[digest], None, reference=tag)
            if record.kind == "entry":
                entries.append(read_entry(manifest, tag))
            elif record.kind == "hold":
                hold = read_hold(manifest, tag)
            elif record.kind == "verdict" and manifest.subject is not None:
                verdict = read_verdict(manifest.annotations, manifest.subject, tag)
                verdicts.setdefault(verdict.version.digest, []).append(verdict)
    journal = assemble(name, seen.tags[name], entries, more=True, made=made)
    labels = known_labels(workspace, reference) | recorded_labels(journal)
    said = {digest: tuple(items) for digest, items in verdicts.items()}
    return Channel(reference, name, journal.live, journal, hold, said, labels), seen.at


def remembered_channels(workspace: Workspace) -> tuple[Reference, ...]:
    """Return the channels that the cache remembers. Blocks; meant for a thread."""
    found = (Reference.parse(name) for name in workspace.cache.seen_names())
    return tuple(item for item in found if item.tag is not None)


def remembered_repositories(workspace: Workspace) -> tuple[Reference, ...]:
    """Return the repositories whose versions the cache remembers. Blocks; meant for a thread."""
    found = (Reference.parse(name) for name in workspace.cache.seen_names())
    return tuple(item for item in found if item.tag is None)

"""The tests of a plan for a channel: pure functions from what was read to one check each.

What a person may decide over (a hold, a bad verdict, drift) fails, unless it is ``forced``: then it
stands in the plan, and in the entry, as not decided. What is incomplete cannot be forced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from rolldeck.oci import Digest
from rolldeck.release.channel.journal import Journal
from rolldeck.release.channel.marks import Hold, Verdict
from rolldeck.release.plan import Check
from rolldeck.units import human_size, rfc3339, short_digest

MOVERS = timedelta(days=30)
"""How far back others are looked for who move the channel."""

_MOST = 3
"""Most differences, or movers, that a check names."""


def complete_check(blobs: int, missing: Sequence[Digest], to_pull: int | None) -> Check:
    """Say whether a registry has every blob of a version, and what this disk lacks of it."""
    if missing:
        return Check("complete", False, missing_text(blobs, missing))
    here = "" if to_pull is None else f", {human_size(to_pull)} to pull to this disk"
    return Check("complete", True, f"all {blobs} blobs are there{here}")


def missing_text(blobs: int, missing: Sequence[Digest]) -> str:
    """Say which blobs of a version are gone."""
    return f"{len(missing)} of {blobs} blobs are gone: {short_digest(missing[0])}"


def contract_check(differences: Sequence[str] | None, why_not: str = "") -> Check:
    """Say whether callers find the same inputs, outputs and tokenizer; None: could not be told."""
    if differences is None:
        return Check("contract", None, why_not or "not known")
    if not differences:
        return Check("contract", True, "same inputs, outputs and tokenizer")
    more = f" and {len(differences) - _MOST} more" if len(differences) > _MOST else ""
    return Check("contract", None, f"CHANGED: {', '.join(differences[:_MOST])}{more}")


def verdict_check(verdict: Verdict | None, *, forced: bool = False) -> Check:
    """Say what is known of a version."""
    if verdict is None:
        return Check("verdict", True, "none")
    said = f": {verdict.reason}" if verdict.reason else ""
    text = f"marked {verdict.opinion} by {verdict.actor}{said}"
    if verdict.opinion == "bad":
        return _decided("verdict", text, forced)
    return Check("verdict", True, text)


def hold_check(
    hold: Hold | None, now: datetime, actor: str, *, back: bool, forced: bool = False
) -> Check:
    """Say whether a hold stands in the way: it refuses a promote, unless its holder makes it.

    A move ``back`` is allowed, and sets its own.
    """
    if hold is None or not hold.holds(now):
        return Check("hold", True, "none")
    until = f"until {rfc3339(hold.until)}" if hold.until else "until it is released"
    why = f": {hold.reason}" if hold.reason else ""
    text = f"{hold.holder} holds {short_digest(hold.version.digest)} {until}{why}"
    if back:
        return Check("hold", None, f"{text}; going back is allowed")
    if hold.holder == actor:
        return Check("hold", None, f"{text}; who follows the channel stays there until unhold")
    return _decided("hold", text, forced)


def drift_check(journal: Journal, *, forced: bool = False) -> Check | None:
    """Say that somebody moved the channel without a record; None where nobody did."""
    if not journal.drift or journal.newest is None:
        return None
    entry = journal.newest.entry
    live = short_digest(journal.live) if journal.live else "gone"
    text = (
        f"it is {live}, and g{entry.number} by {entry.actor} went to "
        f"{entry.to_label or short_digest(entry.to_digest)}: moved without a record;"
        " adopt records that, restore puts the recorded one back"
    )
    return _decided("drift", text, forced)


def pending_check(journal: Journal) -> Check | None:
    """Say that a move was claimed and not made; None where there is none such."""
    if journal.pending is None:
        return None
    entry = journal.pending.entry
    goal = entry.to_label or short_digest(entry.to_digest)
    text = f"g{entry.number} ({entry.verb} to {goal} by {entry.actor}) was never made; passed over"
    return Check("pending", None, text)


def chain_check(journal: Journal) -> Check | None:
    """Say that the journal is not whole; None where it is, or was only cut short."""
    match journal.chain:
        case "forked":
            numbers = sorted({item.entry.number for item in journal.rivals})
            text = f"two claimed g{', g'.join(map(str, numbers))}; rolldeck log shows both"
        case "broken":
            text = "entries are missing or were replaced; rolldeck log shows where"
        case _:
            return None
    return Check("journal", None, text)


def movers_check(
    journal: Journal, actor: str, now: datetime, hold_until: datetime | None = None
) -> Check | None:
    """Say who else moves the channel; None where nobody does."""
    moves = Counter(
        stay.entry.actor
        for stay in journal.stays
        if stay.entry.time > now - MOVERS and stay.entry.actor != actor
    )
    if not moves:
        return None
    told = ", ".join(f"{name} {count} times" for name, count in moves.most_common(_MOST))
    told = told.replace(" 1 times", " once")
    held = "; a hold is set" if hold_until else ""
    return Check("others move it", None, f"{told} in {MOVERS.days} days{held}")


def signature_check(present: bool | None) -> Check:
    """Say whether a version has a signature, which nobody checks here; None: could not be told."""
    words = {
        True: "one is there, not checked",
        False: "none was found",
        None: "not known",
    }
    return Check("signed", None, words[present])


def _decided(name: str, text: str, forced: bool) -> Check:
    return Check(name, None, f"{text}; forced") if forced else Check(name, False, text)

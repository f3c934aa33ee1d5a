"""Channels: movable tags, and the generations, verdicts and holds recorded beside them."""

from rolldeck.release.channel.conflict import ConflictError, LostRaceError, MovedError
from rolldeck.release.channel.entry import (
    ENTRY_TYPE,
    ChannelVerb,
    Entry,
    Recorded,
    Skipped,
    read_entry,
)
from rolldeck.release.channel.good import SOAK, Candidate, Standing, candidates, objection
from rolldeck.release.channel.journal import Answer, Chain, Journal, Outcome, Stay, assemble
from rolldeck.release.channel.marks import (
    EMPTY,
    EMPTY_BLOB,
    HOLD_TYPE,
    VERDICT_TYPE,
    Hold,
    Opinion,
    Verdict,
    read_hold,
    read_verdict,
    ruling,
    rulings,
)
from rolldeck.release.channel.move import SETTLE, finish, make_move
from rolldeck.release.channel.owed import Owed, last_made, marked_by, owed
from rolldeck.release.channel.plan import ChannelPlan
from rolldeck.release.channel.records import Records
from rolldeck.release.channel.tags import (
    RecordTag,
    entry_tag,
    hold_tag,
    keeper_tag,
    parse_record_tag,
    require_channel,
    verdict_prefix,
    verdict_tag,
)

__all__ = [
    "EMPTY",
    "EMPTY_BLOB",
    "ENTRY_TYPE",
    "HOLD_TYPE",
    "SETTLE",
    "SOAK",
    "VERDICT_TYPE",
    "Answer",
    "Candidate",
    "Chain",
    "ChannelPlan",
    "ChannelVerb",
    "ConflictError",
    "Entry",
    "Hold",
    "Journal",
    "LostRaceError",
    "MovedError",
    "Opinion",
    "Outcome",
    "Owed",
    "RecordTag",
    "Recorded",
    "Records",
    "Skipped",
    "Standing",
    "Stay",
    "Verdict",
    "assemble",
    "candidates",
    "entry_tag",
    "finish",
    "hold_tag",
    "keeper_tag",
    "last_made",
    "make_move",
    "marked_by",
    "objection",
    "owed",
    "parse_record_tag",
    "read_entry",
    "read_hold",
    "read_verdict",
    "require_channel",
    "ruling",
    "rulings",
    "verdict_prefix",
    "verdict_tag",
]

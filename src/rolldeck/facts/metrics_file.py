"""``metrics.json``, as many tools write it."""

from __future__ import annotations

from rolldeck.facts.document import mapping
from rolldeck.facts.load import UnreadableFile, load_json
from rolldeck.facts.model import Facts
from rolldeck.facts.packages import unreadable
from rolldeck.facts.parameters import read_numbers
from rolldeck.text import clean_line

_NOT_METRICS = ("step", "epoch", "timestamp")


def read(path: str, data: bytes) -> Facts:
    """Return every leaf of the file as a metric, by dotted path."""
    try:
        document = load_json(data)
    except UnreadableFile as error:
        return unreadable(path, error)
    if not mapping(document):
        return unreadable(path, "holds no JSON object of metrics")
    return Facts(metrics=read_numbers(document, clean_line(path), skip=_NOT_METRICS))

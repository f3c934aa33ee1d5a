"""``plots/metrics/**.tsv`` of dvclive: one metric per file, a line per step.

Its ``metrics.json`` and ``params.yaml`` are plain files; the last line here agrees with the former.
"""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from rolldeck.facts.document import name, scalar
from rolldeck.facts.history import point, thinned
from rolldeck.facts.load import UnreadableFile
from rolldeck.facts.metrics_file import read_metric
from rolldeck.facts.model import Facts
from rolldeck.facts.tolerant import tolerant
from rolldeck.text import clean_line

FOLDER = "plots/metrics/"


@tolerant
def read(path: str, data: bytes) -> Facts:
    """Read the history of one metric; empty facts for any other table."""
    if FOLDER not in path:
        return Facts()
    source = clean_line(path)
    label = name(path.rpartition(FOLDER)[2].removesuffix(".tsv").replace("/", "."))
    rows = _rows(data)
    if label is None or len(rows) < 2:
        return Facts()
    header, last = rows[0], rows[-1]
    step = header.index("step") if "step" in header else 0
    complete = (row for row in rows[1:] if len(row) == len(header))
    history = [found for row in complete if (found := point(row[step], row[-1]))]
    metric = read_metric(label, scalar(last[-1]), source)
    if metric is None:
        raise UnreadableFile("the last line holds no number")
    return Facts(metrics=(replace(metric, history=thinned(history)),))


def _rows(data: bytes) -> list[list[str]]:
    content = data.decode("utf-8-sig", errors="replace")
    try:
        return [row for row in csv.reader(io.StringIO(content, newline=""), delimiter="\t") if row]
    except csv.Error as error:
        raise UnreadableFile(f"no tab-separated table: {clean_line(str(error), 120)}") from None

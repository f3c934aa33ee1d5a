"""``.eval_results/*.yaml``: results on benchmarks, as Hugging Face keeps them beside a model.

An entry names a benchmark's data set and task but no metric: the task's name stands for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rolldeck.facts.document import mapping, name, objects
from rolldeck.facts.load import UnreadableFile, load_yaml
from rolldeck.facts.model import Facts
from rolldeck.facts.model_card import Result, read_results
from rolldeck.facts.tolerant import tolerant
from rolldeck.text import clean_line


@tolerant
def read(path: str, data: bytes) -> Facts:
    """Read one file of results."""
    source, document = clean_line(path), load_yaml(data)
    if not isinstance(document, list):
        raise UnreadableFile("holds no list of results")
    metrics, data_sets = read_results(_results(objects(document)), source)
    return Facts(metrics=metrics, data=data_sets)


def _results(entries: list[Mapping[str, Any]]) -> Iterator[Result]:
    for entry in entries:
        data_set = mapping(entry.get("dataset"))
        benchmark, task = name(data_set.get("id")), name(data_set.get("task_id"))
        label = task if task and task != "default" else benchmark
        measured_on = {"name": benchmark, "revision": data_set.get("revision")}
        # What the notes tell (with tools, or not) makes it another measurement.
        yield (
            {"type": label, "value": entry.get("value")},
            {**measured_on, "split": entry.get("notes")},
        )

"""What kind of model it is: a loader needs the same architecture on both sides of an exchange."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from rolldeck.facts.model import Parameter
from rolldeck.facts.weights import Weights

_LISTED = re.compile(r"config\.architectures\[[0-9]+\]")
_MODEL_TYPE = "config.model_type"
_GGUF = "general.architecture"


def read_architecture(
    parameters: Iterable[Parameter], weights: Iterable[Weights]
) -> tuple[Parameter, ...]:
    """Return the architecture that ``config.json`` or the header of weights names."""
    return tuple(_found(list(parameters), weights))


def _found(parameters: list[Parameter], weights: Iterable[Weights]) -> Iterator[Parameter]:
    settings = [item for item in parameters if posixpath.basename(item.source) == "config.json"]
    listed = [item for item in settings if _LISTED.fullmatch(item.name)]
    if listed:
        names = ", ".join(str(item.value) for item in listed)
        yield Parameter("architecture", names, listed[0].source)
    for item in settings:
        if item.name == _MODEL_TYPE:
            yield Parameter("model type", item.value, item.source)
    for one in weights:
        if one.format == "GGUF" and _GGUF in one.metadata:
            name = "GGUF architecture"
            yield Parameter(name, one.metadata[_GGUF], one.path)
            return

"""JSON settings that transformers and peft save beside a model.

``config.json``, ``generation_config.json`` and ``adapter_config.json``: every leaf is a parameter
behind the file's name. What tells of origin rather than of the model stands with the lineage.
"""

from __future__ import annotations

import posixpath

from rolldeck.facts.document import text, without_credentials
from rolldeck.facts.load import UnreadableFile, load_json
from rolldeck.facts.model import Facts, LineageFact
from rolldeck.facts.parameters_file import settings
from rolldeck.facts.tolerant import tolerant
from rolldeck.text import clean_line

_LINEAGE = (
    ("base model", "base_model_name_or_path"),
    ("base model revision", "revision"),
    ("loaded from", "_name_or_path"),
    ("transformers version", "transformers_version"),
    ("diffusers version", "_diffusers_version"),
    ("peft version", "peft_version"),
)


@tolerant
def read(path: str, data: bytes) -> Facts:
    """Read one of the files."""
    source, document = clean_line(path), load_json(data)
    if not isinstance(document, dict):
        raise UnreadableFile("holds no object of settings")
    prefix = posixpath.basename(path).removesuffix(".json")
    origins = dict(_LINEAGE if prefix == "adapter_config" else _LINEAGE[2:])
    lineage = [
        LineageFact(label, without_credentials(value), source)
        for label, key in origins.items()
        if (value := text(document.get(key)))
    ]
    rest = {key: item for key, item in document.items() if key not in origins.values()}
    facts = settings(rest, source, f"{prefix}.")
    return Facts(parameters=facts.parameters, lineage=tuple(lineage), missing=facts.missing)

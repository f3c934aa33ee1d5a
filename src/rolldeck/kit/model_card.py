"""What a README says of the model: Hugging Face front matter, else its first paragraph."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rolldeck.kit.strict_yaml import Place, YamlNode, read_yaml
from rolldeck.text import clean_line

_SUMMARY_LIMIT = 200
_NAME_LIMIT = 100
_NO_PROSE = re.compile(r"\s*([#<!\[|>`*+=-]|\d+\.|https?:)")
_MARKUP = re.compile(r"\[([^\]]*)\]\([^)]*\)|[*`]+|(?<!\w)_+|_+(?!\w)")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of a model from its card; None for what the card does not say."""

    name: str | None = None
    license: str | None = None
    description: str | None = None
    framework: str | None = None


def read_card(head: bytes) -> ModelCard:
    """Read the start of a README; what cannot be understood is passed over."""
    text = head.decode("utf-8-sig", errors="ignore").replace("\r\n", "\n")
    front, body = _split(text)
    fields = _fields(front)
    license_name = fields.get("license")
    if license_name in ("other", "unknown"):
        license_name = fields.get("license_name")
    return ModelCard(
        name=fields.get("model_name") or fields.get("pretty_name") or fields.get("name"),
        license=license_name,
        description=fields.get("description") or _summary(body),
        framework=fields.get("library_name"),
    )


def _split(text: str) -> tuple[str, str]:
    if not text.startswith("---\n"):
        return "", text
    front, end, body = text[4:].partition("\n---")
    if end:
        return front, body.partition("\n")[2]
    # The rest of a long front matter was not read; its last line may be cut.
    return front.rpartition("\n")[0], ""


def _fields(front: str) -> dict[str, str]:
    def pass_over(place: Place, problem: str, hint: str | None) -> None:
        """A card that is not strict YAML still says what could be read of it."""

    root = read_yaml(front.encode(), pass_over) if front else None
    found: dict[str, str] = {}
    for key, node in (root.value if root and isinstance(root.value, dict) else {}).items():
        if text := _text(node):
            found[key] = text
    return found


def _text(node: YamlNode) -> str | None:
    value = node.value
    if isinstance(value, list) and len(value) == 1:
        value = value[0].value
    if not isinstance(value, str) or node.is_null:
        return None
    return clean_line(" ".join(value.split()), _NAME_LIMIT) or None


def _summary(body: str) -> str | None:
    """Return the first sentences of the first paragraph of prose."""
    body = re.sub(r"```.*?(```|\Z)|<!--.*?(-->|\Z)", "", body, flags=re.DOTALL)
    for paragraph in re.split(r"\n\s*\n", body):
        lines = paragraph.strip("\n").split("\n")
        if not lines[0].strip() or _NO_PROSE.match(lines[0]) or len(lines[-1].strip("=- ")) == 0:
            continue
        prose = " ".join(_MARKUP.sub(r"\1", " ".join(lines)).split())
        if len(prose) > _SUMMARY_LIMIT:
            cut = prose[:_SUMMARY_LIMIT]
            sentence = cut.rpartition(". ")[0]
            prose = f"{sentence}." if sentence else cut.rpartition(" ")[0] + " …"
        return clean_line(prose)
    return None

"""Name, description and licence of a kit, from its README and the text of its licence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rolldeck.kit.license_text import license_of_text, spdx
from rolldeck.kit.model_card import ModelCard, read_card
from rolldeck.kit.scan import FoundFile
from rolldeck.kit.weights_head import read_head
from rolldeck.text import clean_line

_CARDS = ("readme.md", "readme", "model_card.md", "modelcard.md", "skill.md")
_LICENSES = ("license", "licence", "copying")
_NAME_LIMIT = 100


def package_fields(
    root: Path, files: Sequence[FoundFile]
) -> tuple[dict[str, str], ModelCard, tuple[str, ...]]:
    """Return the package section, the card that it comes from, and notes on the licence."""
    card, card_path = _card(root, files)
    fields = {"name": clean_line(card.name or root.resolve().name or "kit", _NAME_LIMIT)}
    if card.description:
        fields["description"] = card.description
    name, note = _license(root, files, card, card_path)
    if name:
        fields["license"] = name
    return fields, card, (note,)


def _card(root: Path, files: Sequence[FoundFile]) -> tuple[ModelCard, str]:
    """Return what the README nearest to the root says."""
    cards = [file.path for file in files if file.name.casefold() in _CARDS]
    for path in sorted(cards, key=lambda path: (path.count("/"), path))[:1]:
        return read_card(read_head(root / path)), path
    return ModelCard(), ""


def _license(
    root: Path, files: Sequence[FoundFile], card: ModelCard, card_path: str
) -> tuple[str | None, str]:
    """Return the licence and a note of where it stands."""
    texts = [
        file.path
        for file in files
        if "/" not in file.path and file.name.casefold().startswith(_LICENSES)
    ]
    by_text = next(
        (name for path in texts if (name := license_of_text(read_head(root / path)))), None
    )
    if card.license:
        name = spdx(card.license)
        note = f"the licence {name} is that of {card_path}"
        if by_text and by_text.casefold() != name.casefold():
            note += f"; {texts[0]} looks like {by_text}: which one holds?"
        return name, note
    if by_text:
        return by_text, f"the licence {by_text} is told from the text of {texts[0]}"
    if texts:
        return None, f"the licence in {texts[0]} is not known here: write its name yourself"
    return None, "no licence was found: write one"

"""The elements of a Kitfile as they stand in the YAML, with the places of their values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rolldeck.kit.model import ElementKind
from rolldeck.kit.strict_yaml import Place, YamlNode

_SECTIONS: tuple[tuple[str, ElementKind, str], ...] = (
    ("code", "code", "code"),
    ("datasets", "dataset", "data set"),
    ("docs", "docs", "docs"),
    ("prompts", "prompt", "prompt"),
)


@dataclass(frozen=True, slots=True)
class KitfileElement:
    """One element: its kind, what to call it, and its mapping."""

    kind: ElementKind
    title: str
    node: YamlNode

    def text(self, name: str) -> str:
        """Return the text of a field; empty where it has none."""
        found = self.value(name)
        return found.value if found and isinstance(found.value, str) and not found.is_null else ""

    def value(self, name: str) -> YamlNode | None:
        """Return the value of a field, None where it is not there."""
        fields = self.node.value
        return fields.get(name) if isinstance(fields, dict) else None

    def place(self, name: str) -> Place:
        """Return where the value of a field stands; the element itself where it has none."""
        found = self.value(name)
        return found.place if found else self.node.place

    def is_known(self, name: str) -> bool:
        """Whether a field could be read: it is text, or surely not there."""
        found = self.value(name)
        if found is None:
            return not self.node.partial
        return isinstance(found.value, str) and not found.partial


def elements_of(root: YamlNode) -> Iterator[KitfileElement]:
    """Yield the elements that can be packed, in kit's order; what is malformed is passed over."""
    model = _mapping(root).get("model")
    if model is not None and isinstance(model.value, dict):
        yield KitfileElement("model", "model", model)
        for node in _items(model, "parts"):
            yield KitfileElement("modelpart", "part", node)
    for section, kind, title in _SECTIONS:
        for node in _items(root, section):
            yield KitfileElement(kind, title, node)


def _mapping(node: YamlNode) -> dict[str, YamlNode]:
    return node.value if isinstance(node.value, dict) else {}


def _items(node: YamlNode, name: str) -> Iterator[YamlNode]:
    found = _mapping(node).get(name)
    if found is not None and isinstance(found.value, list):
        yield from (item for item in found.value if isinstance(item.value, dict))

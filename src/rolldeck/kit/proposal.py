"""A proposed Kitfile: its elements, each with the reason, and what is left out, with the reason."""

from __future__ import annotations

from dataclasses import dataclass

from rolldeck.kit.model import ElementKind


@dataclass(frozen=True, slots=True)
class ProposedElement:
    """One element: its path, why it is there, and how much it packs (files, bytes).

    ``type`` is a part's type; ``name`` and ``description`` are written where they are known.
    """

    kind: ElementKind
    path: str
    why: str
    files: int = 1
    size: int = 0
    type: str | None = None
    name: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A path that no element packs, and why; directories end with a slash.

    ``pattern`` keeps it out where it lies inside an element, None where that needs no pattern.
    """

    path: str
    why: str
    is_secret: bool = False
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A Kitfile in parts. ``notes`` tell what a person should look at."""

    package: dict[str, str]
    model: dict[str, str]
    elements: tuple[ProposedElement, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...] = ()

    def of(self, *kinds: ElementKind) -> tuple[ProposedElement, ...]:
        """Return the elements of some kinds, in their order."""
        return tuple(item for item in self.elements if item.kind in kinds)

    @property
    def size(self) -> int:
        """Bytes of all elements together."""
        return sum(item.size for item in self.elements)

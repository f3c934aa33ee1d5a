"""Kits that take their model from another kit: how that one is named, and what unpacks together.

As in kit: ``model.path`` of the Kitfile may be a reference instead of a path, the kit it names may
refer on, and of each kit referred to only the model and its parts are unpacked, before the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from rolldeck.errors import UsageError
from rolldeck.kit.model import Kit, Layer
from rolldeck.oci.digest import Digest, is_digest
from rolldeck.oci.reference import Place, Reference

CHAIN_LIMIT = 10
"""Most kits that may follow each other behind one, as in kit."""


class Link(NamedTuple):
    """A kit that another takes its model from.

    ``name`` is what the other one calls it, cleaned to be shown; ``reference`` is where it was
    found, with its digest.
    """

    name: str
    reference: Reference
    kit: Kit

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that it lends: its model and the parts of that."""
        return tuple(
            replace(layer, origin=self.name)
            for layer in self.kit.layers
            if layer.kind in ("model", "modelpart")
        )

    @property
    def size(self) -> int:
        """Stored bytes of the layers that it lends."""
        return sum(layer.size for layer in self.layers)


def parse_model_reference(path: str) -> Reference | None:
    """Return the other kit that a ``model.path`` names, None where it is a path, as kit decides.

    A reference without a host is one of the library, a digest alone has no repository either.
    """
    if ":" not in path and "@" not in path:
        return None
    if is_digest(path):
        return Reference(Place.LIBRARY, "", "", None, Digest(path))
    try:
        return Reference.parse_plain(path.partition(",")[0])
    except UsageError:
        return None


def with_chain(kit: Kit, chain: Sequence[Link]) -> Kit:
    """Return the kit with the layers that others lend it before its own, the farthest first."""
    lent = tuple(layer for link in reversed(chain) for layer in link.layers)
    return replace(kit, layers=(*lent, *kit.layers)) if lent else kit

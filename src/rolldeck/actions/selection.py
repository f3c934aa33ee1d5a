"""What filters take of a version and of the kits that lend it their model."""

from __future__ import annotations

from collections.abc import Sequence

from rolldeck.actions.chain import load_chain
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError
from rolldeck.kit import Filter, Kit, Link, lending_filters
from rolldeck.kit.filter import filter_of
from rolldeck.kit.read import remote_data
from rolldeck.oci import Digest, Reference
from rolldeck.text import clean_line

_MOST_NAMES = 8


async def load_wanted_chain(
    workspace: Workspace,
    reference: Reference,
    kit: Kit,
    filters: tuple[Filter, ...],
    known: Sequence[Digest] = (),
) -> tuple[Link, ...]:
    """Return the kits that lend a kit its model, with what the filters take of that.

    As in kit, nobody is asked for them where no filter names the model. ``known`` and what it
    raises are as for ``load_chain``.
    """
    wanted = lending_filters(filters)
    if wanted is None:
        return ()
    chain = await load_chain(workspace, reference, kit, known)
    return tuple(link._replace(kit=link.kit.filtered(wanted)) for link in chain)


def require_match(kits: Sequence[Kit], reference: Reference, whole: Kit) -> None:
    """Raise NotFoundError where filters take nothing; ``kits`` are the filtered ones, own first.

    ``whole`` is the version without filters.
    """
    own = kits[0]
    if not own.filters or own.brings_kitfile or any(kit.layers for kit in kits):
        return
    if remote_data(own.kitfile, own.filters):
        return
    found = [filter_of(layer.kind, layer.name, layer.path) for layer in whole.layers]
    names = [clean_line(str(item), 100) for item in found if item]
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    raise NotFoundError(
        f"Nothing in {reference} matches {' or '.join(map(str, own.filters))}",
        reference=str(reference),
        hint=f"It has {', '.join(names[:_MOST_NAMES])}{more}." if names else None,
    )

"""Following a kit's model through the kits that it refers to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rolldeck.actions.kit import load_kit
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError, RefusedError, RolldeckError
from rolldeck.kit import CHAIN_LIMIT, Kit, Link, parse_model_reference
from rolldeck.oci import Digest, Place, Reference
from rolldeck.text import clean_line
from rolldeck.units import short_digest


async def load_chain(
    workspace: Workspace, reference: Reference, kit: Kit, known: Sequence[Digest] = ()
) -> tuple[Link, ...]:
    """Return the kits that a kit's model comes from, nearest first; none where it has its own.

    ``reference`` is where the kit was found; ``known`` are the kits that it is to be, whatever
    their tags name by then. Only manifests and configs are read. Raises
    RefusedError for a circle, for more than ``CHAIN_LIMIT`` kits and for what is no kit, else the
    error of the place that was asked; each names who refers to what.
    """
    chain: list[Link] = []
    seen = {kit.digest}
    here = reference
    while kit.model_reference is not None:
        name = clean_line(kit.model_reference, 500)
        if len(chain) == CHAIN_LIMIT:
            raise RefusedError(
                f"{_short(reference)} takes its model from more than {CHAIN_LIMIT} kits, "
                "one behind the other",
                reference=str(reference),
                hint="kit follows no more either; pack it with a nearer reference.",
            )
        digest = known[len(chain)] if len(chain) < len(known) else None
        here, kit = await _find(workspace, here, kit.model_reference, name, digest)
        if kit.digest in seen:
            raise RefusedError(
                f"{_short(reference)} takes its model from itself: "
                + " → ".join([*(link.name for link in chain), name]),
                reference=str(reference),
                hint="One of these tags was moved; pack it with references by digest.",
            )
        seen.add(kit.digest)
        chain.append(Link(name, here, kit))
    return tuple(chain)


async def find_model(workspace: Workspace, reference: Reference, path: str) -> tuple[Link, ...]:
    """Return the kits that the model of a kit to be packed as ``reference`` comes from.

    ``path`` is the reference in its Kitfile. Raises as ``load_chain``.
    """
    name = clean_line(path, 500)
    here, kit = await _find(workspace, reference, path, name)
    return (Link(name, here, kit), *await load_chain(workspace, here, kit))


async def _find(
    workspace: Workspace,
    referrer: Reference,
    text: str,
    name: str,
    digest: Digest | None = None,
) -> tuple[Reference, Kit]:
    """Find the kit that another refers to, and read it; with ``digest`` it is that one."""
    wanted = parse_model_reference(text)
    assert wanted is not None
    if digest is not None and wanted.digest is None:
        wanted = replace(wanted, tag=None, digest=digest)
        name = f"{name} of then ({short_digest(digest)})"
    places = list(_candidates(referrer, wanted))
    for place in places:
        try:
            found = await workspace.resolve(place)
            kit = await load_kit(workspace, found)
        except NotFoundError:
            continue
        except RolldeckError as error:
            why = error.message.removeprefix(f"{name}: ")
            message = f"{_short(referrer)} takes its model from {name}: {why}"
            raise type(error)(message, reference=name, hint=error.hint) from None
        if not kit.unpackable:
            raise RefusedError(
                f"{_short(referrer)} takes its model from {name}, which is an {kit.kind}, no kit",
                reference=name,
            )
        return found, kit
    asked = ", ".join(_place_name(place) for place in places)
    raise NotFoundError(
        f"{_short(referrer)} takes its model from {name}, which is missing",
        reference=name,
        hint=f"Not found in {asked}. Pull or push it under that name.",
    )


def _candidates(referrer: Reference, wanted: Reference) -> Iterator[Reference]:
    """Yield where a kit may be that another refers to: beside that one, on this host, at home.

    Kits that were pulled or packed together stand together. By digest it is the same everywhere,
    so the library comes first.
    """
    copy = replace(wanted, place=Place.LIBRARY, root="", repository=wanted.library_name)
    in_kit = replace(copy, place=Place.KIT)
    beside = {
        Place.REGISTRY: wanted,
        Place.LAYOUT: replace(copy, place=Place.LAYOUT, root=referrer.root),
        Place.KIT: in_kit,
        Place.LIBRARY: copy,
    }[referrer.place]
    found = [beside, copy, in_kit, wanted]
    yield from dict.fromkeys([copy, *found] if wanted.digest else found)


def _short(reference: Reference) -> str:
    """Return a resolved reference as a person would type it."""
    return str(replace(reference, digest=None) if reference.tag else reference)


def _place_name(place: Reference) -> str:
    names = {
        Place.LIBRARY: "the library",
        Place.KIT: "kit's storage",
        Place.LAYOUT: f"oci:{place.root}",
    }
    return names.get(place.place, place.root)

"""What verbs that unpack say of the library."""

from __future__ import annotations

from rolldeck.cli.terminal import message
from rolldeck.kit import Filter
from rolldeck.oci import Reference


def tell_kept(kept: bool, reference: Reference, filters: tuple[Filter, ...]) -> None:
    """Say how to have all layers in the library where they are not."""
    if kept:
        return
    if filters:
        message(f"The rest was not fetched; rolldeck pull {reference} has it all in the library.")
    else:
        message(
            f"Large layers are in that directory only; rolldeck pull {reference} "
            "keeps a copy in the library."
        )

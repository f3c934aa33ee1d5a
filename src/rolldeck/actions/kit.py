"""Reading the kit that a reference names: one, where lists of versions would load far more."""

from __future__ import annotations

from rolldeck.actions.workspace import Workspace
from rolldeck.errors import NotFoundError
from rolldeck.kit import Kit, read_kit
from rolldeck.oci import Reference


async def load_kit(workspace: Workspace, reference: Reference) -> Kit:
    """Read what stands under a resolved reference: manifest and config, no layer."""
    manifest = await workspace.manifest(reference, may_be_cached=True)
    config = None
    if manifest.config is not None:
        try:
            config = await workspace.small_blob(reference, manifest.config)
        except NotFoundError:
            config = None  # an artifact's empty config need not be stored
    return read_kit(manifest, config)

"""Proposing a Kitfile for a directory, as ``kit init`` does and with more care."""

from __future__ import annotations

from pathlib import Path

from rolldeck.kit.check_paths import reads_as_address
from rolldeck.kit.model import ElementKind
from rolldeck.kit.proposal import LeftOut, Proposal
from rolldeck.kit.propose_model import model_directories, model_elements, model_fields
from rolldeck.kit.propose_package import package_fields
from rolldeck.kit.propose_rest import rest_elements
from rolldeck.kit.scan import scan
from rolldeck.progress import Progress

_ORDER: tuple[ElementKind, ...] = ("model", "modelpart", "code", "dataset", "docs", "prompt")

_MISREAD = "kit takes its name for an address, since it holds ':' or '@'; rename it"


def propose(root: Path, progress: Progress) -> Proposal:
    """Return the Kitfile that a directory suggests; reads at most the first 4 KiB of a few files.

    Raises StorageError for what cannot be read, CancelledError when cancelled. The proposal has
    no elements where nothing is there to pack.
    """
    found = scan(root, progress)
    directories = model_directories(found.files)
    starts = tuple(f"{directory}/" for directory in directories)
    whole = [file for file in found.files if file.path.startswith(starts)]
    others = [file for file in found.files if not file.path.startswith(starts)]
    weights = [file for file in others if file.kind in ("weights", "part")]
    rest = [file for file in others if file.kind not in ("weights", "part")]
    made = [*model_elements(weights, whole, directories), *rest_elements(rest)]
    elements = [item for item in made if not reads_as_address(item.path)]
    elements.sort(key=lambda item: _ORDER.index(item.kind))
    misread = [LeftOut(item.path, _MISREAD) for item in made if reads_as_address(item.path)]
    package, card, notes = package_fields(root, found.files)
    model = model_fields(weights, elements, card, root)
    if model and "license" in package:
        model["license"] = package["license"]
    pointers = (f"{path} is a pointer of Git LFS: git lfs pull" for path in found.pointers)
    left_out = tuple(sorted([*found.left_out, *misread], key=lambda item: item.path))
    return Proposal(package, model, tuple(elements), left_out, (*pointers, *notes))

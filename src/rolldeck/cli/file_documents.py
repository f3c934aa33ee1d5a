"""The JSON documents of files, with the keys that docs/json.md promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rolldeck.actions import FileView, VersionFiles
    from rolldeck.facts.tensors import TensorHeader
    from rolldeck.kit import Layer, LayerFile
    from rolldeck.oci import Reference

Document = dict[str, Any]


def files_document(found: VersionFiles) -> Document:
    """Return what ``ls REF --files`` prints."""
    files = [_file(layer, file) for layer, listing in found.layers for file in listing.files]
    if found.kitfile is not None:
        files.append(
            {
                "path": "Kitfile",
                "type": "file",
                "target": None,
                "size": len(found.kitfile),
                "mode": "0644",
                "kind": "config",
                "layer": None,
                "from": None,
            }
        )
    files.sort(key=lambda file: str(file["path"]).split("/"))
    return {
        "reference": str(found.reference),
        "digest": found.reference.digest,
        "complete": found.complete,
        "files": files,
        "layers": [
            {
                "digest": layer.digest,
                "kind": layer.kind,
                "path": layer.path,
                "from": layer.origin,
                "verified": listing.verified,
                "stopped": listing.stopped or None,
            }
            for layer, listing in found.layers
        ],
        "chain_problem": found.chain_problem,
    }


def _file(layer: Layer, file: LayerFile) -> Document:
    return {
        "path": file.path,
        "type": file.type,
        "target": file.target or None,
        "size": None if file.is_dir else file.size,
        "mode": f"{file.mode:04o}",
        "kind": layer.kind,
        "layer": layer.digest,
        "from": layer.origin,
    }


def view_document(reference: Reference, view: FileView) -> Document:
    """Return what ``cat REF PATH`` prints."""
    return {
        "reference": str(reference),
        "digest": reference.digest,
        "path": view.path,
        "size": view.size,
        "mode": f"{view.mode:04o}",
        "kind": view.layer.kind if view.layer else "config",
        "layer": view.layer.digest if view.layer else None,
        "type": view.type,
        "verified": view.verified,
        "text": None if view.text is None else view.text.decode("utf-8", "replace"),
        "complete": view.text is not None and not view.cut,
        "header": _header(view.header) if view.header else None,
        "problem": view.notice or None,
    }


def _header(header: TensorHeader) -> Document:
    return {
        "format": header.format,
        "parameters": header.parameters,
        "metadata": dict(header.metadata),
        "tensors": [
            {"name": tensor.name, "shape": list(tensor.shape), "dtype": tensor.dtype}
            for tensor in header.tensors
        ],
        "notice": header.notice or None,
    }

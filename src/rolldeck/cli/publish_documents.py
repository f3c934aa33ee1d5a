"""The JSON documents of the verbs that make, publish and remove versions."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from rolldeck.cli.documents import Document
from rolldeck.cli.move_documents import check_documents

if TYPE_CHECKING:
    from rolldeck.actions import (
        Checked,
        Delivered,
        Delivery,
        Initialized,
        Removal,
    )
    from rolldeck.kit.finding import Finding
    from rolldeck.oci import Digest


def checked_document(checked: Checked) -> Document:
    """Return what ``check`` prints."""
    return {
        "path": str(checked.path),
        "ok": checked.ok,
        "findings": [finding_document(item) for item in checked.findings],
    }


def initialized_document(found: Initialized) -> Document:
    """Return what ``init`` prints."""
    proposal = found.proposal
    return {
        "path": str(found.path),
        "written": found.written,
        "kitfile": found.text,
        "kitignore": found.ignore,
        "kitignore_written": found.written and found.ignore is not None and found.ignore_is_new,
        "elements": [
            {
                "kind": item.kind,
                "path": item.path,
                "type": item.type,
                "files": item.files,
                "size": item.size,
                "why": item.why,
            }
            for item in proposal.elements
        ],
        "left_out": [
            {"path": item.path, "why": item.why, "secret": item.is_secret}
            for item in proposal.left_out
        ],
        "notes": list(proposal.notes),
        "findings": [finding_document(item) for item in found.findings],
    }


def finding_document(item: Finding) -> Document:
    """Return one finding of a check."""
    return {
        "file": item.file,
        "line": item.line,
        "column": item.column,
        "severity": item.severity,
        "message": item.message,
        "hint": item.hint,
    }


def delivery_document(delivery: Delivery, missing: Collection[Digest]) -> Document:
    """Return what a dry run of ``push``, ``copy`` and ``tag`` prints."""
    blobs = delivery.graph.blobs
    return {
        **_delivery_keys(delivery),
        "bytes_to_move": sum(blob.size for blob in blobs if blob.digest in missing),
        "blobs": [
            {
                "digest": blob.digest,
                "size": blob.size,
                "status": "missing" if blob.digest in missing else "present",
            }
            for blob in blobs
        ],
        "applied": False,
    }


def delivered_document(delivered: Delivered) -> Document:
    """Return what ``push``, ``copy`` and ``tag`` print."""
    return {
        **_delivery_keys(delivered.delivery),
        "bytes_transferred": delivered.bytes_transferred,
        "blobs": [
            {"digest": blob.digest, "size": blob.size, "status": blob.status}
            for blob in delivered.blobs
        ],
        "seconds": round(delivered.seconds, 3),
        "applied": True,
    }


def _delivery_keys(delivery: Delivery) -> Document:
    return {
        "reference": str(delivery.reference),
        "digest": delivery.digest,
        "source": str(delivery.source),
        "tags": [{"tag": item.tag, "from": item.before} for item in delivery.tags],
    }


def removal_document(removal: Removal, *, applied: bool) -> Document:
    """Return what ``rm`` and ``untag`` print."""
    return {
        "reference": str(removal.reference),
        "digest": removal.digest,
        "tags": list(removal.tags),
        "kept": list(removal.kept),
        "plan": check_documents(removal.checks),
        "applied": applied,
    }

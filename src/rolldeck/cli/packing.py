"""The verb that packs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from rolldeck.actions import (
    Workspace,
    created_of_environment,
    pack_kit,
    plan_pack,
    plan_packed_push,
    push_packed,
)
from rolldeck.cli.authoring import print_findings
from rolldeck.cli.columns import print_columns
from rolldeck.cli.documents import print_document
from rolldeck.cli.publish_documents import delivered_document, finding_document
from rolldeck.cli.terminal import confirm, message, progress_line
from rolldeck.errors import CancelledError
from rolldeck.kit.pack_documents import PackForm
from rolldeck.progress import Progress
from rolldeck.text import clean_line
from rolldeck.units import human_size, short_digest

if TYPE_CHECKING:
    from rolldeck.actions import Packed, Packing


async def run_pack(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Pack a directory; what is left out is told before."""
    form = PackForm(
        arguments.compression,
        arguments.model_pack,
        arguments.exact_kit,
        created_of_environment(),
    )
    packing = await plan_pack(
        workspace, arguments.directory, arguments.name, form, progress, kitfile=arguments.file
    )
    if not arguments.json:
        _print_left_out(packing)
    if arguments.dry_run:
        if arguments.json:
            print_document(_document(packing))
        else:
            _print_plan(packing)
        return 0
    if arguments.push:
        return await _push(workspace, packing, arguments, progress)
    with progress_line(progress, f"pack {arguments.name}", quiet=arguments.json):
        packed = await pack_kit(
            workspace, packing, progress, force=arguments.force, rehash=arguments.rehash
        )
    if arguments.json:
        print_document(_packed_document(packed))
    else:
        _print_done(packed)
    return 0


async def _push(
    workspace: Workspace, packing: Packing, arguments: argparse.Namespace, progress: Progress
) -> int:
    hashing, sending = progress.part("hash"), progress.part("push")
    with progress_line(hashing, f"hash {arguments.name}", quiet=arguments.json):
        packed, delivery = await plan_packed_push(
            workspace, packing, hashing, force=arguments.force, rehash=arguments.rehash
        )
    moved = ", ".join(f"{delivery.target.tagged(item.tag)}" for item in delivery.moved)
    if moved and not confirm(f"Move {moved}?", "This moves a tag", yes=arguments.yes):
        raise CancelledError("Nothing was changed")
    with progress_line(sending, f"push {arguments.name}", quiet=arguments.json):
        delivered = await push_packed(workspace, packed, delivery, sending)
    if arguments.json:
        print_document({**_packed_document(packed), **delivered_document(delivered)})
    else:
        sent = human_size(delivered.bytes_transferred)
        print(f"{delivery.reference}\n  {sent} sent in {delivered.seconds:.1f} s")
    return 0


def _print_left_out(packing: Packing) -> None:
    print_findings(packing.kitfile, packing.data, packing.warnings)
    for path, reason in packing.plan.left_out:
        message(f"left out: {clean_line(path)}: {clean_line(reason)}")


def _print_plan(packing: Packing) -> None:
    rows = [
        (
            layer.kind,
            clean_line(layer.clean_path),
            str(sum(not entry.is_dir for entry in layer.entries)),
            human_size(layer.content_size),
        )
        for layer in packing.plan.layers
    ]
    columns = [("layer", "left"), ("path", "left"), ("files", "right"), ("size", "right")]
    print_columns(columns, rows)
    total = sum(layer.content_size for layer in packing.plan.layers)
    print(f"{packing.reference}\n  {human_size(total)} in {len(rows)} layers")
    message("Dry run: nothing was packed.")


def _print_done(packed: Packed) -> None:
    layers = packed.kit.layers
    digest = packed.kit.descriptor.digest
    size = human_size(sum(layer.blob.size for layer in layers))
    unchanged = sum(layer.unchanged for layer in layers)
    which = f"{len(layers)} layers" + (f", {unchanged} of them unchanged" if unchanged else "")
    print(f"{packed.reference}\n  {size} in {which}, packed in {packed.seconds:.1f} s")
    for item in packed.packing.tags:
        if item.before not in (None, digest):
            print(f"  {item.tag} was {short_digest(item.before or '')}")


def _document(packing: Packing) -> dict[str, Any]:
    """Return what ``pack --dry-run`` prints."""
    plain = packing.form.compression == "none"
    layers = packing.plan.layers
    return {
        "reference": str(packing.reference),
        "digest": None,
        "kind": "modelpack" if packing.form.model_pack else "modelkit",
        "size": sum(layer.archive_size for layer in layers) if plain else None,
        "tags": [{"tag": item.tag, "from": item.before} for item in packing.tags],
        "config": None,
        "layers": [
            {
                "digest": None,
                "diff_id": None,
                "size": layer.archive_size if plain else None,
                "path": layer.path,
                "kind": layer.kind,
                "files": sum(not entry.is_dir for entry in layer.entries),
                "unchanged": None,
            }
            for layer in layers
        ],
        "left_out": [{"path": path, "reason": why} for path, why in packing.plan.left_out],
        "findings": [finding_document(item) for item in packing.findings],
        "seconds": None,
        "applied": False,
    }


def _packed_document(packed: Packed) -> dict[str, Any]:
    """Return what ``pack`` prints."""
    document = _document(packed.packing)
    kit = packed.kit
    layers = [
        {
            **planned,
            "digest": layer.blob.digest,
            "diff_id": layer.diff_id,
            "size": layer.blob.size,
            "unchanged": layer.unchanged,
        }
        for planned, layer in zip(document["layers"], kit.layers, strict=True)
    ]
    return {
        **document,
        "reference": str(packed.reference),
        "digest": kit.descriptor.digest,
        "size": sum(layer.blob.size for layer in kit.layers),
        "config": kit.config.digest,
        "layers": layers,
        "seconds": packed.seconds,
        "applied": True,
    }

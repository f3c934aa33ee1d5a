"""The verbs that put versions elsewhere: push, copy, tag."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING

from rolldeck.actions import Workspace, deliver, missing_blobs, plan_copy, plan_push, plan_tag
from rolldeck.cli.documents import print_document
from rolldeck.cli.publish_documents import delivered_document, delivery_document
from rolldeck.cli.terminal import confirm, message, progress_line
from rolldeck.errors import CancelledError
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.text import clean_line
from rolldeck.units import human_size, short_digest

if TYPE_CHECKING:
    from rolldeck.actions import Delivered, Delivery


async def run_push(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Put a version into a registry."""
    reference = Reference.parse(arguments.reference)
    delivery = await plan_push(workspace, reference, arguments.destinations, force=arguments.force)
    return await _carry_out(workspace, delivery, arguments, progress)


async def run_copy(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Copy a version from any place to any other."""
    source, target = Reference.parse(arguments.a), Reference.parse(arguments.b)
    delivery = await plan_copy(workspace, source, target, force=arguments.force)
    return await _carry_out(workspace, delivery, arguments, progress)


async def run_tag(workspace: Workspace, arguments: argparse.Namespace, progress: Progress) -> int:
    """Give a version further tags."""
    reference = Reference.parse(arguments.reference)
    delivery = await plan_tag(workspace, reference, arguments.tags, force=arguments.force)
    return await _carry_out(workspace, delivery, arguments, progress)


async def _carry_out(
    workspace: Workspace, delivery: Delivery, arguments: argparse.Namespace, progress: Progress
) -> int:
    if arguments.dry_run:
        missing = await missing_blobs(workspace, delivery)
        if arguments.json:
            print_document(delivery_document(delivery, missing))
        else:
            _print_plan(delivery, sum(b.size for b in delivery.graph.blobs if b.digest in missing))
        return 0
    if delivery.moved and not confirm(_question(delivery), "This moves a tag", yes=arguments.yes):
        raise CancelledError("Nothing was changed")
    with progress_line(progress, f"{delivery.verb} {delivery.source.name}"):
        delivered = await deliver(workspace, delivery, progress)
    if arguments.json:
        print_document(delivered_document(delivered))
    else:
        _print_done(delivered)
    return 0


def _question(delivery: Delivery) -> str:
    moves = (
        f"{delivery.target.tagged(item.tag)} from {short_digest(item.before or '')}"
        for item in delivery.moved
    )
    return f"Move {', '.join(moves)} to {short_digest(delivery.digest)}?"


def _print_plan(delivery: Delivery, missing: int) -> None:
    print(f"{clean_line(str(delivery.source))}\n  to {clean_line(delivery.target.name)}")
    for item in delivery.tags:
        print(f"  {item.tag}: {_before(item.before, delivery)}")
    print(f"  {human_size(missing)} of {human_size(delivery.graph.size)} to send")
    message("Dry run: nothing was changed.")


def _before(before: str | None, delivery: Delivery) -> str:
    if before is None:
        return "new"
    return "as it is" if before == delivery.digest else f"moves from {short_digest(before)}"


def _print_done(delivered: Delivered) -> None:
    delivery = delivered.delivery
    print(f"{clean_line(str(delivery.reference))}")
    tags = [item.tag for item in delivery.tags]
    if delivery.verb == "tag":
        print(f"  {', '.join(tags)}")
        return
    if len(tags) > 1:
        print(f"  {', '.join(tags)}")
    count = Counter(blob.status for blob in delivered.blobs)
    mounted = f", {count['mounted']} mounted" if count["mounted"] else ""
    present = f", {count['present']} there already" if count["present"] else ""
    print(
        f"  {human_size(delivered.bytes_transferred)} in {count['pushed']} blobs sent in"
        f" {delivered.seconds:.1f} s{mounted}{present}"
    )

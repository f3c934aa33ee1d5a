"""The commands that put versions and tags somewhere else, and the demo."""

from __future__ import annotations

from rolldeck.commands.model import Command

DELIVERING: tuple[Command, ...] = (
    Command(
        "version.push",
        "push",
        "Put a version of the library, or of a layout, into a registry.",
        danger="adds",
        cli="push",
        typed="push REFERENCE DESTINATION",
        examples=("rolldeck push fraud:v2.4.2 ghcr.io/acme/fraud:v2.4.2 staging",),
    ),
    Command(
        "version.send",
        "send",
        "Copy a version from any place to any other: registry, layout, library.",
        danger="adds",
        cli="copy",
        typed="copy REFERENCE DESTINATION",
        examples=("rolldeck copy ghcr.io/acme/fraud:v2.4.0 oci:./usb",),
    ),
    Command(
        "version.untag",
        "remove tag",
        "Remove a tag; the version and its other tags stay.",
        danger="changes",
        cli="untag",
        typed="untag REFERENCE",
        examples=("rolldeck untag ghcr.io/acme/fraud:stable",),
    ),
    Command(
        "library.demo",
        "demo",
        "Fill the library with example versions to play with.",
        danger="adds",
        cli="demo",
    ),
)

"""The demo: a fresh library with the three versions that the package ships, and a target."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rolldeck import fsops, half_made
from rolldeck.actions.demo_channel import DEMO_CHANNEL, stage_channel
from rolldeck.actions.move import apply
from rolldeck.actions.plan import plan_pin
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import UsageError
from rolldeck.oci import Place, Reference
from rolldeck.progress import Progress
from rolldeck.settings import Settings
from rolldeck.store import Library

DEMO_REPOSITORY = "movie-recommend"
DEMO_VERSIONS = ("v1.0.0", "v1.1.0", "v2.0.0")
_MARKER = ".rolldeck-demo"


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the demo lies: a library of its own and the target that "serves" one version."""

    library: Path
    target: Path

    @property
    def repository(self) -> Reference:
        """The demo's repository."""
        return Reference(Place.LIBRARY, "", DEMO_REPOSITORY)

    @property
    def channel(self) -> Reference:
        """The channel that its users pull."""
        return self.repository.tagged(DEMO_CHANNEL)

    def version(self, tag: str) -> Reference:
        """One version of the demo's repository."""
        return self.repository.tagged(tag)


def prepare_demo(directory: Path) -> Demo:
    """Make a fresh demo in ``directory``, which must be new, empty, or an earlier demo's.

    Raises UsageError for any other directory, and leaves it as it is.
    """
    marker = directory / _MARKER
    if directory.is_dir() and any(directory.iterdir()) and not marker.exists():
        raise UsageError(
            f"{directory} holds other files",
            reference=str(directory),
            hint="Choose a new or an empty directory for the demo.",
        )
    if marker.exists():
        fsops.remove_tree(directory)
    fsops.make_directories(directory)
    half_made.write_atomic(marker, b"Made by `rolldeck demo`, which may remove this directory.\n")
    demo = Demo(directory / "library", directory / "serving")
    fill_library(Library(demo.library))
    return demo


def fill_library(library: Library) -> None:
    """Pack the shipped versions into ``library`` as real ModelKits."""
    lease = library.lease("demo", DEMO_REPOSITORY, None)
    try:
        _pack_versions(library)
    finally:
        fsops.unlink(lease)


def _pack_versions(library: Library) -> None:
    # Imported here: packing reads YAML, which no other verb should load.
    from importlib.resources import as_file, files

    from rolldeck.kit.kitfile import read_kitfile
    from rolldeck.kit.pack import pack

    with as_file(files("rolldeck") / "demo" / "movie_recommend") as contexts:
        for tag in DEMO_VERSIONS:
            context = contexts / tag
            kitfile = read_kitfile((context / "Kitfile").read_bytes())
            packed = pack(context, kitfile, library.writer)
            library.add(packed.manifest)
            library.tag(DEMO_REPOSITORY, [tag], packed.descriptor)


async def stage_demo(demo: Demo, now: datetime | None = None) -> None:
    """Pin v1.1.0 and then v2.0.0, so that the demo begins where a rollback is due.

    The moves of its channel are dated back from ``now``, which pictures give.
    """
    workspace = Workspace(Settings(library=demo.library))
    try:
        await stage_channel(workspace, demo.repository, now)
        for tag in DEMO_VERSIONS[1:]:
            plan = await plan_pin(workspace, demo.version(tag), demo.target)
            await apply(workspace, plan, Progress(), reason="demo")
    finally:
        await workspace.close()


async def make_demo(directory: Path) -> Demo:
    """Prepare the demo off the event loop."""
    return await asyncio.to_thread(prepare_demo, directory)

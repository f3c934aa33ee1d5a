"""A made-up world for the deck: repositories, versions and targets that never change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from rolldeck import actions
from rolldeck.actions import (
    Check,
    FileView,
    InView,
    MatrixResult,
    Plan,
    RepositoryList,
    RepositoryRow,
    TargetState,
    VersionList,
    VersionRow,
    Workspace,
)
from rolldeck.actions.delivery import DeliveredBlob, TagChange
from rolldeck.actions.graph import Graph
from rolldeck.compare import NO_DIRECTIONS, Entry, Policy, Version, compare, matrix
from rolldeck.errors import RolldeckError
from rolldeck.facts import DataSet, EnvironmentFact, Facts, Metric, Parameter
from rolldeck.facts.tensors import Tensor, TensorHeader
from rolldeck.kit import Kit, Layer
from rolldeck.kit.listing import LayerFile, LayerListing
from rolldeck.kit.model import ElementKind
from rolldeck.oci import Descriptor, Digest, Manifest, Reference
from rolldeck.progress import Progress
from rolldeck.settings import Settings

NOW = datetime(2026, 11, 21, 8, 4, 12, tzinfo=UTC)
FRAUD = Reference.parse("ghcr.io/acme/fraud")
LOCAL = Reference.parse("movie-recommend")
EMPTY = RepositoryList(())


def digest_of(name: str) -> Digest:
    """Return a digest that is always the same for a name."""
    return Digest(f"sha256:{sha256(name.encode()).hexdigest()}")


def a_row(repository: Reference, tag: str, days: float, **more: Any) -> VersionRow:
    """Return a filled row of a version."""
    digest = digest_of(f"{repository}{tag}")
    row = VersionRow(
        reference=replace(repository, tag=tag, digest=digest),
        label=tag,
        badges=(),
        tags=(tag,),
        digest=digest,
        kind="modelkit",
        size=4_402_341_478,
        created=NOW - timedelta(days=days),
        name="fraud",
        version=tag.removeprefix("v"),
        metrics={"f1": 0.9, "auc": 0.95},
        loaded=True,
    )
    return replace(row, **more)


F1 = (0.884, 0.912, 0.871, 0.905, 0.904, 0.899, 0.899, 0.893)
BADGES = {0: ("production",), 3: ("staging", "canary")}
DAYS = (0.0243, 8, 15, 21, 30, 44, 51, 58)


def fraud_rows() -> tuple[VersionRow, ...]:
    """Return the versions of the repository that most tests look at."""
    tags = ("v2.4.1", "v2.4.0", "v2.3.9", "v2.3.8", "v2.3.7", "v2.3.6", "v2.3.5", "v2.3.4")
    return tuple(
        a_row(
            FRAUD,
            tag,
            DAYS[number],
            metrics={"f1": F1[number], "auc": 0.95},
            badges=BADGES.get(number, ()),
            tags=(tag, *BADGES.get(number, ())),
            local=number == 2,
        )
        for number, tag in enumerate(tags)
    )


ELEMENTS: tuple[tuple[ElementKind, int, str], ...] = (
    ("model", 4_402_000_000, "model.safetensors"),
    ("code", 217_088, "src"),
    ("dataset", 1_363_148, "data/train.parquet"),
    ("docs", 4096, "README.md"),
)


def blob_of(name: str, size: int) -> Descriptor:
    """Return a descriptor that is always the same for a name."""
    return Descriptor("application/x", digest_of(name), size)


def a_version(row: VersionRow, **facts: Any) -> Version:
    """Return a version to a row, with facts of every kind."""
    layers = tuple(
        Layer(blob_of(f"{row.label}{kind}", size), kind, "tar", "none", path=path)
        for kind, size, path in ELEMENTS
    )
    kitfile = {
        "manifestVersion": "1.0.0",
        "package": {"name": row.name, "version": row.version, "authors": ["ci-bot"]},
        "model": {"path": "model.safetensors", "parameters": {"epochs": 20}},
    }
    manifest = Manifest(
        b"{}", row.digest, "application/vnd.oci.image.manifest.v1+json", None, None, (), (), None,
        {}, {"schemaVersion": 2, "layers": []},
    )  # fmt: skip
    known = Facts(
        metrics=(
            Metric("f1", row.metrics.get("f1"), "run.json", higher_is_better=True, n=1200),
            Metric("auc", 0.955, "run.json", higher_is_better=True),
            Metric("p95", 63, "run.json", unit="ms", higher_is_better=False),
        ),
        parameters=tuple(
            Parameter(name, value, "Kitfile")
            for name, value in (("learning_rate", 0.0001), ("epochs", 20), ("optimizer", "adamw"))
        ),
        environment=(
            EnvironmentFact("python", "version", "3.11.7", "run.json"),
            EnvironmentFact("package", "torch", "2.7.1+cu126", "requirements.txt"),
            EnvironmentFact("package", "numpy", "2.1.0", "requirements.txt"),
        ),
        data=(DataSet("train", "train", "sha256", "ab" * 32, "run.json"),),
    )
    kit = Kit(manifest, "modelkit", layers, {}, kitfile, row.created)
    return Version(str(row.reference), row.label, kit, replace(known, **facts), {})


def a_listing() -> LayerListing:
    """Return the files of a layer that was read by range."""
    files = (
        LayerFile("model", True, 0o755, 0),
        LayerFile("model/weights.safetensors", False, 0o600, 4_401_999_872),
        LayerFile("model/config.json", False, 0o644, 113),
        LayerFile("README.md", False, 0o644, 40),
        LayerFile("scripts/run.sh", False, 0o755, 9),
    )
    return LayerListing(files)


def a_few_views() -> dict[str, FileView]:
    """Return what is in some of these files."""
    config = b'{\n  "model_type": "fraud",\n  "note": "' + b"a long line " * 8 + b'"\n}\n'
    header = TensorHeader(
        "safetensors",
        (
            Tensor("embedding.weight", (32_000, 4096), "BF16"),
            Tensor("head.bias", (2,), "F32"),
            Tensor("temperature", (), "F32"),
        ),
        {"format": "pt"},
    )
    return {
        "model/config.json": FileView(
            "model/config.json", len(config), 0o644, None, "text", True, config
        ),
        "model/weights.safetensors": FileView(
            "model/weights.safetensors", 4_401_999_872, 0o600, None, "safetensors weights", False,
            header=header,
        ),
        "README.md": FileView("README.md", 0, 0o644, None, "empty", True, b""),
        "scripts/run.sh": FileView(
            "scripts/run.sh", 5_000_000, 0o755, None, "text", False, b"one\n\x1b[31mtwo", cut=True
        ),
    }  # fmt: skip


def _an_entry(row: VersionRow, **facts: Any) -> Entry:
    """Return what a table knows of a version."""
    known = a_version(row, **facts).facts
    metrics = tuple(
        replace(item, value=row.metrics.get(item.name, item.value)) for item in known.metrics
    )
    return Entry(str(row.reference), row.key, row.label, row.created, metrics, known.parameters)


@dataclass
class World:
    """What the actions answer; a test changes what it is about."""

    repositories: RepositoryList = EMPTY
    rows: dict[Reference, tuple[VersionRow, ...]] = field(default_factory=dict)
    targets: tuple[TargetState, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    failure: RolldeckError | None = None
    """Raised by every read of versions."""
    checks: tuple[Check, ...] = (Check("unpacked here", True, "0 B to move"),)
    uses: tuple[Check, ...] = ()
    """Further checks of a removal."""
    pull_steps: int = 2
    """Steps of 10 ms that a pull takes; 0 = until it is cancelled."""
    answered: asyncio.Event | None = None
    """Set when registries answer the question for their repositories; None = at once."""
    listing: LayerListing | RolldeckError = field(default_factory=lambda: a_listing())
    """What is in every layer."""
    views: dict[str, FileView] = field(default_factory=lambda: a_few_views())
    """What files are, by path."""
    reading: asyncio.Event | None = None
    """Set when layers are to be read to their end; None = at once."""
    stuck: bool = False
    """Whether a pull hangs where it asks for its version."""
    calls: list[tuple[str, ...]] = field(default_factory=list)
    """What was asked of the actions that change something."""

    async def list_repositories(
        self, workspace: Workspace, place: Reference | None = None
    ) -> RepositoryList:
        """Answer with the repositories."""
        return self.repositories

    async def watch_repositories(self, workspace: Workspace) -> AsyncIterator[RepositoryList]:
        """Answer with the repositories, those of registries once they answer."""
        if self.answered is not None:
            local = tuple(r for r in self.repositories.rows if r.source == "local library")
            yield RepositoryList(local, pending=("ghcr.io",))
            await self.answered.wait()
        yield self.repositories

    async def watch_versions(
        self, workspace: Workspace, repository: Reference, in_view: InView
    ) -> AsyncIterator[VersionList]:
        """Answer with names first, then rows."""
        if self.failure is not None:
            raise self.failure
        yield VersionList(repository, self.rows[repository], True, 2)

    async def load_version(self, workspace: Workspace, reference: Reference) -> Version:
        """Answer with a version."""
        every = [row for rows in self.rows.values() for row in rows]
        return a_version(next(r for r in every if r.digest == reference.digest), **self.facts)

    async def load_matrix(
        self,
        workspace: Workspace,
        references: Sequence[Reference],
        *,
        last: int,
        baseline: Reference | None = None,
    ) -> MatrixResult:
        """Answer with versions by metric and parameter."""
        self.calls.append(("load_matrix", *(str(item.tag) for item in references)))
        every = {row.digest: row for rows in self.rows.values() for row in rows}
        wanted = [every[item.digest] for item in references if item.digest]
        if not wanted:
            wanted = list(self.rows[references[0]][:last])
        if baseline is not None and baseline.digest not in [row.digest for row in wanted]:
            wanted.append(every[baseline.digest])
        entries = [_an_entry(row, **self.facts) for row in wanted]
        place = [row.digest for row in wanted].index(baseline.digest) if baseline else None
        return MatrixResult(matrix(entries, NO_DIRECTIONS, place), NO_DIRECTIONS)

    async def list_layer_files(
        self, workspace: Workspace, reference: Reference, layer: Layer, progress: Progress
    ) -> LayerListing:
        """Answer with the files of a layer."""
        self.calls.append(("files", str(reference.tag), str(layer.path)))
        progress.advance(131_072)
        if self.reading is not None:
            await self.reading.wait()
        if isinstance(self.listing, RolldeckError):
            raise self.listing
        return self.listing

    async def look_at_file(
        self,
        workspace: Workspace,
        reference: Reference,
        layer: Layer,
        path: str,
        progress: Progress,
    ) -> FileView:
        """Answer with what a file is."""
        self.calls.append(("look", str(layer.path), path))
        return replace(self.views[path], layer=layer)

    async def find_and_look(
        self, workspace: Workspace, reference: Reference, path: str, progress: Progress
    ) -> tuple[Reference, FileView]:
        """Answer with what a file is, whichever layer has it."""
        self.calls.append(("find", path))
        return reference, self.views[path]

    async def diff(
        self,
        workspace: Workspace,
        a: Reference,
        b: Reference,
        tolerance: float = 0.0,
        policy: Policy | None = None,
    ) -> actions.DiffResult:
        """Answer with a comparison."""
        self.calls.append(("diff", str(a.tag), str(b.tag)))
        first, second = await self.load_version(workspace, a), await self.load_version(workspace, b)
        return actions.DiffResult(
            compare(first, second, policy=policy), first, second, NO_DIRECTIONS
        )

    async def known_targets(self, workspace: Workspace) -> tuple[TargetState, ...]:
        """Answer with the targets."""
        return self.targets

    async def pull(
        self, workspace: Workspace, reference: Reference, progress: Progress
    ) -> actions.Pulled:
        """Transfer nothing, a little at a time."""
        self.calls.append(("pull", str(reference)))
        if self.stuck:
            await asyncio.sleep(60)
        part = progress.part("model 9f3c2ab1d0e7", 4_402_341_478)
        part.state = "receiving"
        step = 0
        while step < self.pull_steps or not self.pull_steps:
            progress.check()
            part.advance(1_100_585_369)
            await asyncio.sleep(0.01)
            step += 1
        assert reference.digest
        return actions.Pulled(reference, reference.digest, 4_402_341_478, 4_402_341_478, (), 20.0)

    async def plan_rollback(
        self, workspace: Workspace, target: Path, to: str | None = None
    ) -> Plan:
        """Answer with a plan."""
        one, other = fraud_rows()[:2]
        self.calls.append(("plan_rollback", str(target)))
        return Plan("rollback", target, one.digest, one.label, other.digest, other.label,
                    str(other.reference), self.checks, 0, "1 metric better")  # fmt: skip

    async def plan_undo(self, workspace: Workspace, target: Path) -> Plan:
        """Answer with a plan."""
        return replace(await self.plan_rollback(workspace, target), verb="undo", undoes=3)

    async def plan_pin(self, workspace: Workspace, reference: Reference, target: Path) -> Plan:
        """Answer with a plan."""
        self.calls.append(("plan_pin", str(reference), str(target)))
        return replace(await self.plan_rollback(workspace, target), verb="pin")

    async def apply(
        self, workspace: Workspace, plan: Plan, progress: Progress, reason: str | None = None
    ) -> actions.Moved:
        """Move nothing."""
        self.calls.append(("apply", plan.verb, str(plan.target)))
        return actions.Moved(
            plan.target, plan.to_digest, plan.from_digest, None, 4, plan.verb, plan.reference
        )

    async def plan_rm(self, workspace: Workspace, reference: Reference) -> actions.Removal:
        """Answer with what removing a version would take away."""
        row = next(row for row in fraud_rows() if row.digest == reference.digest)
        self.calls.append(("plan_rm", str(reference.tag)))
        checks = (
            Check("layers", True, "3 of 4 also in v2.4.0; 212.0 KiB in no other"),
            Check("current", None, "in /srv/fraud"),
        )
        return actions.Removal("rm", reference, row.digest, row.tags, (), checks + self.uses)

    async def plan_untag(self, workspace: Workspace, reference: Reference) -> actions.Removal:
        """Answer with what removing a tag would leave."""
        assert reference.tag
        assert reference.digest
        checks = (Check("other tags", True, "v2.4.1 stays"),)
        tags = (reference.tag,)
        return actions.Removal("untag", reference, reference.digest, tags, ("v2.4.1",), checks)

    async def remove(self, workspace: Workspace, removal: actions.Removal) -> None:
        """Remove nothing."""
        self.calls.append(("remove", removal.verb, *removal.tags))

    async def plan_push(
        self, workspace: Workspace, reference: Reference, destinations: list[str]
    ) -> actions.Delivery:
        """Answer with a push; onto ``live`` it moves a tag."""
        target = Reference.parse(destinations[0])
        assert reference.digest
        before = digest_of("before") if target.tag == "live" else None
        root = replace(a_version(fraud_rows()[0]).kit.manifest, digest=reference.digest)
        graph = Graph((root,), (blob_of("layer", 4_402_000_000),))
        tags = (TagChange(str(target.tag), before),)
        home = replace(target, tag=None)
        return actions.Delivery("push", reference, home, graph, tags, {})

    async def plan_tag(
        self, workspace: Workspace, reference: Reference, names: list[str]
    ) -> actions.Delivery:
        """Answer with a new tag."""
        self.calls.append(("plan_tag", str(reference.tag), *names))
        home = replace(reference, digest=None)
        made = await self.plan_push(workspace, reference, [str(home.tagged(names[0]))])
        return replace(made, verb="tag")

    async def deliver(
        self, workspace: Workspace, delivery: actions.Delivery, progress: Progress
    ) -> actions.Delivered:
        """Move nothing."""
        self.calls.append(("deliver", delivery.verb, str(delivery.reference.tag)))
        blob = delivery.graph.blobs[0]
        blobs = (DeliveredBlob(blob.digest, blob.size, "pushed"),)
        return actions.Delivered(delivery, blobs, 40.0)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Answer in place of the real actions."""
        for name in (
            "list_repositories", "watch_repositories", "watch_versions", "load_version", "diff",
            "load_matrix", "list_layer_files", "look_at_file", "find_and_look",
            "plan_rollback", "plan_undo", "plan_pin", "apply",
            "known_targets", "pull", "plan_rollback", "plan_undo", "plan_pin", "apply",
            "plan_rm", "plan_untag", "remove", "plan_push", "plan_tag", "deliver",
        ):  # fmt: skip
            patch.setattr(actions, name, getattr(self, name))

    def workspace(self, directory: Path) -> Workspace:
        """Return a workspace that no action looks at."""
        return Workspace(Settings(library=directory / "rolldeck"))


def a_world() -> World:
    """Return a world with two sources, versions and a local target."""
    local = tuple(
        a_row(LOCAL, tag, 3 + number, name="movie-recommend", size=201_500, local=True,
              metrics={"rmse": 0.75 + number / 50})
        for number, tag in enumerate(("v2.0.0", "v1.1.0", "v1.0.0"))
    )  # fmt: skip
    rows = fraud_rows()
    names = [("ghcr.io/acme/churn", 88), ("ghcr.io/acme/fraud", 8), ("ghcr.io/acme/ranker", None)]
    repositories = [RepositoryRow(LOCAL, LOCAL.name, "local library", 3)]
    repositories += [
        RepositoryRow(Reference.parse(name), name.partition("/")[2], "ghcr.io", count)
        for name, count in names
    ]
    target = TargetState(
        Path("/srv/fraud"),
        FRAUD.name,
        rows[0].digest,
        "v2.4.1",
        frozenset(row.digest for row in rows[:2]),
        rows[1].digest,
    )
    return World(
        RepositoryList(tuple(repositories)), {LOCAL: local, FRAUD: rows}, targets=(target,)
    )

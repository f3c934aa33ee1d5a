"""Comparing two versions of 10 GiB each in a registry on loopback: bytes moved and time.

The weights are files with holes, so that they take no room; the registry is the real one, and a
proxy before it counts. Time is that of the process, less that of ``rolldeck --version``.
"""

from __future__ import annotations

import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.actions.test_diff_costs import KIB, MEGABYTE, huge_tar
from tests.made_kits import MadeLayout
from tests.servers.fault_proxy import FaultProxy
from tests.servers.registry import RunningRegistry, push_blob, push_manifest, run_registry

from benchmarks.startup import clean_environment

SIZE = 10 * 1024**3
ROUNDS = 7
LIMIT_S = 1.0
_NAME = "costs/huge"
_COMMAND = [sys.executable, "-m", "rolldeck"]


def fill(root: Path, registry: RunningRegistry) -> None:
    """Put two versions into the registry, their weights straight into its storage."""
    made = MadeLayout(root)
    chance = random.Random(5)
    docs = made.layer("docs", {"docs/a.md": chance.randbytes(100 * KIB)})
    for tag, layers, dtype in (("v1", 40, "BF16"), ("v2", 41, "F16")):
        code = {f"src/{n}.py": chance.randbytes(60_000) for n in range(1, 5)}
        code["src/requirements.txt"] = f"torch==2.{layers}.0\n".encode()
        weights = huge_tar(made, layers, dtype, SIZE)
        assert isinstance(weights, dict)
        small = [made.layer("code", code), docs]
        digest = made.kit(
            tag, {"manifestVersion": "1.0.0", "model": {"path": "m"}}, [weights, *small]
        )
        _move(made, weights["digest"], registry)
        config = made.blob("", b'{"manifestVersion": "1.0.0", "model": {"path": "m"}}')
        for item in (config, *small):
            push_blob(registry.url, _NAME, item["digest"], _read(made, item["digest"]))
        kind = "application/vnd.oci.image.manifest.v1+json"
        push_manifest(registry.url, _NAME, tag, _read(made, digest), kind)


def _read(made: MadeLayout, digest: str) -> bytes:
    return (made.root / "blobs" / digest.replace(":", "/")).read_bytes()


def _move(made: MadeLayout, digest: str, registry: RunningRegistry) -> None:
    """Give the registry a blob without sending it: moved into its storage, and linked."""
    place = registry.blob_file(digest)
    place.parent.mkdir(parents=True)
    shutil.move(made.root / "blobs" / digest.replace(":", "/"), place)
    kept = registry.storage / "docker" / "registry" / "v2" / "repositories" / _NAME / "_layers"
    link = kept / digest.replace(":", "/") / "link"
    link.parent.mkdir(parents=True)
    link.write_text(digest)


def run(arguments: list[str], home: Path) -> float:
    """Return the wall time in seconds of a command that must succeed."""
    started = time.perf_counter()
    subprocess.run(
        [*_COMMAND, *arguments], env=clean_environment(home), check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - started


def main() -> int:
    """Measure, print, and return 1 where a limit is passed."""
    with tempfile.TemporaryDirectory() as folder, run_registry(Path(folder) / "r") as registry:
        root = Path(folder)
        fill(root / "layout", registry)
        proxy = FaultProxy(registry.host)
        pair = [f"{proxy.host}/{_NAME}:{tag}" for tag in ("v1", "v2")]
        starts, firsts, seconds, moved, again = [], [], [], [], []
        for number in range(ROUNDS):
            home = root / f"home{number}"
            home.mkdir()
            starts.append(run(["--version"], home))
            before = sum(proxy.sent.values())
            firsts.append(run(["diff", *pair, "--json"], home))
            between = sum(proxy.sent.values())
            seconds.append(run(["diff", *pair, "--json"], home))
            moved.append(between - before)
            again.append(sum(proxy.sent.values()) - between)
        requests = len(proxy.requests)
        proxy.close()
    start, first, second = (statistics.median(times) for times in (starts, firsts, seconds))
    print(f"two versions of {SIZE / 1024**3:.0f} GiB, {ROUNDS} rounds, medians (worst)")
    print(f"  bytes moved        {max(moved):>9,} at most; second time {max(again):,}")
    print(f"  blob requests      {requests / ROUNDS:.0f} per round")
    print(f"  process start      {start:.2f} s ({max(starts):.2f})")
    print(
        f"  first comparison   {first:.2f} s ({max(firsts):.2f}), {first - start:.2f} beyond start"
    )
    print(f"  second comparison  {second:.2f} s ({max(seconds):.2f}), {second - start:.2f} beyond")
    passed = max(moved) <= MEGABYTE and first - start <= LIMIT_S
    print("within the limits" if passed else "BEYOND THE LIMITS")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())

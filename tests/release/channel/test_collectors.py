"""What registries remove when they clean up: never a version that a channel can go back to."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.release.channel.places import move, site_in
from tests.servers.registry import request, run_registry


@pytest.mark.parametrize("program", ["docker-registry", "registry"])
async def test_a_version_without_another_tag_survives_and_can_be_gone_back_to(
    program: str, tmp_path: Path
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on PATH")
    home = tmp_path / "registry"
    with (
        run_registry(home, program=program) as registry,
        site_in("docker", registry, tmp_path) as site,
    ):
        async with site.records() as records:
            await move(records, site.versions["a"])
            await move(records, site.versions["b"])
        name = site.reference.repository
        if program == "registry":
            # docker-registry deletes no tag alone: its index is taken from the disk.
            status, _, _ = request("DELETE", f"{registry.url}/v2/{name}/manifests/v1.0.0")
            assert status == 202
        else:
            root = registry.storage / "docker/registry/v2/repositories" / name
            shutil.rmtree(root / "_manifests/tags/v1.0.0")
        registry.stop()
        await asyncio.to_thread(
            subprocess.run,
            [program, "garbage-collect", "-m", str(home / "config.yml")],
            check=True,
            capture_output=True,
            timeout=60,
        )
        registry.start()
        async with site.records() as records:
            journal = await records.journal("production")
            assert journal.chain == "ok"
            assert [site.letter(i.entry.to_digest) for i in journal.recorded] == ["b", "a"]
            await move(records, site.versions["a"])
            manifest = await records.manifest(site.versions["a"])
            live = await records.point("production")
        assert site.letter(live) == "a"
        for blob in (manifest.config, *manifest.layers):
            assert blob is not None
            status, _, _ = request("HEAD", f"{registry.url}/v2/{name}/blobs/{blob.digest}")
            assert status == 200

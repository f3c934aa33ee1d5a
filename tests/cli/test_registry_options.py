"""Options and forms of the verbs that ask a registry: digests, several references, raw bytes."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.oci.bench import blob_of, manifest_bytes
from tests.servers.registry import RunningRegistry, push_blob, push_manifest
from tests.servers.scripted import Asked, Scripted, ScriptedServer


def raw_bytes(*words: str) -> bytes:
    """What a command writes to a pipe, byte for byte."""
    command = [sys.executable, "-m", "rolldeck", "show", "--raw", *words]
    return subprocess.run(command, capture_output=True, check=True).stdout


def test_raw_is_the_manifest_byte_for_byte(
    rolldeck: Run, golden_registry: RunningRegistry, golden: Path
) -> None:
    """From a registry and from a layout, so that its sha256 is the digest."""
    layout = f"oci:{golden}/layouts/wdbc:v2.0.0"
    digest = rolldeck("show", layout, "--json").document["digest"]
    for reference in (layout, f"{golden_registry.host}/golden/wdbc:v2.0.0"):
        data = raw_bytes(reference)
        assert f"sha256:{hashlib.sha256(data).hexdigest()}" == digest
    assert data == (golden / "layouts/wdbc/blobs/sha256" / digest.partition(":")[2]).read_bytes()


def test_raw_keeps_odd_spacing(docker_registry: RunningRegistry) -> None:
    """Nothing is parsed and written again."""
    raw = json.dumps(json.loads(manifest_bytes()), indent=7).encode() + b"\n\n"
    config = b"{}"
    push_blob(docker_registry.url, "raw/x", blob_of(config).digest, config)
    kind = "application/vnd.oci.image.manifest.v1+json"
    push_manifest(docker_registry.url, "raw/x", "v1", raw, kind)
    assert raw_bytes(f"{docker_registry.host}/raw/x:v1") == raw


def test_raw_excludes_json(rolldeck: Run, golden: Path) -> None:
    """Two forms at once would be neither."""
    reference = f"oci:{golden}/layouts/wdbc:v2.0.0"
    assert rolldeck("show", "--raw", "--json", reference).code == 2
    assert rolldeck("show", "--raw", f"{reference}x").code == 3


def test_pull_by_digest(rolldeck: Run, golden_registry: RunningRegistry) -> None:
    """Without a tag it has no name here, and is found by its digest."""
    base = f"{golden_registry.host}/golden/wdbc"
    digest = rolldeck("show", f"{base}:v1.0.0", "--json").document["digest"]
    pulled = rolldeck("pull", f"{base}@{digest}", "--json").document
    assert pulled["digest"] == digest
    assert pulled["reference"] == f"local:{base}@{digest}"
    assert rolldeck("verify", f"local:{base}@{digest}", "--json").document["ok"]


def test_tag_and_digest_are_both_taken(rolldeck: Run, golden_registry: RunningRegistry) -> None:
    """The digest decides, whatever the tag points at."""
    base = f"{golden_registry.host}/golden/wdbc"
    digest = rolldeck("show", f"{base}:v1.0.0", "--json").document["digest"]
    pulled = rolldeck("pull", f"{base}:v2.0.0@{digest}", "--json").document
    assert pulled["digest"] == digest


def test_a_tag_that_points_elsewhere_is_reported(rolldeck: Run, golden: Path) -> None:
    """Or that is gone; not where both agree, and not into the documents of a script."""
    base = f"oci:{golden}/layouts/wdbc"
    digest = rolldeck("show", f"{base}:v1.0.0", "--json").document["digest"]
    assert "v2.0.0 points at " in rolldeck("show", f"{base}:v2.0.0@{digest}").err
    assert "no tag v9 any more" in rolldeck("pull", f"{base}:v9@{digest}").err
    assert rolldeck("show", f"{base}:v1.0.0@{digest}").err == ""
    assert rolldeck("show", f"{base}:v2.0.0@{digest}", "--json").err == ""


def test_several_references_are_a_document_each(
    rolldeck: Run, golden_registry: RunningRegistry
) -> None:
    """In the order given; what they share is fetched once."""
    base = f"{golden_registry.host}/golden/wdbc"
    ran = rolldeck("pull", f"{base}:v1.0.0", f"{base}:v1.1.0", f"{base}:v1.0.0", "--json")
    assert ran.code == 0
    first, second, again = (json.loads(line) for line in ran.out.splitlines())
    assert first["reference"].startswith(f"local:{base}:v1.0.0@")
    assert second["reference"].startswith(f"local:{base}:v1.1.0@")
    assert second["bytes_transferred"] > 0
    assert again["bytes_transferred"] == 0


def test_the_first_failure_of_several_ends_the_pull(
    rolldeck: Run, golden_registry: RunningRegistry
) -> None:
    """What was pulled before stays."""
    base = f"{golden_registry.host}/golden/wdbc"
    ran = rolldeck("pull", f"{base}:v1.0.0", f"{base}:none", f"{base}:v1.1.0", "--json")
    assert ran.code == 3
    assert len(ran.out.splitlines()) == 1
    assert rolldeck("show", f"local:{base}:v1.0.0").code == 0
    assert rolldeck("show", f"local:{base}:v1.1.0").code == 3


@pytest.fixture
def far_away(golden_registry: RunningRegistry, monkeypatch: pytest.MonkeyPatch) -> str:
    """The registry under a name that is not that of this machine."""
    real = socket.getaddrinfo

    def lookup(host: Any, *more: Any, **options: Any) -> Any:
        return real(
            "127.0.0.1" if host in ("registry.test", b"registry.test") else host, *more, **options
        )

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return golden_registry.host.replace("127.0.0.1", "registry.test")


def test_plain_http_is_spoken_only_when_asked(rolldeck: Run, far_away: str) -> None:
    """With every verb that names a registry; else the hint names the option."""
    reference = f"{far_away}/golden/wdbc:v1.0.0"
    refused = rolldeck("show", reference)
    assert refused.code == 5
    assert "--plain-http" in refused.err
    for words in (
        ["show", reference],
        ["ls", f"{far_away}/golden/wdbc"],
        ["diff", reference, "v1.1.0"],
        ["pull", reference],
        ["verify", reference],
        ["doctor", far_away],
    ):
        assert rolldeck(*words, "--plain-http").code == 0, words


@pytest.mark.parametrize("at_once", [1, 2])
def test_concurrency_is_how_many_blobs_are_fetched_at_once(
    rolldeck: Run, scripted: ScriptedServer, at_once: int
) -> None:
    """That many, and never more."""
    pieces = [bytes([number]) * 100 for number in range(3)]
    layers = [blob_of(data).to_json() for data in pieces]
    raw = manifest_bytes(layers=layers)
    bodies = {blob_of(data).digest: data for data in [*pieces, b"{}"]}
    kind = "application/vnd.oci.image.manifest.v1+json"
    headers = {"Docker-Content-Digest": blob_of(raw).digest, "Content-Type": kind}
    together = threading.Barrier(at_once, timeout=20)
    lock, running, most = threading.Lock(), 0, 0

    def blob(asked: Asked) -> Scripted:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait()
        with lock:
            running -= 1
        return Scripted(body=bodies[asked.path.rpartition("/")[2]])

    for method in ("HEAD", "GET"):
        scripted.on(method, "/v2/x/manifests/.*", Scripted(body=raw, headers=headers))
    scripted.on("GET", "/v2/x/blobs/.*", blob)
    ran = rolldeck("pull", f"{scripted.host}/x:v1", "--concurrency", at_once, "--json")
    assert ran.code == 0, ran.err
    assert most == at_once

"""A made-up repository of any number of small ModelKits, and a scripted server that has it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.servers.scripted import Asked, Scripted, ScriptedServer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.kitops.modelkit.config.v1+json"


def digest_of(data: bytes) -> str:
    """The sha256 digest of some bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def a_config(number: int) -> bytes:
    """The config of a made-up ModelKit."""
    parameters = {"metrics": {"f1": number / 100_000}}
    model = {"path": "m", "parameters": parameters}
    package = {"name": "many", "version": f"1.0.{number}"}
    return json.dumps({"manifestVersion": "1.0.0", "package": package, "model": model}).encode()


def a_manifest(number: int, config: bytes) -> bytes:
    """The manifest of a made-up ModelKit of ``number`` + 1 bytes, created that many days in."""
    layer = {
        "mediaType": "application/vnd.kitops.modelkit.model.v1.tar",
        "digest": digest_of(b"%d" % number),
        "size": number + 1,
    }
    created = f"20{number // 365 % 100:02}-01-{number % 28 + 1:02}T00:00:00Z"
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
        "layers": [layer],
        "annotations": {"org.opencontainers.image.created": created},
    }
    return json.dumps(document).encode()


@dataclass
class MadeUp:
    """What tags name, and all blobs and manifests by digest; tests change it between listings."""

    tags: dict[str, str] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, Scripted] = field(default_factory=dict)
    """What is answered to a manifest's tag or digest instead of it."""

    def add(self, tag: str, number: int, config: bytes | None = None) -> str:
        """Add a version; returns its digest."""
        config = a_config(number) if config is None else config
        manifest = a_manifest(number, config)
        self.blobs[digest_of(config)] = config
        self.manifests[digest_of(manifest)] = manifest
        self.tags[tag] = digest_of(manifest)
        return self.tags[tag]

    def serve(self, server: ScriptedServer, repository: str = "many") -> None:
        """Let a server have it."""
        root = f"/v2/{repository}"
        server.on("GET", f"{root}/tags/list.*", self._list)
        server.on("GET", f"{root}/manifests/.*", self._manifest)
        server.on("HEAD", f"{root}/manifests/.*", self._manifest)
        server.on("GET", f"{root}/blobs/.*", self._blob)

    def _list(self, asked: Asked) -> Scripted:
        return Scripted(body=json.dumps({"name": "many", "tags": list(self.tags)}).encode())

    def _manifest(self, asked: Asked) -> Scripted:
        name = asked.path.rpartition("/")[2]
        if name in self.answers:
            return self.answers[name]
        digest = self.tags.get(name, name)
        if digest not in self.manifests:
            return Scripted(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN"}]}')
        headers = {"Content-Type": MANIFEST, "Docker-Content-Digest": digest}
        return Scripted(body=self.manifests[digest], headers=headers)

    def _blob(self, asked: Asked) -> Scripted:
        data = self.blobs.get(asked.path.rpartition("/")[2])
        return Scripted(404) if data is None else Scripted(body=data)


def made_up(count: int) -> MadeUp:
    """Return ``count`` versions ``v1.0.0`` to ``v1.0.<count - 1>``, each with its own config."""
    found = MadeUp()
    for number in range(count):
        found.add(f"v1.0.{number}", number)
    return found


def requests(server: ScriptedServer) -> Mapping[str, int]:
    """Count what was asked so far by method and kind of path, and forget it."""
    kinds = ("tags/list", "manifests", "blobs")
    counts = Counter(
        f"{one.method} {next(kind for kind in kinds if f'/{kind}' in one.path)}"
        for one in server.asked
    )
    server.asked.clear()
    return counts

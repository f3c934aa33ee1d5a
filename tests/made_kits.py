"""Kits written by hand for what the golden data lacks; synthetic, from the specifications."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rolldeck.oci import MANIFEST, Digest, digest_of
from tests.kit.archives import END, directory, file

KIT_CONFIG = "application/vnd.kitops.modelkit.config.v1+json"
KIT_LAYER = "application/vnd.kitops.modelkit"
PACK_CONFIG = "application/vnd.cncf.model.config.v1+json"
FILEPATH = "org.cncf.model.filepath"


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """Return an archive of files, each after the directories that lead to it."""
    members: dict[str, bytes] = {}
    for path, content in files.items():
        parts = path.split("/")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            members.setdefault(parent, directory(parent))
        members[path] = file(path, content)
    return b"".join(members.values()) + END


class MadeLayout:
    """A layout directory; names are tags, or ``repository:tag`` where it holds several."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._entries: dict[str, Any] = {}
        (root / "blobs" / "sha256").mkdir(parents=True)
        (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob(self, media_type: str, data: bytes, **annotations: str) -> dict[str, Any]:
        """Store a blob and return its descriptor."""
        digest = digest_of(data)
        (self.root / "blobs" / digest.replace(":", "/")).write_bytes(data)
        found: dict[str, Any] = {"mediaType": media_type, "digest": digest, "size": len(data)}
        if annotations:
            found["annotations"] = annotations
        return found

    def layer(
        self, kind: str, files: Mapping[str, bytes], annotations: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Store a ModelKit's uncompressed archive and return its descriptor."""
        return self.blob(f"{KIT_LAYER}.{kind}.v1.tar", tar_of(files), **(annotations or {}))

    def manifest(
        self, name: str, config: dict[str, Any], layers: Sequence[Any] | None, **more: Any
    ) -> Digest:
        """Store a manifest, give it its name and return its digest."""
        document = {"schemaVersion": 2, "config": config, "layers": layers, **more}
        entry = self.blob(MANIFEST, json.dumps(document).encode())
        digest = Digest(entry["digest"])
        self._entries[name] = {
            **entry,
            "annotations": {"org.opencontainers.image.ref.name": name},
        }
        index = {"schemaVersion": 2, "manifests": list(self._entries.values())}
        (self.root / "index.json").write_text(json.dumps(index))
        return digest

    def kit(
        self, name: str, kitfile: Mapping[str, Any], layers: Sequence[Any], **more: Any
    ) -> Digest:
        """Store a ModelKit."""
        config = self.blob(KIT_CONFIG, json.dumps(kitfile).encode())
        return self.manifest(name, config, layers, **more)

    def model(self, name: str, files: Mapping[str, bytes], **model: Any) -> Digest:
        """Store a ModelKit with a model and, beside it, code and docs of its own."""
        layers = [self.layer("model", files)]
        layers += [
            self.layer("modelpart", {part["path"]: b"part"}) for part in model.get("parts", ())
        ]
        layers += [
            self.layer("code", {"base.py": b"code"}),
            self.layer("docs", {"BASE.md": b"docs"}),
        ]
        paths = {"code": [{"path": "base.py"}], "docs": [{"path": "BASE.md"}]}
        stated = [item["digest"] for item in layers]
        kitfile: dict[str, Any] = {
            "manifestVersion": "1.0.0",
            "package": {"name": "base"},
            "model": {"path": next(iter(files)), **model, "digest": stated[0]},
            **paths,
        }
        elements = [*model.get("parts", ()), *paths["code"], *paths["docs"]]
        for element, digest in zip(elements, stated[1:], strict=True):
            element["digest"] = digest
        return self.kit(name, kitfile, layers)

    def child(
        self, name: str, of: str, files: Mapping[str, bytes], parts: Sequence[str] = ()
    ) -> Digest:
        """Store a ModelKit that takes its model from another and adds parts and code."""
        layers = [self.layer("modelpart", {part: b"own part"}) for part in parts]
        layers += [self.layer("code", {path: content}) for path, content in files.items()]
        stated = [item["digest"] for item in layers]
        listed = [
            {"path": path, "digest": d} for path, d in zip([*parts, *files], stated, strict=True)
        ]
        kitfile = {
            "manifestVersion": "1.0.0",
            "package": {"name": name.replace(":", "-")},
            "model": {"path": of, "parts": listed[: len(parts)]},
            "code": listed[len(parts) :],
        }
        return self.kit(name, kitfile, layers)

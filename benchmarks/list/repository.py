"""A repository of many tags, written straight into the storage of a registry.

Pushing 10,000 versions one by one takes minutes; the storage format of distribution (which
Debian's docker-registry is) has not changed for years. Layers are named but not stored: no listing
reads one.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

_CONFIG = "application/vnd.kitops.modelkit.config.v1+json"
_LAYER = "application/vnd.kitops.modelkit.{}.v1.tar"
_LAYERS = (("model", 4_402_000_000), ("code", 217_088), ("dataset", 1_363_148), ("docs", 4_096))


def fill(storage: Path, tags: int, *, with_docs: bool = False) -> str:
    """Write a repository of ``tags`` ModelKits, each with a manifest and a config of its own.

    ``with_docs`` stores docs layers, too: one for a hundred versions. Returns its name.
    """
    root = storage / "docker" / "registry" / "v2"
    name = f"bench/tags-{tags}"
    for number in range(tags):
        config = json.dumps(_kitfile(number)).encode()
        docs = _docs(number // 100) if with_docs else None
        manifest = json.dumps(_manifest(number, config, docs)).encode()
        if docs is not None:
            _write_layer(root, root / "repositories" / name, docs)
        tag = f"v{number // 100}.{number % 100}.0"
        _write(root, root / "repositories" / name, tag, manifest, config)
    return name


def _kitfile(number: int) -> dict[str, object]:
    """Return a Kitfile of usual size (1.5 kB) with metrics, different for each number."""
    metrics = {name: round(0.7 + number * 1e-6, 6) for name in ("f1", "auc", "recall")}
    return {
        "manifestVersion": "1.0.0",
        "package": {"name": "many", "version": f"{number}", "authors": ["bench"]},
        "model": {
            "name": "many",
            "path": "model.safetensors",
            "parameters": {"metrics": metrics, **{f"parameter_{n}": n * 0.1 for n in range(30)}},
        },
        "code": [{"path": "src"}],
        "datasets": [{"name": "train", "path": "data/train.parquet"}],
        "docs": [{"path": "README.md"}],
    }


def _docs(number: int) -> bytes:
    """Return a layer with a README."""
    text = f"# many {number}\n".encode()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("README.md")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    return archive.getvalue()


def _write_layer(root: Path, repository: Path, layer: bytes) -> None:
    digest = _digest(layer)
    encoded = digest.partition(":")[2]
    _put(root / "blobs" / "sha256" / encoded[:2] / encoded / "data", layer)
    _put(repository / "_layers" / digest.replace(":", "/") / "link", digest.encode())


def _manifest(number: int, config: bytes, docs: bytes | None) -> dict[str, object]:
    layers: list[dict[str, object]] = [
        {
            "mediaType": _LAYER.format(kind),
            "digest": f"sha256:{hashlib.sha256(f'{kind}{number}'.encode()).hexdigest()}",
            "size": size + number,
        }
        for kind, size in _LAYERS
    ]
    if docs is not None:
        layers[-1] |= {"digest": _digest(docs), "size": len(docs)}
    return {
        "schemaVersion": 2,
        "config": {"mediaType": _CONFIG, "digest": _digest(config), "size": len(config)},
        "layers": layers,
        "annotations": {
            "org.opencontainers.image.created": f"{2000 + number // 365}-01-01T00:00:00Z"
        },
    }


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _write(root: Path, repository: Path, tag: str, manifest: bytes, config: bytes) -> None:
    revision, blob = _digest(manifest), _digest(config)
    for data in (manifest, config):
        encoded = _digest(data).partition(":")[2]
        _put(root / "blobs" / "sha256" / encoded[:2] / encoded / "data", data)
    manifests = repository / "_manifests"
    links = {
        manifests / "tags" / tag / "current": revision,
        manifests / "tags" / tag / "index" / revision.replace(":", "/"): revision,
        manifests / "revisions" / revision.replace(":", "/"): revision,
        repository / "_layers" / blob.replace(":", "/"): blob,
    }
    for directory, digest in links.items():
        _put(directory / "link", digest.encode())


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)

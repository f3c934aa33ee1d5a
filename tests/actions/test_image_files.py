"""Files of container images: listed layer by layer, read as a container would see them."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from rolldeck.actions import (
    Workspace,
    find_and_look,
    list_files,
    plan_pin,
    pull_unpacked,
    unpack,
)
from rolldeck.errors import NotFoundError, RolldeckError, UsageError
from rolldeck.oci import Reference, digest_of
from rolldeck.progress import Progress
from tests.actions.looking import BODY, KIB, cat, layer_requests, one_layer, paths
from tests.kit.archives import END, file, header
from tests.made_kits import MadeLayout
from tests.servers.fault_proxy import FaultProxy
from tests.servers.registry import RunningRegistry

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
BASE = {
    "etc/": None,
    "etc/os-release": b"base",
    "etc/passwd": b"root",
    "opt/old/a": b"a",
    "lib/x": b"x",
    "usr/bin/python3": "python3.11",
    "usr/bin/python3.11": b"ELF",
    "dev/null": None,
}
TOP = {
    "etc/os-release": b"top",
    "etc/.wh.passwd": b"",
    "opt/old/.wh..wh..opq": b"",
    "opt/old/b": b"b",
    "lib": "usr/lib",
}


def layer_tar(files: Mapping[str, bytes | str | None]) -> bytes:
    """Return what Python writes of files, links (text), and directories or devices (None)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name.rstrip("/"))
            if isinstance(content, bytes):
                info.size = len(content)
            elif content is None:
                info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.CHRTYPE
            else:
                info.type, info.linkname = tarfile.SYMTYPE, content
            archive.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return out.getvalue()


def store_image(made: MadeLayout, name: str, *layers: tuple[str, bytes]) -> Reference:
    """Store an image of layers by their types' endings; returns its reference."""
    diffs = [gzip.decompress(data) if end == "+gzip" else data for end, data in layers]
    found = [made.blob(f"{LAYER}{end}", data) for end, data in layers]
    rootfs = {"type": "layers", "diff_ids": [digest_of(data) for data in diffs]}
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}
    made.manifest(name, made.blob(CONFIG, json.dumps(config).encode()), found)
    return Reference.parse(f"oci:{made.root}:{name}")


def recompress(source: str, directory: Path, form: str) -> None:
    """Copy an image to the layout ``out``, its layers packed otherwise."""
    command = ["skopeo", "--insecure-policy", "--tmpdir", str(directory), "copy", "--quiet"]
    plain = f"dir:{directory}/plain"
    packing = ["--dest-compress", "--dest-compress-format", form]
    subprocess.run([*command, "--dest-decompress", source, plain], check=True)
    subprocess.run([*command, *packing, plain, f"oci:{directory}/out:v1"], check=True)


@pytest.fixture
def image(made: MadeLayout) -> Reference:
    """An image of two layers; the upper one changes, hides and links."""
    layers = ("+gzip", gzip.compress(layer_tar(BASE))), ("", layer_tar(TOP))
    return store_image(made, "v1", *layers)


async def test_each_layer_is_listed_as_it_is(workspace: Workspace, image: Reference) -> None:
    """With links, devices and whiteouts; nothing is merged."""
    found = await list_files(workspace, image, Progress())
    assert found.complete
    assert [[item.path for item in listing.files] for _, listing in found.layers] == [
        [name.rstrip("/") for name in BASE],
        list(TOP),
    ]
    types = {item.path: item.type for _, listing in found.layers for item in listing.files}
    assert (types["etc"], types["usr/bin/python3"]) == ("directory", "link")
    assert (types["dev/null"], types["etc/.wh.passwd"]) == ("character device", "whiteout")
    assert all(listing.verified for _, listing in found.layers)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("etc/os-release", b"top"),
        ("/etc/os-release", b"top"),
        ("usr/bin/python3.11", b"ELF"),
        ("opt/old/b", b"b"),
    ],
)
async def test_a_file_is_that_of_the_uppermost_layer(
    workspace: Workspace, image: Reference, path: str, content: bytes
) -> None:
    """As a container sees it; ``/`` is the root of the image."""
    assert await cat(workspace, image, path) == (content, True)
    view = (await find_and_look(workspace, image, path, Progress()))[1]
    assert view.size == len(content)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("usr/bin/python3", "is a symbolic link to python3.11; links are not followed"),
        ("lib", "is a symbolic link to usr/lib"),
        ("dev/null", "is a character device"),
        ("etc/.wh.passwd", "is a whiteout: it removes passwd from the layers below"),
        ("etc", "is a directory with"),
    ],
)
async def test_what_is_no_file_is_told(
    workspace: Workspace, image: Reference, path: str, words: str
) -> None:
    """And what it is instead."""
    with pytest.raises(UsageError) as caught:
        await cat(workspace, image, path)
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("etc/passwd", "etc/.wh.passwd is a whiteout"),
        ("opt/old/a", "opt/old/.wh..wh..opq is a whiteout: it removes all there"),
        ("lib/x", "lib is a symbolic link to usr/lib"),
    ],
)
async def test_what_an_upper_layer_hides_is_not_read(
    workspace: Workspace, image: Reference, path: str, words: str
) -> None:
    """A container would not see it either."""
    with pytest.raises(NotFoundError) as caught:
        await cat(workspace, image, path)
    assert words in str(caught.value.hint)


async def test_an_image_that_an_index_names(workspace: Workspace, golden: Path) -> None:
    """By digest, as the hint says."""
    other = f"oci:{golden}/layouts/other"
    with pytest.raises(UsageError, match="image index"):
        await cat(workspace, Reference.parse(f"{other}:index"), "x")
    digest = "sha256:ad0496d69b7ae3419832323f4bfb0d111be2cfdaf0f7633aecc3f60c98567d9f"
    by_digest = await list_files(workspace, Reference.parse(f"{other}@{digest}"), Progress())
    assert by_digest.complete
    assert len(paths(by_digest)) == 1


async def test_of_a_large_layer_in_a_registry_headers_and_the_file_are_fetched(
    workspace: Workspace, made: MadeLayout, docker_registry: RunningRegistry, proxy: FaultProxy
) -> None:
    """Where it is not compressed."""
    data = header("a", kind=b"2", link=b"b") + file("b", b"text") + file("big", BODY) + END
    store_image(made, "v1", ("", data))
    docker_registry.push(made.root, "images/large")
    reference = Reference.parse(f"{proxy.host}/images/large:v1")
    await one_layer(workspace, reference)
    proxy.sent.clear()
    assert paths(await list_files(workspace, reference, Progress())) == ["a", "b", "big"]
    assert await cat(workspace, reference, "b") == (b"text", False)
    assert len(layer_requests(proxy)) <= 8
    assert proxy.blob_bytes <= 128 * KIB


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="recompresses with skopeo")
@pytest.mark.parametrize("form", ["gzip", "zstd"])
async def test_what_skopeo_writes(
    workspace: Workspace, image: Reference, made: MadeLayout, tmp_path: Path, form: str
) -> None:
    """The layers in another packing are the same files."""
    recompress(f"oci:{made.root}:v1", tmp_path, form)
    copied = Reference.parse(f"oci:{tmp_path}/out:v1")
    one = await list_files(workspace, image, Progress())
    other = await list_files(workspace, copied, Progress())
    assert [layer.compression for layer, _ in other.layers] == [form, form]
    assert [found.files for _, found in one.layers] == [found.files for _, found in other.layers]
    assert await cat(workspace, copied, "etc/os-release") == (b"top", True)


async def test_an_image_is_never_unpacked(
    workspace: Workspace, image: Reference, tmp_path: Path
) -> None:
    """Whichever verb is asked; nothing is left."""
    goal = tmp_path / "goal"
    asked = [
        lambda: unpack(workspace, image, goal, Progress()),
        lambda: pull_unpacked(workspace, image, goal, Progress()),
        lambda: plan_pin(workspace, image, goal),
    ]
    for ask in asked:
        with pytest.raises(RolldeckError, match="is no ModelKit or ModelPack but an image"):
            await ask()
    assert not goal.exists()

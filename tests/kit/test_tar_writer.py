"""Layers, config and manifest come out as kit writes them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
from pathlib import Path

import pytest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from rolldeck import __version__
from rolldeck.errors import BusyError, NotFoundError, UsageError
from rolldeck.kit.check import read_kitignore
from rolldeck.kit.kitfile import read_kitfile
from rolldeck.kit.kitignore import parse_kitignore
from rolldeck.kit.layer_listing import LayerEntry, layer_entries
from rolldeck.kit.model import Compression
from rolldeck.kit.pack import PackedKit, pack, pack_layers
from rolldeck.kit.pack_documents import PackForm
from rolldeck.kit.pack_plan import plan_layers
from rolldeck.kit.tar_reader import read_tar
from rolldeck.kit.tar_writer import archive_size, layer_chunks, member_header
from rolldeck.oci import Digest, digest_of, parse_manifest
from rolldeck.progress import Progress
from tests.kit.golden_kits import GoldenVersion, unpack_context


class MemoryBlobs:
    """Keeps blobs in memory, by digest."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.aborted = 0

    def open(self) -> MemoryBlob:
        return MemoryBlob(self)


class MemoryBlob:
    """One blob on its way into memory."""

    def __init__(self, owner: MemoryBlobs) -> None:
        self._owner = owner
        self._data = bytearray()

    def write(self, chunk: memoryview, /) -> None:
        self._data += chunk

    def commit(self) -> tuple[Digest, int]:
        data = bytes(self._data)
        self._owner.blobs[digest_of(data)] = data
        return digest_of(data), len(data)

    def abort(self) -> None:
        self._owner.aborted += 1


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """An empty directory to pack."""
    path = tmp_path / "context"
    path.mkdir()
    return path


def pack_context(context: Path, blobs: MemoryBlobs, form: PackForm | None = None) -> PackedKit:
    """Pack a directory with its own Kitfile and .kitignore."""
    kitfile = read_kitfile((context / "Kitfile").read_bytes())
    ignore = parse_kitignore(read_kitignore(context))[0]
    return pack(context, kitfile, blobs.open, ignore=ignore, form=form)


@pytest.mark.parametrize(
    ("context", "stem"),
    [
        ("wdbc-1.0.0", "wdbc_v1.0.0"),
        ("era", "era_v1.11-none"),
        ("odd-context", "odd-context_v1"),
        ("odd-dup", "odd-dup_v1"),
        ("odd-empty", "odd-empty_v1"),
        ("odd-model-only", "odd-model-only_v1"),
        ("odd-names", "odd-names_v1"),
        ("odd-params", "odd-params_v1"),
        ("odd-prompts", "odd-prompts_v1"),
    ],
)
def test_golden_context(context: str, stem: str, tmp_path: Path) -> None:
    """Layers, diffIds and config by default; with ``exact_kit`` the manifest, too."""
    directory = unpack_context(context, tmp_path)
    version = GoldenVersion(stem)
    wanted = version.expected["kit_inspect"]["manifest"]
    kit_manifest = version.blob_path(version.expected["digest"]).read_text()
    ours = f'"ml.kitops.modelkit.cli-version":"rolldeck/{__version__}"'
    for exact in (False, True):
        blobs = MemoryBlobs()
        packed = pack_context(directory, blobs, PackForm(exact_kit=exact))
        assert [layer.blob.to_json() for layer in packed.layers] == (wanted["layers"] or [])
        assert packed.config.to_json() == wanted["config"]
        config = blobs.blobs[packed.config.digest]
        assert config == version.blob_path(packed.config.digest).read_bytes()
        assert parse_manifest(packed.manifest, None, reference="x").raw == packed.manifest
        hidden = [path for path, _ in packed.left_out]
        assert hidden == (["skip.log"] if context == "odd-context" else [])
    assert packed.manifest.decode() == kit_manifest.replace(
        '"ml.kitops.modelkit.cli-version":"unknown"', ours
    )


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_compressed_layers_have_kits_diff_ids(compression: Compression, tmp_path: Path) -> None:
    """And give the same bytes each time."""
    directory = unpack_context("era", tmp_path)
    form = PackForm(compression)
    blobs = MemoryBlobs()
    packed = pack_context(directory, blobs, form)
    plain = GoldenVersion("era_v1.11-none").expected["kit_inspect"]["manifest"]["layers"]
    assert [layer.diff_id for layer in packed.layers] == [item["digest"] for item in plain]
    for layer in packed.layers:
        assert layer.blob.media_type.endswith(f".v1.tar+{compression}")
        data = blobs.blobs[layer.blob.digest]
        whole = gzip.decompress(data) if compression == "gzip" else zstd.decompress(data)
        assert digest_of(whole) == layer.diff_id
    assert pack_context(directory, MemoryBlobs(), form).manifest == packed.manifest


def test_kit_knew_no_zstd() -> None:
    with pytest.raises(UsageError, match="zstd"):
        PackForm("zstd", exact_kit=True)


def test_created_is_the_callers_choice(context: Path) -> None:
    manifest = pack(
        context, {}, MemoryBlobs().open, form=PackForm(created="2024-01-02T03:04:05Z")
    ).manifest
    annotations = json.loads(manifest)["annotations"]
    assert annotations["org.opencontainers.image.created"] == "2024-01-02T03:04:05Z"


def archive(context: Path, entries: tuple[LayerEntry, ...]) -> bytes:
    """Return the bytes of a layer."""
    return b"".join(map(bytes, layer_chunks(context, entries)))


def test_names_that_others_must_read(context: Path) -> None:
    names = [
        "short",
        "d/" + "n" * 100,
        "d/" + "n" * 101,
        "p" * 155 + "/" + "n" * 100,
        "p" * 156 + "/" + "n" * 10,
        "ü",
        "é/x",
        "x" * 99 + "é",
        "é" + "y" * 99 + "/slash-at-100",
        "a..b",
    ]
    for name in names:
        path = context / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    data = archive(context, layer_entries(context, ".").entries)
    assert data.endswith(bytes(1024))
    assert len(data) == archive_size(layer_entries(context, ".").entries)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert {member.name for member in tar if member.isfile()} == set(names)
        assert {(member.uid, member.gid, member.mtime) for member in tar} == {(1000, 0, 0)}
    found = {}
    for member in read_tar(io.BytesIO(data)):
        found[member.path] = b"".join(bytes(chunk) for chunk in member.chunks)
    assert {name: found[name] for name in names} == {name: name.encode() for name in names}


def test_file_above_8_gib_gets_a_pax_size() -> None:
    headers = member_header(LayerEntry("d/big", False, 0o644, 2**33))
    assert headers[:512].startswith(b"d/PaxHeaders.0/big\0")
    assert headers[512:].startswith(b"19 size=8589934592\n")
    assert headers[1024 + 124 : 1024 + 136] == b"00000000000\0"


def test_order_is_by_bytes_in_each_directory(context: Path) -> None:
    for name in ("a/z", "a.txt", "a0", "B", "é", "a-b/c"):
        (context / name).parent.mkdir(exist_ok=True)
        (context / name).touch()
    paths = [entry.path for entry in layer_entries(context, ".").entries]
    assert paths == ["B", "a", "a/z", "a-b", "a-b/c", "a.txt", "a0", "é"]


def test_other_elements_are_compared_by_components(context: Path) -> None:
    for name in ("data/x", "data.md", "database/y", "deep/data/z"):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).touch()
    whole = layer_entries(context, ".", others={"./data": None})
    assert [entry.path for entry in whole.entries] == [
        *("data.md", "database", "database/y", "deep", "deep/data", "deep/data/z"),
    ]
    inner = layer_entries(context, "deep/data", others={".": None, "deep": None})
    assert [entry.path for entry in inner.entries] == ["deep", "deep/data", "deep/data/z"]


def test_what_is_left_out_is_said(context: Path) -> None:
    (context / "src").mkdir()
    (context / "src/link").symlink_to("/etc/passwd")
    (context / "src/dir").symlink_to("..")
    os.mkfifo(context / "src/fifo")
    (context / "src/back\\slash").touch()
    (context / "src/kept").touch()
    (context / "src/skip.log").touch()
    (context / "outside-link").symlink_to("x")
    (context / "src/Thumbs.db").touch()
    listing = layer_entries(context, "src", parse_kitignore(b"**/*.log")[0])
    assert [entry.path for entry in listing.entries] == ["src", "src/kept"]
    assert dict(listing.left_out) == {
        "src/back\\slash": "the name holds a backslash or a control character",
        "src/dir": "symbolic links are not packed",
        "src/fifo": "special files are not packed",
        "src/link": "symbolic links are not packed",
        "src/skip.log": "hidden by **/*.log in line 1 of .kitignore",
        "src/Thumbs.db": "left there by an operating system; it is no part of a kit",
    }


def test_kitfile_is_never_inside(context: Path) -> None:
    for name in ("Kitfile", "kitfile", ".kitfile", ".kitignore", "x", "sub/Kitfile"):
        (context / name).parent.mkdir(exist_ok=True)
        (context / name).touch()
    paths = [entry.path for entry in layer_entries(context, ".").entries]
    assert paths == ["sub", "sub/Kitfile", "x"]


@pytest.mark.parametrize("change", ["grow", "shrink"])
def test_file_that_changes_meanwhile(change: str, context: Path) -> None:
    path = context / "x"
    path.write_bytes(b"y" * 100)
    entries = layer_entries(context, "x").entries
    path.write_bytes(b"y" * (101 if change == "grow" else 99))
    with pytest.raises(BusyError, match="x changed"):
        archive(context, entries)


def test_failed_pack_aborts_its_blob(context: Path) -> None:
    (context / "x").touch()
    blobs = MemoryBlobs()

    class Full(MemoryBlob):
        def commit(self) -> tuple[Digest, int]:
            raise BusyError("full")

    with pytest.raises(BusyError):
        pack(context, {"code": [{"path": "x"}]}, lambda: Full(blobs))
    assert blobs.aborted == 1


@pytest.mark.parametrize(
    ("kitfile", "error"),
    [
        ({"code": [{"path": "missing"}]}, NotFoundError),
        ({"code": [{"path": "../x"}]}, UsageError),
        ({"code": [{"path": "/etc"}]}, UsageError),
        ({"code": [{"path": "x"}, {"path": "./x/"}]}, UsageError),
        ({"code": [{"path": "."}], "docs": [{}]}, UsageError),
        ({"mcpServers": [{"path": "x"}]}, UsageError),
    ],
)
def test_paths_that_cannot_be_packed(
    kitfile: dict[str, object], error: type[Exception], context: Path
) -> None:
    (context / "x").touch()
    blobs = MemoryBlobs()
    with pytest.raises(error):
        pack(context, kitfile, blobs.open)
    assert blobs.blobs == {}


def test_references_and_remote_data_have_no_layer(context: Path) -> None:
    (context / "x").write_text("x")
    kitfile = {
        "model": {"path": "ghcr.io/acme/base:v1", "parts": [{"path": "x"}]},
        "datasets": [{"path": "rows", "remotePath": "s3://b/k", "remoteHash": "h"}],
    }
    blobs = MemoryBlobs()
    packed = pack(context, kitfile, blobs.open)
    config = json.loads(blobs.blobs[packed.config.digest])
    assert [layer.kind for layer in packed.layers] == ["modelpart"]
    assert "digest" not in config["model"]
    assert config["model"]["parts"][0]["digest"] == packed.layers[0].blob.digest
    assert "digest" not in config["datasets"][0]


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    digests = set()
    for number in range(2):
        context = tmp_path / str(number)
        (context / "d").mkdir(parents=True)
        (context / "d/x").write_text("same")
        os.utime(context / "d/x", (number, number))
        data = archive(context, layer_entries(context, "d").entries)
        digests.add(hashlib.sha256(data).hexdigest())
    assert len(digests) == 1


def test_hidden_directory_stands_for_its_content(context: Path) -> None:
    """Unless something in it is taken back."""
    for name in ("env/a", "env/b/c", "env/b/keep", "x"):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).touch()
    listing = layer_entries(context, ".", parse_kitignore(b"env\n")[0])
    assert [path for path, _ in listing.left_out] == ["env"]
    listing = layer_entries(context, ".", parse_kitignore(b"env\n!none\n")[0])
    assert [path for path, _ in listing.left_out] == ["env"]
    listing = layer_entries(context, ".", parse_kitignore(b"env\n!env/b/keep\n")[0])
    assert [entry.path for entry in listing.entries] == ["env/b/keep", "x"]
    assert [path for path, _ in listing.left_out] == ["env/a", "env/b/c"]


def test_exact_kit_drops_what_kit_drops(context: Path) -> None:
    """Names with two dots in a row, and names that begin as another element's path."""
    for name in ("data/x", "data.md", "database/y", "a..b", "d..r/z", "kept", ".DS_Store"):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).touch()
    listing = layer_entries(context, ".", others={"data": None}, exact_kit=True)
    assert [entry.path for entry in listing.entries] == [".DS_Store", "kept"]
    assert dict(listing.left_out) == {
        "a..b": "kit drops names with two dots in a row",
        "d..r": "kit drops names with two dots in a row",
        "data.md": "kit takes it for a part of data",
        "database": "kit takes it for a part of data",
    }
    inner = layer_entries(context, "d..r/z", exact_kit=True)
    assert [entry.path for entry in inner.entries] == ["d..r", "d..r/z"]


def test_remote_data_is_packed_nowhere(context: Path) -> None:
    """Nor what the kit lends that the model comes from."""
    for name in ("rows/x", "weights/w", "y"):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).touch()
    kitfile = {
        "code": [{"path": "."}],
        "datasets": [{"path": "rows", "remotePath": "s3://b/k", "remoteHash": "h"}],
    }
    plan = plan_layers(context, kitfile, lent={"./weights": "it is the model's"})
    assert [entry.path for entry in plan.layers[0].entries] == ["y"]
    assert dict(plan.left_out) == {
        "rows": "the data set lies elsewhere",
        "weights": "it is the model's",
    }


def test_failed_layer_stops_the_others(context: Path) -> None:
    """What is told is what failed, not that the others were stopped."""
    for name in "abc":
        (context / name).write_bytes(b"x" * 100)
    plan = plan_layers(context, {"code": [{"path": name} for name in "abc"]})
    (context / "b").write_bytes(b"")
    with pytest.raises(BusyError, match="b changed"):
        pack_layers(plan, PackForm("gzip"), MemoryBlobs().open, Progress())

"""kit's own storage as a registry: the real one, and what it may look like besides."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rolldeck.errors import IntegrityError, NotFoundError
from rolldeck.oci import Digest, KitStorage, kit_home
from rolldeck.progress import Progress
from tests.kit_homes import GOLDEN_PREFIX, everything_in, keep, made_kit_home, real_kit_home
from tests.oci.bench import Jar

WDBC = f"{GOLDEN_PREFIX}wdbc"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of a real kit."""
    return real_kit_home(tmp_path)


async def test_it_lists_what_kit_lists(home: Path, golden: Path) -> None:
    """Repositories, tags and digests are those that kit printed."""
    storage = KitStorage(home)
    for name in (await storage.repositories()).names:
        short = name.removeprefix(GOLDEN_PREFIX)
        printed = json.loads((golden / "kit-output" / f"list-{short}.json").read_bytes())
        wanted = {(tag, row["digest"]) for row in printed for tag in row["tags"]}
        tags = (await storage.tags(name)).names
        digests = {(tag, (await storage.resolve(name, tag)).digest) for tag in tags}
        assert digests <= wanted
        assert short == "era" or digests == wanted
    assert len((await storage.repositories()).names) == 10


async def test_a_blob_is_verified(home: Path) -> None:
    """As from any other place: a damaged blob is exit code 6, and nothing of it stays."""
    storage = KitStorage(home)
    manifest = await storage.manifest(WDBC, (await storage.resolve(WDBC, "v1.0.0")).digest)
    blob = manifest.layers[0]
    good, bad = Jar(), Jar()
    await storage.fetch_blob(WDBC, blob, good, Progress())
    path = storage.blob_path(blob.digest)
    damaged = bytearray(path.read_bytes())
    damaged[100] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(IntegrityError):
        await storage.fetch_blob(WDBC, blob, bad, Progress())
    assert len(good.data) == blob.size
    assert not bad.data


async def test_what_is_missing_is_named(home: Path, tmp_path: Path) -> None:
    """A tag, a repository, the whole storage: each error says what there is or where to look."""
    storage = KitStorage(home)
    with pytest.raises(NotFoundError, match=r"No such tag: kit:.*wdbc:v9") as tag:
        await storage.resolve(WDBC, "v9")
    assert "v2.0.0" in (tag.value.hint or "")
    with pytest.raises(NotFoundError, match="No repository 'kit:nothing'"):
        await storage.resolve("nothing", "v9")
    with pytest.raises(NotFoundError, match="kit keeps nothing in") as nothing:
        await KitStorage(tmp_path / "elsewhere").repositories()
    assert "KITOPS_HOME" in (nothing.value.hint or "")


async def test_names_are_those_that_kit_shows(golden: Path, tmp_path: Path) -> None:
    """Without the host that kit puts in front of its own, and without a name where it has none."""
    home = made_kit_home(tmp_path / "kit", {"acme/fraud": golden / "layouts" / "facts-kfp"})
    found = KitStorage(home).entries()[0].descriptor
    item = {"mediaType": found.media_type, "digest": found.digest, "size": found.size}
    keep(home, "_", {}, item)
    storage = KitStorage(home)
    assert (await storage.repositories()).names == ("acme/fraud",)
    assert (await storage.resolve("", found.digest)).digest == found.digest
    assert {entry.repository for entry in storage.entries()} == {"acme/fraud", ""}


async def test_what_kit_changed_is_seen(home: Path) -> None:
    """The indexes are read again when one of them changed, and not before."""
    storage = KitStorage(home)
    first = storage.entries()
    assert storage.entries() is first
    item = {"mediaType": "", "digest": "sha256:" + "ab" * 32, "size": 2}
    keep(home, "new", {"v1": item})
    assert "new" in (await storage.repositories()).names


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bmV3-tags.json", '{"v1": {"mediaType": "x", "dig'),
        ("bmV3-tags.json", "[]"),
        ("bmV3-tags.json", '{"v1": {"digest": "sha256:x", "size": 1}}'),
        ("bmV3-index.json", "{}"),
        ("Li4vLi4-index.json", '{"manifests": []}'),
        ("4pyT-index.json", '{"manifests": []}'),
        ("a-index.json", '{"manifests": []}'),
    ],
)
async def test_a_damaged_index_is_an_error_with_a_hint(
    tmp_path: Path, name: str, text: str
) -> None:
    """kit writes in place without a lock, so that an index can be met half-written."""
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / name).write_text(text)
    with pytest.raises(IntegrityError) as caught:
        await KitStorage(tmp_path).repositories()
    assert caught.value.hint


async def test_the_form_before_v03_is_named(tmp_path: Path) -> None:
    """It holds no repository that could be read here, and any newer kit converts it."""
    old = tmp_path / "storage" / "localhost" / "fraud"
    old.mkdir(parents=True)
    (old / "index.json").write_text('{"manifests": []}')
    with pytest.raises(NotFoundError, match=r"before v0\.3"):
        await KitStorage(tmp_path).repositories()


async def test_nothing_in_it_changes(home: Path) -> None:
    """Not a byte, a name or a time, whatever is asked of it."""
    before = everything_in(home)
    storage = KitStorage(home)
    for name in (await storage.repositories()).names:
        for tag in (await storage.tags(name)).names:
            manifest = await storage.manifest(name, (await storage.resolve(name, tag)).digest)
            for blob in manifest.layers:
                await storage.fetch_blob(name, blob, Jar(), Progress())
    with pytest.raises(NotFoundError):
        await storage.manifest(WDBC, Digest("sha256:" + "00" * 32))
    await storage.close()
    assert everything_in(home) == before


def test_the_home_is_that_of_kit() -> None:
    """KITOPS_HOME, then XDG_DATA_HOME, then the home directory."""
    assert kit_home({"KITOPS_HOME": "/k", "XDG_DATA_HOME": "/d", "HOME": "/h"}) == Path("/k")
    assert kit_home({"KITOPS_HOME": "", "XDG_DATA_HOME": "/d", "HOME": "/h"}) == Path("/d/kitops")
    assert kit_home({"HOME": "/h"}) == Path("/h/.local/share/kitops")

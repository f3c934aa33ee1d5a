"""Who uses the space of a layout: each blob once, own where nobody else needs it."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping

from rolldeck.oci import Descriptor, Digest
from rolldeck.oci.layout import Entry
from rolldeck.store.usage import LayoutUse, layout_use


def digest(number: int) -> Digest:
    return Digest(f"sha256:{number:064x}")


def entry(repository: str, tag: str | None, number: int) -> Entry:
    return Entry(repository, tag, Descriptor("x/y", digest(number), 1))


def use(
    entries: list[Entry],
    reached: Mapping[int, Collection[int]],
    sizes: Mapping[int, int],
    needed: Mapping[int, tuple[str, ...]] | None = None,
) -> LayoutUse:
    """The space of blobs that are numbers."""
    return layout_use(
        entries,
        {digest(root): [digest(blob) for blob in blobs] for root, blobs in reached.items()},
        {digest(blob): size for blob, size in sizes.items()},
        {digest(root): who for root, who in (needed or {}).items()},
    )


SIZES = {1: 10, 2: 20, 3: 1000, 4: 300, 5: 7}
REACHED = {1: [1, 3, 4], 2: [2, 3]}


def test_a_shared_blob_is_nobodys_own() -> None:
    """It counts in each version, and once in the repository and the layout."""
    found = use([entry("a", "v1", 1), entry("a", "v2", 2)], REACHED, SIZES)
    assert [(item.tags, item.size, item.own) for item in found.versions] == [
        (("v1",), 1310, 310),
        (("v2",), 1020, 20),
    ]
    assert [(item.size, item.own, item.versions) for item in found.repositories] == [
        (1330, 1330, 2)
    ]
    assert found.size == 1337
    assert found.unused == 7
    assert [(item.size, item.versions) for item in found.blobs] == [
        (1000, 2),
        (300, 1),
        (20, 1),
        (10, 1),
        (7, 0),
    ]


def test_a_version_of_two_repositories_is_nobodys_own() -> None:
    """Taken out of one, it stays whole for the other."""
    found = use([entry("a", "v1", 1), entry("b", "v1", 1), entry("b", "v2", 2)], REACHED, SIZES)
    assert {(item.repository, item.own) for item in found.versions} == {
        ("a", 0),
        ("b", 0),
        ("b", 20),
    }
    assert {(item.name, item.size, item.own) for item in found.repositories} == {
        ("a", 1310, 0),
        ("b", 1330, 20),
    }


def test_what_others_need_is_nobodys_own() -> None:
    """Removing its name frees nothing; without a name it is still there."""
    named = use([entry("a", "v1", 1), entry("a", "v2", 2)], REACHED, SIZES, {1: ("target",)})
    assert {(item.tags, item.own, item.needed_by) for item in named.versions} == {
        (("v1",), 0, ("target",)),
        (("v2",), 20, ()),
    }
    nameless = use([entry("a", "v2", 2)], REACHED, SIZES, {1: ("target",)})
    assert {(item.repository, item.size) for item in nameless.versions} == {("", 1310), ("a", 1020)}
    assert nameless.unused == 7


def test_only_what_is_here_counts() -> None:
    """A version whose large layer is in a release alone takes no space for it."""
    found = use([entry("a", "v1", 1)], REACHED, {1: 10, 4: 300})
    assert [(item.size, item.own, item.blobs) for item in found.versions] == [(310, 310, 2)]


def test_own_is_what_removing_frees() -> None:
    """Of random layouts: what is needed before and not after."""
    random_ = random.Random(4)
    for _ in range(200):
        sizes = {blob: random_.randrange(1, 1000) for blob in range(20)}
        reached = {root: {root, *random_.sample(range(20), 5)} for root in range(6)}
        entries = list(
            {
                (name, tag): entry(name, tag, root)
                for name, tag, root in (
                    (random_.choice("abc"), random_.choice(["v1", "v2", None]), root)
                    for root in reached
                )
            }.values()
        )
        needed = {root: ("target",) for root in reached if not random_.randrange(4)}

        def alive(
            rest: list[Entry],
            reached: dict[int, set[int]] = reached,
            needed: dict[int, tuple[str, ...]] = needed,
        ) -> set[int]:
            roots = {int(item.descriptor.digest[7:], 16) for item in rest} | needed.keys()
            return {blob for root in roots for blob in reached[root]}

        found = use(entries, reached, sizes, needed)
        for version in found.versions:
            row = (version.repository, version.digest)
            rest = [e for e in entries if (e.repository, e.descriptor.digest) != row]
            freed = alive(entries) - alive(rest)
            assert version.own == sum(sizes[blob] for blob in freed)
        for repository in found.repositories:
            rest = [e for e in entries if e.repository != repository.name]
            freed = alive(entries) - alive(rest)
            assert repository.own == sum(sizes[blob] for blob in freed)
        assert found.unused == sum(sizes.values()) - sum(sizes[blob] for blob in alive(entries))

"""What is remembered of packed layers: nothing without certainty, nor out of a damaged file."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from rolldeck.kit.layer_listing import LayerEntry
from rolldeck.kit.layer_record import MOST, TICK, KnownLayer, LayerRecord, layer_fingerprint
from rolldeck.kit.pack_plan import PlannedLayer, plan_layers
from rolldeck.oci import Digest

NOW = 1_700_000_000_000_000_000
OLD = NOW - 60 * 1_000_000_000


def digest(number: int) -> Digest:
    return Digest(f"sha256:{number:064x}")


def known(number: int) -> KnownLayer:
    return KnownLayer(digest(number), number, digest(number + 1))


def entry(path: str = "a", **changes: object) -> LayerEntry:
    fields = {"is_dir": False, "mode": 0o644, "size": 5, "stamp": (1, 2, OLD, OLD), **changes}
    return LayerEntry(path, **fields)  # type: ignore[arg-type]


def fingerprint(*entries: LayerEntry) -> str | None:
    return layer_fingerprint(PlannedLayer("code", "src", entries), "none", NOW)


def test_whatever_decides_the_bytes_changes_it() -> None:
    """Name, mode, size, device, inode and times of a file; names and order of the members."""
    found = [
        fingerprint(entry()),
        fingerprint(entry("b")),
        fingerprint(entry(mode=0o755)),
        fingerprint(entry(size=6)),
        *(fingerprint(entry(stamp=stamp)) for stamp in ((2, 2, OLD, OLD), (1, 3, OLD, OLD))),
        *(
            fingerprint(entry(stamp=stamp))
            for stamp in ((1, 2, OLD - 1, OLD), (1, 2, OLD, OLD - 1))
        ),
        fingerprint(entry(), entry("b")),
        fingerprint(entry("b"), entry()),
        fingerprint(entry(), entry("d", is_dir=True, size=0)),
        fingerprint(entry(), entry("d", is_dir=True, size=0, mode=0o700)),
        fingerprint(entry("\udce9")),
        fingerprint(),
    ]
    assert None not in found
    assert len(set(found)) == len(found)


def test_a_directory_may_be_touched() -> None:
    """Its times say that names changed, and the names are in it."""
    stamps = ((1, 2, OLD, OLD), (1, 2, NOW, NOW))
    assert len({fingerprint(entry("d", is_dir=True, stamp=stamp)) for stamp in stamps}) == 1


def test_compression_changes_it() -> None:
    """And so may another version of what compresses."""
    layer = PlannedLayer("code", "src", (entry(),))
    assert len({layer_fingerprint(layer, name, NOW) for name in ("none", "gzip", "zstd")}) == 3


@pytest.mark.parametrize("which", [2, 3])
def test_a_file_of_the_last_tick_gets_none(which: int) -> None:
    """A change within the same tick would leave its times as they are; neither does the future."""
    for changed_at, certain in (
        (NOW - TICK - 1, True),
        (NOW - TICK, False),
        (NOW, False),
        (NOW + TICK, False),
    ):
        stamp = [1, 2, OLD, OLD]
        stamp[which] = changed_at
        found = fingerprint(entry("old"), entry("new", stamp=tuple(stamp)))
        assert (found is not None) is certain


def test_a_file_without_times_gets_none() -> None:
    """Nothing would tell that it changed."""
    assert fingerprint(LayerEntry("a", False, 0o644, 5)) is None


def test_a_plan_is_as_old_as_its_first_look(tmp_path: Path) -> None:
    """What was written just before is too young, and what is written later, too."""
    (tmp_path / "a").write_text("x")
    plan = plan_layers(tmp_path, {"code": [{"path": "."}]})
    assert layer_fingerprint(plan.layers[0], "none", plan.listed_at) is None
    changed_at = max(plan.layers[0].entries[0].stamp[2:])
    assert layer_fingerprint(plan.layers[0], "none", changed_at + TICK + 1) is not None


def test_kept_and_read(tmp_path: Path) -> None:
    """Beside what others keep meanwhile; of very many those that were not used for longest go."""
    record = LayerRecord(tmp_path / "new" / "record")
    assert record.read() == {}
    record.keep({f"{number}": known(number) for number in range(MOST)})
    LayerRecord(record.path).keep({"0": known(0), "more": known(7)})
    found = record.read()
    assert len(found) == MOST
    assert found["more"] == known(7)
    assert "0" in found
    assert "1" not in found
    assert record.path.stat().st_mode & 0o777 == 0o600


def test_damage_is_never_believed(tmp_path: Path) -> None:
    """Any bit, any cut, anything else in its place."""
    record = LayerRecord(tmp_path / "record")
    record.keep({"a": known(1), "b": known(2)})
    whole = record.path.read_bytes()
    assert len(record.read()) == 2
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << random.Random(position).randrange(8)
        record.path.write_bytes(damaged)
        assert record.read() == {}
        record.path.write_bytes(whole[:position])
        assert record.read() == {}
    record.path.write_bytes(whole + whole)
    assert record.read() == {}
    record.path.unlink()
    record.path.mkdir()
    assert record.read() == {}
    record.keep({"a": known(1)})


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"a": 1},
        {"a": [digest(1), "5", digest(2)]},
        {"a": [digest(1), True, digest(2)]},
        {"a": ["sha256:short", 5, digest(2)]},
        {"a": [digest(1), 5]},
    ],
)
def test_another_form_is_not_believed(tmp_path: Path, document: object) -> None:
    """Though its checksum is right."""
    from rolldeck.kit.layer_record import _checksum

    data = json.dumps(document).encode()
    (tmp_path / "record").write_bytes(_checksum(data) + b"\n" + data)
    assert LayerRecord(tmp_path / "record").read() == {}

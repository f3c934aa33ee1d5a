"""Bodies that cannot be spliced: encrypted ones, and those that do not tell their length."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from rolldeck.actions.fetch import fetch
from rolldeck.errors import IntegrityError
from rolldeck.oci.http import HttpRegistry
from rolldeck.oci.retry import Clocks
from rolldeck.progress import Progress
from rolldeck.store import Library
from tests.faults.conftest import held, leftovers
from tests.oci.bench import blob_of
from tests.servers.scripted import Asked, Scripted, ScriptedServer

SIZE = 3 * 1024 * 1024 + 9
DATA = random.Random(SIZE).randbytes(SIZE)
BLOB = blob_of(DATA)


def ranged(cut: int | None = None, length: int | None = None) -> Callable[[Asked], Scripted]:
    """Answer with the blob or the rest that is asked for."""

    def answer(asked: Asked) -> Scripted:
        start = int(asked.headers.get("range", "bytes=0-")[6:-1])
        headers = {"Content-Range": f"bytes {start}-{SIZE - 1}/{SIZE}"} if start else {}
        status = 206 if start else 200
        return Scripted(status, DATA[start:], headers, length=length, cut=cut)

    return answer


async def pull(server: ScriptedServer, library: Library, ca_file: Path | None = None) -> int:
    registry = HttpRegistry(
        server.host,
        plain_http=ca_file is None,
        ca_file=ca_file,
        clocks=Clocks(sleep=lambda seconds: None),
    )
    try:
        return await fetch(library, registry, "x", BLOB, Progress())
    finally:
        await registry.close()


@pytest.mark.parametrize("cut", [0, 1, 16_384, 100_000, 1_048_577, SIZE - 1])
async def test_a_cut_over_tls(
    secure: ScriptedServer, certificate: Path, library: Library, cut: int
) -> None:
    """What was decrypted before the cut is kept."""
    secure.on("GET", ".*", ranged(cut), ranged())
    await pull(secure, library, certificate)
    assert held(library, BLOB) == DATA
    assert leftovers(library) == []
    asked = secure.asked[1].headers.get("range", "bytes=0-")
    # A reset may overtake what is still on its way.
    assert int(asked[6:-1]) <= cut


@pytest.mark.parametrize("cut", [0, 1, 70_000, SIZE - 1])
async def test_a_body_without_length(scripted: ScriptedServer, library: Library, cut: int) -> None:
    """The end of the connection is not the end of the blob."""
    scripted.on("GET", ".*", ranged(cut, length=-1), ranged(length=-1))
    await pull(scripted, library)
    assert held(library, BLOB) == DATA
    assert scripted.asked[1].headers.get("range") == (f"bytes={cut}-" if cut else None)


async def test_a_body_that_does_not_end(scripted: ScriptedServer, library: Library) -> None:
    """One byte too many is exit code 6, and nothing stays."""
    scripted.on("GET", ".*", Scripted(body=DATA + b"!", length=-1))
    with pytest.raises(IntegrityError, match="More bytes"):
        await pull(scripted, library)
    assert len(scripted.asked) == 2
    assert leftovers(library) == []


async def test_a_redirect_is_asked_for_the_rest(
    scripted: ScriptedServer, start_scripted: Callable[[], ScriptedServer], library: Library
) -> None:
    """The registry is asked again for where the rest is; the range goes along."""
    storage = start_scripted()
    storage.on("GET", ".*", ranged(SIZE // 2, length=-1), ranged())
    scripted.on(
        "GET", ".*", *[Scripted(307, headers={"Location": f"{storage.url}/{n}"}) for n in "ab"]
    )
    await pull(scripted, library)
    assert held(library, BLOB) == DATA
    assert storage.paths() == ["/a", "/b"]
    assert storage.asked[1].headers["range"] == f"bytes={SIZE // 2}-"

"""Token servers that the user confirmed: hosts that may get the login for a registry.

Kept in ``token-servers.json`` below the state directory, readable by its owner alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path

from rolldeck import fsops, half_made, locks
from rolldeck.oci.address import canonical_host
from rolldeck.settings import state_home


def _file() -> Path:
    return state_home() / "token-servers.json"


def _confirmed() -> dict[str, list[str]]:
    try:
        document = json.loads(_file().read_bytes())
        return {
            str(registry): [str(host) for host in hosts]
            for registry, hosts in document.items()
            if isinstance(hosts, list)
        }
    except (OSError, ValueError, AttributeError, RecursionError):
        # Asking once more is the safe answer to a damaged file.
        return {}


def confirmed_token_hosts(registry: str) -> tuple[str, ...]:
    """Return the token servers confirmed for a registry, as ``host[:port]``."""
    return tuple(_confirmed().get(canonical_host(registry), ()))


def confirm_token_host(registry: str, token_host: str) -> None:
    """Remember that ``token_host`` may get the login for ``registry``; raises StorageError."""
    fsops.make_directories(_file().parent, 0o700)
    with locks.locked(_file().with_suffix(".lock")):
        confirmed = _confirmed()
        hosts = confirmed.setdefault(canonical_host(registry), [])
        if token_host not in hosts:
            hosts.append(token_host)
            data = json.dumps(confirmed, indent=2, sort_keys=True).encode()
            half_made.write_atomic(_file(), data, 0o600)


class TokenHosts(Collection[str]):
    """Named token servers and those confirmed by now: a confirmation counts in a running deck."""

    def __init__(self, registry: str, named: Collection[str]) -> None:
        self._registry = registry
        self._named = tuple(named)

    def __iter__(self) -> Iterator[str]:
        return iter((*self._named, *confirmed_token_hosts(self._registry)))

    def __contains__(self, host: object) -> bool:
        return any(host == known for known in self)

    def __len__(self) -> int:
        return len(tuple(iter(self)))

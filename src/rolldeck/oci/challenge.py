"""What a 401 asks for, and whether the token server that it names may be asked.

Parsing follows RFC 9110 section 11.6.1, strictly: several challenges, commas and escapes inside
quotes. A realm comes from outside, so it is judged before anything is sent there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from rolldeck.errors import DeniedError
from rolldeck.oci.address import Origin, shown_url

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_SCHEME = re.compile(rf"({_TOKEN})(?=[ \t,]|$)")
_PARAMETER = re.compile(rf'({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))(?=[ \t,]|$)')
_TOKEN68 = re.compile(r"[ \t]+[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)")
_GAP = re.compile(r"[ \t,]*")
_ESCAPE = re.compile(r"\\(.)")

_LIMIT = 8192
"""Longest header parsed, in characters."""

TOKEN_SERVERS: Mapping[str, frozenset[str]] = {
    "registry-1.docker.io": frozenset({"auth.docker.io"}),
    "registry.gitlab.com": frozenset({"gitlab.com"}),
}
"""Registries whose token server is well known to be another host."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge: its scheme and parameter names in lower case."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(headers: Iterable[str]) -> list[Challenge]:
    """Parse WWW-Authenticate headers; one that is malformed counts as absent."""
    challenges: list[Challenge] = []
    for header in headers:
        try:
            challenges.extend(_parse(header))
        except ValueError:
            continue
    return challenges


def asks_for_more(challenges: Sequence[Challenge]) -> bool:
    """Whether a token was good, but not for what was asked (RFC 6750 "insufficient_scope")."""
    return any(
        challenge.scheme == "bearer"
        and challenge.parameters.get("error") == "insufficient_scope"
        and challenge.parameters.get("scope")
        for challenge in challenges
    )


def _parse(header: str) -> list[Challenge]:
    if len(header) > _LIMIT:
        raise ValueError("too long")
    challenges: list[Challenge] = []
    parameters: dict[str, str] = {}
    position = 0
    while True:
        gap = _GAP.match(header, position)
        position = gap.end() if gap else position
        if position == len(header):
            return challenges
        if (found := _PARAMETER.match(header, position)) and challenges:
            name, quoted, bare = found.groups()
            if name.lower() in parameters:
                raise ValueError("a parameter occurs twice")
            parameters[name.lower()] = bare if quoted is None else _ESCAPE.sub(r"\1", quoted)
        elif found := _SCHEME.match(header, position):
            parameters = {}
            challenges.append(Challenge(found.group(1).lower(), parameters))
            if encoded := _TOKEN68.match(header, found.end()):
                position = encoded.end()
                continue
        else:
            raise ValueError("not a challenge")
        position = found.end()


@dataclass(frozen=True, slots=True)
class Realm:
    """A token server that may be asked.

    ``trusted`` says whether credentials of the registry may be sent to it, ``public_only``
    whether it must not be in a private network.
    """

    url: str
    origin: Origin
    trusted: bool
    public_only: bool


def judge_realm(registry: Origin, realm: str, token_hosts: Collection[str]) -> Realm:
    """Decide what may be sent to ``realm``, which ``registry`` named; raises DeniedError.

    ``token_hosts`` are the hosts (``host[:port]``) that the user's settings trust with logins.
    """
    shown = shown_url(realm)
    try:
        parts = urlsplit(realm)
        origin = Origin.of(realm)
        acceptable = parts.username is None and not parts.fragment and realm.isprintable()
    except ValueError:
        acceptable = False
    if not acceptable:
        raise DeniedError(
            f"{registry.authority} names a token server that is no valid address: {shown}",
            reference=registry.authority,
            hint="The registry is set up wrongly; tell who runs it.",
        )
    if origin.scheme == "http" and registry.scheme == "https":
        raise DeniedError(
            f"{registry.authority} names a token server without encryption: {shown}",
            reference=registry.authority,
            hint="Tokens are never asked for over plain HTTP; tell who runs the registry.",
        )
    same = origin == registry
    named = origin.authority in {host.lower() for host in token_hosts}
    paired = origin.scheme == "https" and origin.authority in TOKEN_SERVERS.get(
        registry.authority, ()
    )
    return Realm(realm, origin, same or named or paired, not (same or named))

"""An OCI registry over HTTP (distribution-spec 1.1) behind the ``Registry`` protocol.

Requests run in a bounded pool of threads; the event loop never waits for one. A tag is resolved
by HEAD, or together with its manifest by GET; everything after goes by digest and is verified
against the digest that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rolldeck.errors import (
    DeniedError,
    IntegrityError,
    NotFoundError,
    RolldeckError,
    UntrustedRealmError,
)
from rolldeck.oci.address import manifest_name, repository_path
from rolldeck.oci.call import Call, Timeouts
from rolldeck.oci.digest import Digest, digest_of, is_digest, parse_digest, verify_bytes
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.model import (
    MANIFEST_LIMIT,
    MANIFEST_TYPES,
    Descriptor,
    Manifest,
    parse_manifest,
)
from rolldeck.oci.pages import PAGE_LIMIT, collect_names
from rolldeck.oci.part import PartReader
from rolldeck.oci.proxy import Proxies
from rolldeck.oci.reference import is_repository, is_tag
from rolldeck.oci.registry import SMALL_BLOB, Listing, Sink
from rolldeck.oci.retry import Clocks, RetryPolicy
from rolldeck.oci.secret import Credential, CredentialSource
from rolldeck.oci.transfer import damaged, transfer_blob
from rolldeck.oci.transport import HttpTransport
from rolldeck.oci.workers import Workers
from rolldeck.progress import Progress

if TYPE_CHECKING:
    from rolldeck.oci.http_writer import HttpWriter

_T = TypeVar("_T")

_CATALOG_SCOPE = "registry:catalog:*"
_NO_CATALOG = (404, 405)


def _own_login(place: str) -> Credential | None:
    """Look for the user's login; the files are known to who is asked for one."""
    # Imported late: most registries do not ask.
    from rolldeck.oci.credentials import CredentialFiles

    return CredentialFiles()(place)


class HttpRegistry:
    """One registry host; implements ``Registry``."""

    def __init__(
        self,
        host: str,
        *,
        plain_http: bool | None = None,
        ca_file: Path | None = None,
        client_cert: Path | None = None,
        client_key: Path | None = None,
        proxies: Proxies | None = None,
        credentials: CredentialSource | None = None,
        token_hosts: Collection[str] = (),
        concurrency: int = 40,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        """Prepare for ``host[:port]``, which connects nowhere yet; raises UsageError.

        ``credentials`` None means the user's own files; the other settings are those of
        ``HttpTransport``. At most ``concurrency`` requests run at once.
        """
        self._host = host
        self._transport = HttpTransport(
            host,
            plain_http=plain_http,
            ca_file=ca_file,
            client_cert=client_cert,
            client_key=client_key,
            proxies=proxies,
            credentials=credentials or _own_login,
            token_hosts=token_hosts,
            timeouts=timeouts,
            retry=retry,
            clocks=clocks,
            connections=concurrency,
        )
        self._parts = PartReader(self._transport)
        self._workers = Workers(concurrency, f"rolldeck {host}", (timeouts or Timeouts()).stall)

    @cached_property
    def writer(self) -> HttpWriter:
        """The half that changes what is here."""
        # Imported late: who only reads need not pay for it.
        from rolldeck.oci.http_writer import HttpWriter

        return HttpWriter(self._host, self._transport, self._workers)

    @property
    def address(self) -> str:
        """The host, with its port where it was given."""
        return self._host

    async def check_login(self) -> bool:
        """Ask the registry for nothing but its API; returns whether it wanted a login for that.

        Raises DeniedError where it does not take the login.
        """
        call = Call("GET", "/v2/", self._host, "", {})

        def ask(interrupt: Interrupt) -> bool:
            answer = self._transport.request(call, PAGE_LIMIT, interrupt)
            self._transport.refuse_web_page(answer.media_type, answer.body[:256], self._host)
            return self._transport.is_authorized(call)

        return await self._workers.run(ask)

    async def repositories(self) -> Listing:
        """List the catalog; empty and incomplete where the registry offers none."""
        return await self._workers.run(self._catalog)

    async def tags(self, repository: str) -> Listing:
        """List the tags of a repository in the registry's order."""
        return await self._workers.run(lambda interrupt: self._tags(repository, interrupt))

    async def resolve(self, repository: str, name: str) -> Descriptor:
        """Resolve a tag or digest; a missing tag's error names tags that exist."""
        return await self._workers.run(lambda interrupt: self._resolve(repository, name, interrupt))

    async def tagged_digest(self, repository: str, tag: str) -> Digest:
        """Return what a tag names, by HEAD where the registry allows it."""
        found = await self._workers.run(lambda interrupt: self._point(repository, tag, interrupt))
        return found.digest

    async def tagged_manifest(self, repository: str, tag: str) -> Manifest:
        """Fetch what a tag names in one request.

        Raises IntegrityError where the bytes are not of the digest that the registry names.
        """
        return await self._workers.run(lambda interrupt: self._tagged(repository, tag, interrupt))

    async def manifest(self, repository: str, digest: Digest) -> Manifest:
        """Fetch a manifest or index by digest, verified."""
        return await self._workers.run(
            lambda interrupt: self._manifest(repository, digest, interrupt)
        )

    async def referrers(
        self, repository: str, digest: Digest, artifact_type: str | None = None
    ) -> tuple[Descriptor, ...] | None:
        """List the manifests whose subject is ``digest``; None without a referrers API."""
        # Imported late: few verbs ask for them.
        from rolldeck.oci.referrers import list_referrers

        return await self._workers.run(
            lambda interrupt: list_referrers(
                self._transport, repository, digest, artifact_type, interrupt
            )
        )

    async def read_blob(self, repository: str, blob: Descriptor) -> bytes:
        """Fetch a blob of at most ``SMALL_BLOB`` bytes into memory, verified."""
        return await self._workers.run(
            lambda interrupt: self._read_blob(repository, blob, interrupt)
        )

    async def read_range(self, repository: str, blob: Descriptor, start: int, size: int) -> bytes:
        """Fetch a part of a blob; not verified."""
        call = self._blob_call(repository, blob)
        return await self._workers.run(
            lambda interrupt: self._parts.read(call, blob, start, size, interrupt)
        )

    async def fetch_blob(
        self,
        repository: str,
        blob: Descriptor,
        sink: Sink,
        progress: Progress,
    ) -> None:
        """Stream a blob into a sink, verified."""
        call = self._blob_call(repository, blob)
        await self._workers.run(
            lambda interrupt: transfer_blob(self._transport, call, blob, sink, progress, interrupt),
            progress,
        )

    async def ask(self, question: Callable[[HttpTransport, Interrupt], _T]) -> _T:
        """Put a question of ``probe.py`` to the registry."""
        return await self._workers.run(lambda interrupt: question(self._transport, interrupt))

    async def close(self) -> None:
        """Cancel what runs and close the connections."""
        await self._workers.close()
        self._transport.close()

    def _call(
        self,
        method: str,
        repository: str,
        rest: str,
        reference: str,
        headers: Mapping[str, str] | None = None,
        allow: Collection[int] = (),
    ) -> Call:
        path = repository_path(self._host, repository)
        scope = f"repository:{path.removeprefix('/v2/')}:pull"
        return Call(method, path + rest, reference, scope, headers or {}, allow)

    def _catalog(self, interrupt: Interrupt) -> Listing:
        json_type = {"Accept": "application/json"}

        def fetch(path: str) -> tuple[Any, Mapping[str, str]]:
            call = Call("GET", path, self._host, _CATALOG_SCOPE, json_type, _NO_CATALOG)
            document, answer = self._transport.request_json(call, PAGE_LIMIT, interrupt)
            if answer.status in _NO_CATALOG:
                raise NotFoundError(f"{self._host} has no catalog", reference=self._host)
            return document, answer.headers

        try:
            return collect_names(
                fetch,
                "/v2/_catalog",
                "repositories",
                is_repository,
                origin=self._transport.origin,
                reference=self._host,
            )
        except UntrustedRealmError:
            raise
        except (DeniedError, NotFoundError):
            return Listing((), complete=False)

    def _tags(self, repository: str, interrupt: Interrupt) -> Listing:
        reference = f"{self._host}/{repository}"
        first = self._call("GET", repository, "/tags/list", reference)

        def fetch(path: str) -> tuple[Any, Mapping[str, str]]:
            call = Call("GET", path, reference, first.scope, {"Accept": "application/json"})
            document, answer = self._transport.request_json(call, PAGE_LIMIT, interrupt)
            return document, answer.headers

        return collect_names(
            fetch,
            first.path,
            "tags",
            is_tag,
            origin=self._transport.origin,
            reference=reference,
        )

    def _resolve(self, repository: str, name: str, interrupt: Interrupt) -> Descriptor:
        try:
            return self._point(repository, name, interrupt)
        except NotFoundError as error:
            digest = Digest(name) if ":" in name else None
            raise self._missing(repository, name, digest, error, interrupt) from None

    def _point(self, repository: str, name: str, interrupt: Interrupt) -> Descriptor:
        """Ask what a tag or digest names, by HEAD where the registry allows and answers that."""
        reference = f"{self._host}/{repository}{'@' if ':' in name else ':'}{name}"
        name, digest = manifest_name(reference, name)
        accept = {"Accept": ", ".join(MANIFEST_TYPES)}
        rest = f"/manifests/{name}"
        head = self._call("HEAD", repository, rest, reference, accept, allow=(405,))
        answer = self._transport.request(head, 0, interrupt)
        self._transport.refuse_web_page(answer.media_type, b"", reference)
        called = digest or answer.headers.get("Docker-Content-Digest", "")
        if answer.status != 405 and is_digest(called) and answer.length is not None:
            return Descriptor(answer.media_type, Digest(called), answer.length)
        get = self._call("GET", repository, rest, reference, accept)
        answer = self._transport.request(get, MANIFEST_LIMIT, interrupt)
        self._transport.refuse_web_page(answer.media_type, answer.body[:256], reference)
        if digest is not None:
            verify_bytes(answer.body, digest)
        return Descriptor(answer.media_type, digest or digest_of(answer.body), len(answer.body))

    def _tagged(self, repository: str, tag: str, interrupt: Interrupt) -> Manifest:
        reference = f"{self._host}/{repository}:{tag}"
        name, _ = manifest_name(reference, tag)
        accept = {"Accept": ", ".join(MANIFEST_TYPES)}
        call = self._call("GET", repository, f"/manifests/{name}", reference, accept)
        answer = self._transport.request(call, MANIFEST_LIMIT, interrupt)
        self._transport.refuse_web_page(answer.media_type, answer.body[:256], reference)
        called = answer.headers.get("Docker-Content-Digest", "")
        digest = Digest(called) if is_digest(called) else digest_of(answer.body)
        try:
            verify_bytes(answer.body, digest)
        except IntegrityError as error:
            raise damaged(error, reference) from None
        manifest = parse_manifest(answer.body, answer.media_type, reference=reference)
        return replace(manifest, digest=digest)

    def _missing(
        self,
        repository: str,
        name: str,
        digest: Digest | None,
        error: NotFoundError,
        interrupt: Interrupt,
    ) -> NotFoundError:
        try:
            tags: Collection[str] | None = self._tags(repository, interrupt).names
        except RolldeckError as failure:
            interrupt.check()
            tags = () if isinstance(failure, NotFoundError) else None
        # Imported late: what is asked for is mostly there.
        from rolldeck.oci.suggestion import missing_manifest

        return missing_manifest(f"{self._host}/{repository}", name, digest, tags, error)

    def _manifest(self, repository: str, digest: Digest, interrupt: Interrupt) -> Manifest:
        reference = f"{self._host}/{repository}@{digest[:80]}"
        parse_digest(digest, reference=reference)
        call = self._call(
            "GET",
            repository,
            f"/manifests/{digest}",
            reference,
            {"Accept": ", ".join(MANIFEST_TYPES)},
        )
        answer = self._transport.request(call, MANIFEST_LIMIT, interrupt)
        try:
            verify_bytes(answer.body, digest)
        except IntegrityError as error:
            self._transport.refuse_web_page(answer.media_type, answer.body[:256], reference)
            raise damaged(error, reference) from None
        return parse_manifest(answer.body, answer.media_type, reference=reference)

    def _blob_call(self, repository: str, blob: Descriptor) -> Call:
        reference = f"{self._host}/{repository}@{blob.digest[:80]}"
        parse_digest(blob.digest, reference=reference)
        return self._call("GET", repository, f"/blobs/{blob.digest}", reference)

    def _read_blob(self, repository: str, blob: Descriptor, interrupt: Interrupt) -> bytes:
        call = self._blob_call(repository, blob)
        if blob.size > SMALL_BLOB:
            raise IntegrityError(
                f"{call.reference} is too large to read whole: {blob.size} bytes",
                reference=call.reference,
                hint="Unpack or pull the version instead.",
            )
        data = self._transport.request(call, blob.size, interrupt).body
        try:
            verify_bytes(data, blob.digest, blob.size)
        except IntegrityError as error:
            raise damaged(error, call.reference) from None
        return data

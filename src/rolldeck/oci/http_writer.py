"""The writing half of an HTTP registry: blobs, manifests and tags, put and removed.

Follows distribution-spec 1.1 "Push" and "Content Management", with several tags in one request
where a registry answers that it understood (``OCI-Tag``).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote

from rolldeck.errors import (
    DeniedError,
    IntegrityError,
    NotFoundError,
    RefusedError,
    UnavailableError,
)
from rolldeck.oci.address import manifest_name, repository_path
from rolldeck.oci.call import Answer, Call
from rolldeck.oci.digest import Digest, digest_of, is_digest, parse_digest
from rolldeck.oci.failures import error_codes, error_detail, status_failure
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.model import MANIFEST_LIMIT, MANIFEST_TYPES, Descriptor, Manifest
from rolldeck.oci.registry import BlobStatus, BlobsUnknownError, Expect, TagMovedError
from rolldeck.oci.source import BlobSource
from rolldeck.oci.transport import HttpTransport
from rolldeck.oci.upload import BlobUpload, Habits
from rolldeck.oci.workers import Workers
from rolldeck.progress import Progress

_TAGS_AT_ONCE = 10
"""Most tags in one request: what a registry must take that takes several."""

_UNKNOWN = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"})
_ANSWER_LIMIT = 64 * 1024


class HttpWriter:
    """Implements ``RegistryWriter``; made by ``HttpRegistry``, which closes what it uses."""

    def __init__(self, host: str, transport: HttpTransport, workers: Workers) -> None:
        self._host = host
        self._transport = transport
        self._workers = workers
        self._habits = Habits()
        self._enforces: bool | None = None

    async def has_blob(self, repository: str, blob: Descriptor) -> bool:
        """Ask whether a repository has a blob."""
        call = self._blob_call(repository, blob)
        return await self._workers.run(lambda interrupt: self._has_blob(call, blob, interrupt))

    async def push_blob(
        self,
        repository: str,
        blob: Descriptor,
        source: BlobSource,
        progress: Progress,
        *,
        mount_from: str | None = None,
        known_missing: bool = False,
    ) -> BlobStatus:
        """Have a blob in a repository."""
        parse_digest(blob.digest, reference=f"{self._host}/{repository}")
        head = self._blob_call(repository, blob)
        reader = source.reader(blob)

        def push(interrupt: Interrupt) -> BlobStatus:
            if not known_missing and self._has_blob(head, blob, interrupt):
                progress.advance(blob.size)
                return "present"
            begin = self._call("POST", repository, "/blobs/uploads/", head.reference)
            mount = None
            if mount_from is not None and mount_from != repository and not known_missing:
                mount = self._mount_call(begin, blob, mount_from)
            upload = BlobUpload(
                self._transport, begin, blob, reader, progress, interrupt, self._habits, mount
            )
            return upload.run()

        return await self._workers.run(push, progress)

    async def find_tag(self, repository: str, tag: str) -> Digest | None:
        """Ask which manifest a tag names."""
        return await self._workers.run(lambda interrupt: self._find_tag(repository, tag, interrupt))

    async def push_manifest(
        self,
        repository: str,
        manifest: Manifest,
        tags: Sequence[str] = (),
        *,
        named_by_index: bool = False,
        expect: Expect | None = None,
    ) -> None:
        """Put a manifest, then its tags; what is expected goes as a condition (RFC 9110 13.1)."""
        if expect is None:
            await self._workers.run(
                lambda interrupt: self._push_manifest(repository, manifest, tags, interrupt)
            )
        else:
            (tag,) = tags
            await self._workers.run(
                lambda interrupt: self._put_expecting(repository, manifest, tag, expect, interrupt)
            )

    async def enforces_expectations(self, repository: str, tag: str, manifest: Manifest) -> bool:
        """Put a manifest under its own tag again, on a false condition and on a true one.

        Only the first is refused where conditions count; a tag that may be written once refuses
        both, and what can be written anywhere takes both.
        """
        if self._enforces is None:
            never = Expect(Digest(f"sha256:{secrets.token_hex(32)}"))
            first = self._manifest_call(repository, manifest, tag, condition=never)
            second = self._manifest_call(
                repository, manifest, tag, condition=Expect(manifest.digest)
            )

            def ask(interrupt: Interrupt) -> bool:
                refused = self._transport.request(
                    replace(first, allow=(412,)), _ANSWER_LIMIT, interrupt
                )
                if refused.status != 412:
                    return False
                taken = self._transport.request(replace(second, allow=()), _ANSWER_LIMIT, interrupt)
                return taken.status in (200, 201)

            try:
                self._enforces = await self._workers.run(ask)
            except (DeniedError, NotFoundError, UnavailableError):
                return False
        return self._enforces

    async def delete_manifest(self, repository: str, digest: Digest) -> None:
        """Delete a manifest and with it all of its tags."""
        await self._workers.run(
            lambda interrupt: self._delete(repository, digest, "a version", interrupt)
        )

    async def delete_tag(self, repository: str, tag: str) -> None:
        """Delete a tag only."""
        await self._workers.run(
            lambda interrupt: self._delete(repository, tag, "a tag alone", interrupt)
        )

    # Calls.

    def _call(
        self,
        method: str,
        repository: str,
        rest: str,
        reference: str,
        headers: Mapping[str, str] | None = None,
        allow: Collection[int] = (),
        actions: str = "pull,push",
    ) -> Call:
        path = repository_path(self._host, repository)
        scope = f"repository:{path.removeprefix('/v2/')}:{actions}"
        return Call(method, path + rest, reference, scope, headers or {}, allow)

    def _blob_call(self, repository: str, blob: Descriptor) -> Call:
        reference = f"{self._host}/{repository}@{blob.digest[:80]}"
        return self._call("HEAD", repository, f"/blobs/{blob.digest}", reference, allow=(404, 405))

    def _mount_call(self, begin: Call, blob: Descriptor, other: str) -> Call:
        there = repository_path(self._host, other).removeprefix("/v2/")
        return replace(
            begin,
            path=f"{begin.path}?mount={blob.digest}&from={quote(there, safe='')}",
            scope=f"{begin.scope} repository:{there}:pull",
        )

    # Blobs.

    def _has_blob(self, call: Call, blob: Descriptor, interrupt: Interrupt) -> bool:
        try:
            answer = self._transport.request(call, 0, interrupt)
        except DeniedError:
            # Some registries forbid this question to who may push; the push itself will tell.
            return False
        return answer.status == 200 and answer.length in (None, blob.size)

    # Manifests and tags.

    def _find_tag(self, repository: str, tag: str, interrupt: Interrupt) -> Digest | None:
        reference = f"{self._host}/{repository}:{tag}"
        name, _ = manifest_name(reference, tag)
        accept = {"Accept": ", ".join(MANIFEST_TYPES)}
        rest = f"/manifests/{name}"
        head = self._call("HEAD", repository, rest, reference, accept, (404, 405), "pull")
        answer = self._transport.request(head, 0, interrupt)
        told = answer.headers.get("Docker-Content-Digest", "")
        if answer.status == 404:
            return None
        self._transport.refuse_web_page(answer.media_type, b"", reference)
        if answer.status == 200 and is_digest(told):
            return Digest(told)
        get = replace(head, method="GET", allow=(404,))
        answer = self._transport.request(get, MANIFEST_LIMIT, interrupt)
        return None if answer.status == 404 else digest_of(answer.body)

    def _push_manifest(
        self, repository: str, manifest: Manifest, tags: Sequence[str], interrupt: Interrupt
    ) -> None:
        rest = list(tags)
        if len(rest) == 1:
            self._put_manifest(repository, manifest, rest.pop(), (), interrupt)
            return
        while True:
            some = rest[:_TAGS_AT_ONCE]
            told = self._put_manifest(repository, manifest, manifest.digest, some, interrupt)
            rest = [tag for tag in rest if tag not in told]
            if not told or not rest:
                break
        for tag in rest:
            self._put_manifest(repository, manifest, tag, (), interrupt)

    def _put_manifest(
        self,
        repository: str,
        manifest: Manifest,
        name: str,
        tags: Sequence[str],
        interrupt: Interrupt,
    ) -> set[str]:
        """Put a manifest under a tag or digest; returns those of ``tags`` that are set as well."""
        call = self._manifest_call(repository, manifest, name, tags)
        answer = self._transport.request(call, _ANSWER_LIMIT, interrupt)
        if answer.status in call.allow:
            raise self._not_taken(answer, call.reference)
        self._require_same(answer, manifest, call.reference)
        named = answer.headers.get("OCI-Tag", "")
        return {tag.strip() for tag in named.split(",")} & set(tags)

    def _put_expecting(
        self,
        repository: str,
        manifest: Manifest,
        tag: str,
        expect: Expect,
        interrupt: Interrupt,
    ) -> None:
        """Put a manifest under a tag that names what is expected.

        A tag that may be written only once is refused in many ways, so after a refusal it is
        looked at.
        """
        call = self._manifest_call(repository, manifest, tag, condition=expect)
        call = replace(call, allow=(*call.allow, 405, 409, 412))
        try:
            answer = self._transport.request(call, _ANSWER_LIMIT, interrupt)
        except DeniedError:
            self._require_expected(repository, tag, expect, interrupt)
            raise
        if answer.status == 412:
            raise TagMovedError(call.reference)
        if answer.status in call.allow:
            self._require_expected(repository, tag, expect, interrupt)
            raise self._not_taken(answer, call.reference)
        self._require_same(answer, manifest, call.reference)

    def _require_expected(
        self, repository: str, tag: str, expect: Expect, interrupt: Interrupt
    ) -> None:
        found = self._find_tag(repository, tag, interrupt)
        expect.require(found, f"{self._host}/{repository}:{tag}")

    def _manifest_call(
        self,
        repository: str,
        manifest: Manifest,
        name: str,
        tags: Sequence[str] = (),
        condition: Expect | None = None,
    ) -> Call:
        reference = f"{self._host}/{repository}{'@' if is_digest(name) else ':'}{name}"
        name, _ = manifest_name(reference, name)
        query = "?" + "&".join(f"tag={quote(tag)}" for tag in tags) if tags else ""
        headers = {"Content-Type": manifest.media_type}
        if condition is not None and condition.digest is None:
            headers["If-None-Match"] = "*"
        elif condition is not None:
            headers["If-Match"] = f'"{condition.digest}"'
        rest = f"/manifests/{name}{query}"
        call = self._call("PUT", repository, rest, reference, headers, allow=(400, 404))
        return replace(call, body=manifest.raw)

    def _require_same(self, answer: Answer, manifest: Manifest, reference: str) -> None:
        """Raise IntegrityError where the registry took something else than what was sent."""
        told = answer.headers.get("Docker-Content-Digest", "")
        same_kind = told.partition(":")[0] == manifest.digest.partition(":")[0]
        if is_digest(told) and same_kind and told != manifest.digest:
            raise IntegrityError(
                f"{reference}: {self._host} took the manifest for {told}",
                reference=reference,
                hint="Something between here and the registry changes what is sent.",
            )

    def _not_taken(self, answer: Answer, reference: str) -> Exception:
        if error_codes(answer.body) & _UNKNOWN:
            return BlobsUnknownError(
                f"{reference}: {self._host} has not all blobs of this version"
                f" ({error_detail(answer.body)})",
                reference=reference,
                hint="The registry said that it had them; tell who runs it.",
                digests=_digests(answer.body),
            )
        failure = status_failure(answer.status, answer.body, self._host, reference, None)
        if isinstance(failure, NotFoundError):
            failure.hint = (
                "Some registries want the repository to be made first, on their own site."
            )
        return failure

    # Removing.

    def _delete(self, repository: str, name: str, what: str, interrupt: Interrupt) -> None:
        reference = f"{self._host}/{repository}{'@' if ':' in name else ':'}{name}"
        name, digest = manifest_name(reference, name)
        call = self._call(
            "DELETE", repository, f"/manifests/{name}", reference, None, (400, 405), "pull,delete"
        )
        answer = self._transport.request(call, _ANSWER_LIMIT, interrupt)
        if answer.status not in call.allow:
            return
        detail = error_detail(answer.body)
        told = f" ({detail})" if detail else ""
        raise RefusedError(
            f"{self._host} cannot delete {what}; nothing was changed{told}",
            reference=reference,
            hint="Deleting is turned off there, or done on its own site."
            if digest
            else "rolldeck rm removes a version with all of its tags; rolldeck tag moves a tag.",
        )


def _digests(body: bytes) -> frozenset[Digest]:
    """Return the digests that the errors of an answer name."""
    found = set()
    try:
        for item in json.loads(body)["errors"]:
            detail = item.get("detail")
            named = (
                detail.get("digest") or detail.get("Digest") if isinstance(detail, dict) else detail
            )
            if isinstance(named, str) and is_digest(named):
                found.add(Digest(named))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return frozenset()
    return frozenset(found)

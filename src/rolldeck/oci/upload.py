"""Putting one blob into a registry (distribution-spec 1.1 "Pushing Blobs").

A POST begins an upload, or mounts what another repository has, and one PUT sends everything. A
registry that refuses so large a body gets PATCHes of a size that it takes. After a cut the registry
is asked how far it is; one that has lost the upload gets it once more from the first byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from rolldeck.errors import DeniedError, IntegrityError, NotFoundError, UnavailableError
from rolldeck.oci.call import Answer, Call
from rolldeck.oci.digest import is_digest
from rolldeck.oci.failures import ERROR_BODY_LIMIT, error_codes, error_detail
from rolldeck.oci.interrupt import Interrupt
from rolldeck.oci.model import Descriptor
from rolldeck.oci.registry import BlobStatus
from rolldeck.oci.retry import TransientFailure
from rolldeck.oci.source import BlobReader
from rolldeck.oci.transport import HttpTransport
from rolldeck.oci.upload_headers import held_bytes, upload_url, whole_number
from rolldeck.progress import Progress

LARGEST_CHUNK = 4 * 1024 * 1024
"""Bytes of a PATCH to a registry that takes no whole blob: GitHub's takes no more."""

_SMALLEST_CHUNK = 256 * 1024
_PROGRESS = 1024 * 1024
"""Bytes after which a broken connection counts as the first failure again."""

_COMMIT_RATE = 10 * 1024 * 1024
"""Bytes per second that a registry may take to check and store what it was sent, at the slowest."""

_FRUITLESS = 8
"""Answers in one try that bring an upload no further, after which the try has failed."""

_BINARY = {"Content-Type": "application/octet-stream"}
_REFUSED = frozenset({400, 404, 405, 413, 416})
"""Statuses that say something of the upload, not of the connection or the login."""

_DAMAGED = frozenset({"DIGEST_INVALID", "SIZE_INVALID"})


@dataclass
class Habits:
    """What one registry was found to need: ``chunk``, the most bytes that it takes at once."""

    chunk: int | None = None


class BlobUpload:
    """The upload of one blob to one repository; blocks, in a worker thread."""

    def __init__(
        self,
        transport: HttpTransport,
        begin: Call,
        blob: Descriptor,
        open_reader: Callable[[], BlobReader],
        progress: Progress,
        interrupt: Interrupt,
        habits: Habits,
        mount: Call | None = None,
    ) -> None:
        """``begin`` is the POST that begins an upload, ``mount`` the one that may make it needless.

        ``habits`` is shared by all uploads to the registry.
        """
        self._transport = transport
        self._begin_call = begin
        self._mount_call = mount
        self._blob = blob
        self._open_reader = open_reader
        self._progress = progress
        self._interrupt = interrupt
        self._habits = habits
        self._attempts = transport.attempts(interrupt, transport.retry.bulk, progress)
        self._reader: BlobReader | None = None
        self._url: str | None = None
        self._offset = 0
        """Bytes that the registry has, as far as it said."""
        self._counted = 0
        self._certain = True
        """Whether nothing was sent since the registry said how far it is."""
        self._least_chunk = 0
        self._lost = False
        self._lost_in_try = 0
        self._refused_digest = False

    def run(self) -> BlobStatus:
        """Upload the blob, verified.

        Raises IntegrityError where the bytes are not the blob, CancelledError, StorageError, and
        the errors of the transport and of where the bytes come from.
        """
        try:
            return self._attempts.run(self._try)
        except IntegrityError:
            self._abandon()
            raise
        finally:
            if self._reader is not None:
                self._reader.close()

    def _try(self) -> BlobStatus:
        self._lost_in_try = 0
        fruitless = 0
        while True:
            if not self._certain:
                self._ask_how_far()
            if self._url is None:
                if self._lost and self._arrived():
                    self._count(self._blob.size)
                    return "pushed"
                if self._begin():
                    self._count(self._blob.size)
                    return "mounted"
            before = self._offset
            if self._send_next():
                return "pushed"
            fruitless = 0 if self._offset > before else fruitless + 1
            if fruitless > _FRUITLESS:
                raise self._failed("takes no more of the upload")

    # The beginning.

    def _begin(self) -> bool:
        """Begin an upload; True where the blob could be mounted instead."""
        answer = self._mount() or self._exchange(self._begin_call)
        if answer.status == 201 and self._mount_call is not None:
            return True
        self._least_chunk = whole_number(answer.headers.get("OCI-Chunk-Min-Length"))
        self._url = None
        self._go_to(answer)
        if self._url is None:
            raise self._failed("began an upload without saying where")
        self._offset, self._certain = 0, True
        self._count(0)
        return False

    def _mount(self) -> Answer | None:
        """Ask for a mount; None where the registry will hear of none."""
        if self._mount_call is None:
            return None
        try:
            answer = self._exchange(self._mount_call)
        except (DeniedError, NotFoundError, UnavailableError):
            # No right to read there, or no such request known: neither says no to a plain upload.
            self._mount_call = None
            return None
        if answer.status != 201:
            self._mount_call = None
        return answer

    def _go_to(self, answer: Answer) -> None:
        """Take the address that an answer names for what follows."""
        location = answer.headers.get("Location")
        if location:
            base = self._url or self._transport.origin.url + self._begin_call.path
            reference = self._begin_call.reference
            self._url = upload_url(self._transport.origin, base, location, reference)

    # The middle and the end.

    def _send_next(self) -> bool:
        """Send the next part; True when the registry has the whole blob."""
        size, chunk = self._blob.size, self._habits.chunk
        if self._offset == 0 and (chunk is None or size <= chunk):
            return self._put(0)
        if self._offset < size:
            self._patch(self._offset, min(size, self._offset + (chunk or size)))
            return False
        return self._put(size)

    def _put(self, start: int) -> bool:
        """Send the rest from ``start`` and end the upload."""
        url = self._url or ""
        url += f"{'&' if '?' in url else '?'}digest={self._blob.digest}"
        answer = self._send("PUT", url, start, self._blob.size)
        if answer.status in _REFUSED:
            self._refused(answer, start, self._blob.size)
            return False
        told = answer.headers.get("Docker-Content-Digest", "")
        same_kind = told.partition(":")[0] == self._blob.digest.partition(":")[0]
        if is_digest(told) and same_kind and told != self._blob.digest:
            raise self._damaged(f"the registry took it for {told}")
        self._count(self._blob.size)
        return True

    def _patch(self, start: int, end: int) -> None:
        answer = self._send("PATCH", self._url or "", start, end)
        if answer.status in _REFUSED:
            self._refused(answer, start, end)
            return
        self._go_to(answer)
        offset = held_bytes(answer.headers.get("Range"), end)
        if offset is None or not start <= offset <= end:
            raise self._failed("says of the upload what cannot be")
        self._offset, self._certain = offset, True
        self._count(offset)

    def _send(self, method: str, url: str, start: int, end: int) -> Answer:
        self._certain = False
        if self._reader is None:
            self._reader = self._open_reader()
        reader = self._reader

        def body() -> Iterable[memoryview]:
            self._count(start)
            for piece in reader.pieces(start, end, self._interrupt.check):
                yield piece
                self._count(self._counted + len(piece))
                self._progress.check()

        headers = {**_BINARY, "Content-Length": str(end - start)}
        if method == "PATCH":
            headers["Content-Range"] = f"{start}-{end - 1}"
        call = replace(
            self._begin_call,
            method=method,
            url=url,
            headers=headers,
            body=body,
            allow=_REFUSED,
            patience=self._transport.patience + self._blob.size / _COMMIT_RATE,
        )
        return self._exchange(call)

    def _refused(self, answer: Answer, start: int, end: int) -> None:
        """Decide what to do after a part was not taken."""
        if answer.status == 404:
            self._lose(error_detail(answer.body) or "unknown upload")
        elif answer.status == 400 and error_codes(answer.body) & _DAMAGED:
            if self._reader is not None:
                self._reader.verify(self._interrupt.check)
            if self._refused_digest:
                raise self._damaged(error_detail(answer.body))
            self._refused_digest = True
            self._lose(error_detail(answer.body))
        elif answer.status in (413, 416) and end - start > _SMALLEST_CHUNK:
            self._habits.chunk = self._smaller(end - start)
        elif answer.status == 416:
            self._lose(error_detail(answer.body) or "other bytes were expected")
        else:
            raise self._failed(f"refused it with {answer.status}", error_detail(answer.body))

    def _smaller(self, sent: int) -> int:
        """Return the size of parts to go on with after one of ``sent`` bytes was too large."""
        chunk = LARGEST_CHUNK
        while chunk >= sent and chunk > _SMALLEST_CHUNK:
            chunk //= 2
        return max(self._least_chunk, min(chunk, self._habits.chunk or chunk))

    # After a failure.

    def _ask_how_far(self) -> None:
        """Ask the registry how much it has; an upload that it lost begins again."""
        assert self._url is not None
        call = replace(self._begin_call, method="GET", url=self._url, allow=_REFUSED)
        answer = self._exchange(call)
        offset = held_bytes(answer.headers.get("Range"), None)
        if answer.status in _REFUSED or offset is None or offset > self._blob.size:
            self._lose(error_detail(answer.body) or "it does not say how far the upload is")
            return
        if offset - self._offset >= _PROGRESS:
            self._attempts.progressed()
        self._go_to(answer)
        self._offset, self._certain = offset, True
        self._count(offset)

    def _lose(self, why: str) -> None:
        """Begin again at the next step; a second time within one try is a failed try."""
        self._url, self._offset, self._certain = None, 0, True
        self._mount_call = None
        self._lost = True
        self._lost_in_try += 1
        if self._lost_in_try > 1:
            raise TransientFailure(self._failed("lost the upload", why))

    def _arrived(self) -> bool:
        """Whether a lost upload was lost because it had ended: only its last answer was cut."""
        path = self._begin_call.path.removesuffix("uploads/") + self._blob.digest
        call = replace(self._begin_call, method="HEAD", path=path, allow=(*_REFUSED, 401, 403))
        return self._exchange(call).status == 200

    def _abandon(self) -> None:
        """Tell the registry that nothing more comes; it may forget what it has."""
        if self._url is None:
            return
        call = replace(self._begin_call, method="DELETE", url=self._url, allow=_REFUSED)
        try:
            self._exchange(call)
        except (DeniedError, NotFoundError, UnavailableError, TransientFailure):
            return

    def _exchange(self, call: Call) -> Answer:
        with self._transport.exchange(call, self._interrupt) as reply:
            body = b"" if call.method == "HEAD" else reply.read_start(ERROR_BODY_LIMIT)
            return Answer(reply.status, reply.headers, body, reply.media_type, reply.length)

    def _count(self, position: int) -> None:
        self._progress.advance(position - self._counted)
        self._counted = position

    def _failed(self, what: str, why: str = "") -> UnavailableError:
        reference = self._begin_call.reference
        told = f" ({why})" if why else ""
        return UnavailableError(
            f"{reference}: {self._transport.origin.authority} {what}{told}",
            reference=reference,
            hint="What was pushed so far stays: run the same command again.",
        )

    def _damaged(self, why: str) -> IntegrityError:
        reference = self._begin_call.reference
        return IntegrityError(
            f"{reference}: {self._blob.digest} arrives damaged at"
            f" {self._transport.origin.authority}: {why}",
            reference=reference,
            hint="Something between here and the registry changes what is sent.",
        )

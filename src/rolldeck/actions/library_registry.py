"""The library as a registry: what is not in it as a blob, an unpacked release may stand in for."""

from __future__ import annotations

from io import BufferedReader, RawIOBase

from rolldeck.errors import IntegrityError, NotFoundError
from rolldeck.oci import Descriptor, Digest, LayoutRegistry, Sink
from rolldeck.progress import Progress


class LibraryRegistry(LayoutRegistry):
    """Reads the library; a blob that a release stands in for is rebuilt while it is read."""

    def open_blob(self, digest: Digest) -> RawIOBase:
        """Open a blob for reading; raises NotFoundError, and IntegrityError for a changed release.

        A rebuilt blob is what was asked for only if its bytes have the digest.
        """
        try:
            return super().open_blob(digest)
        except NotFoundError:
            # Imported here: few reads need it.
            from rolldeck.release.stand_in import open_stand_in

            return open_stand_in(digest)

    def read_part(self, blob: Descriptor, start: int, size: int) -> bytes:
        """Read a part of a blob; not verified. Blocks; meant for a thread."""
        if self.blob_path(blob.digest).exists():
            return super().read_part(blob, start, size)
        from rolldeck.release.stand_in import open_stand_in

        rebuilt = open_stand_in(blob.digest)
        with BufferedReader(rebuilt) as reader:
            rebuilt.skip(start)
            found = reader.read(size)
        if len(found) != size:
            raise IntegrityError(f"{blob.digest} is cut short", reference=blob.digest)
        return found

    def copy(self, blob: Descriptor, sink: Sink, progress: Progress) -> None:
        """Copy a blob into a sink, verified. Blocks; meant for a thread."""
        try:
            super().copy(blob, sink, progress)
        except IntegrityError as error:
            if self.blob_path(blob.digest).exists():
                raise
            raise IntegrityError(
                f"{blob.digest} cannot be rebuilt from the release that holds it: {error.message}",
                reference=blob.digest,
                hint="Pull the version again from where it came.",
            ) from None

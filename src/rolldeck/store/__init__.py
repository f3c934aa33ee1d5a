"""Blobs and names on this disk; what a tag means is for the rooms above."""

from rolldeck.store.library import BlobSink, BlobWriter, Library

__all__ = ["BlobSink", "BlobWriter", "Library"]

"""Blobs and names on this disk; what a tag means is for the rooms above."""

from rolldeck.store.journal import Journal
from rolldeck.store.library import BlobWriter, Library
from rolldeck.store.partial import Partial

__all__ = ["BlobWriter", "Journal", "Library", "Partial"]

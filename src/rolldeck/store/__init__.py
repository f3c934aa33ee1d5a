"""Blobs and names on this disk; what a tag means is for the rooms above."""

from rolldeck.store.cache import Cache, Seen
from rolldeck.store.journal import Journal
from rolldeck.store.layout_store import LayoutStore
from rolldeck.store.library import Library
from rolldeck.store.new_blob import BlobWriter
from rolldeck.store.partial import Partial

__all__ = ["BlobWriter", "Cache", "Journal", "LayoutStore", "Library", "Partial", "Seen"]

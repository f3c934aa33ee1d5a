"""Questions that need an answer, one per file."""

"""A text difference as pages of lines: equal runs folded, both sides beside or below each other."""

"""Servers that tests talk to: a real registry, and one that misbehaves as it is told."""

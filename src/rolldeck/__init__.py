"""rolldeck: find what changed between two model versions, and put the good one back."""

__version__ = "0.1.0"

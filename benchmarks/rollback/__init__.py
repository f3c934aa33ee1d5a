"""Pull with unpack, and switching, raced against kit; ``python -m benchmarks.unpack``."""

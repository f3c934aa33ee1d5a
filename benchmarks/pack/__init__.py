"""Push, raced against every other client that is installed; ``python -m benchmarks.pack``."""

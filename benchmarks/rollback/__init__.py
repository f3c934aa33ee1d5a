"""A whole rollback raced against kit; ``python -m benchmarks.rollback``."""

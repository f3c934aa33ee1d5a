"""What CUDA needs of a driver and a GPU, as NVIDIA documents it for Linux (as of November 2026).

The branch of a driver (525) that a major version needs, the drivers of toolkits before 11, and the
oldest GPUs of a toolkit are what NVIDIA's compatibility guide and release notes say. The rest,
which driver came with which toolkit and which toolkit was the first to know a GPU, decides warnings
alone.
"""

from __future__ import annotations

_MAJOR_MINIMUM = {11: (450, 80, 2), 12: (525, 60, 13), 13: (580,)}
"""Oldest driver for any toolkit of a major version: minor version compatibility."""

_MINIMUM = {
    (9, 0): (384, 81), (9, 1): (390, 46), (9, 2): (396, 26),
    (10, 0): (410, 48), (10, 1): (418, 39), (10, 2): (440, 33),
    (11, 0): (450, 36, 6), (11, 1): (455, 23), (11, 2): (460, 27, 3), (11, 3): (465, 19, 1),
    (11, 4): (470, 42, 1), (11, 5): (495, 29, 5), (11, 6): (510, 39, 1), (11, 7): (515, 43, 4),
    (11, 8): (520, 61, 5),
    (12, 0): (525, 60, 13), (12, 1): (530, 30, 2), (12, 2): (535, 54, 3), (12, 3): (545, 23, 6),
    (12, 4): (550, 54, 14), (12, 5): (555, 42, 2), (12, 6): (560, 28, 3), (12, 8): (570, 26),
    (12, 9): (575, 51, 3),
    (13, 0): (580, 65, 6),
}  # fmt: skip
"""Driver that came with a toolkit: from here on all of its features are there."""

_OLDEST_CAPABILITY = {10: (3, 0), 11: (3, 5), 12: (5, 0), 13: (7, 5)}
"""Oldest compute capability that a toolkit builds for."""

_FIRST_CUDA = {
    (7, 0): (9, 0), (7, 5): (10, 0), (8, 0): (11, 0), (8, 6): (11, 1), (8, 9): (11, 8),
    (9, 0): (11, 8), (10, 0): (12, 8), (10, 3): (12, 9), (12, 0): (12, 8), (12, 1): (12, 9),
}  # fmt: skip
"""First toolkit that knows a compute capability."""


def oldest_driver(cuda: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the oldest driver that runs a toolkit at all; None where that is not known."""
    major = cuda[0] if cuda else 0
    return _MAJOR_MINIMUM.get(major) or _MINIMUM.get((cuda[0], cuda[1]) if cuda[1:] else (0, 0))


def surely_too_old(cuda: tuple[int, ...], driver: tuple[int, ...]) -> bool:
    """Whether a driver runs nothing of a toolkit: of another branch than the oldest, for CUDA 11
    and later, where NVIDIA names branches alone; older than that one before."""
    oldest = oldest_driver(cuda)
    if oldest is None:
        return False
    return driver[:1] < oldest[:1] if cuda[0] in _MAJOR_MINIMUM else driver < oldest


def full_driver(cuda: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the oldest driver with all features of a toolkit; None where that is not known."""
    return _MINIMUM.get((cuda[0], cuda[1])) if len(cuda) > 1 else None


def oldest_capability(cuda: tuple[int, ...]) -> tuple[int, int] | None:
    """Return the oldest compute capability that a toolkit supports; None where not known."""
    return _OLDEST_CAPABILITY.get(cuda[0]) if cuda else None


def first_cuda(capability: tuple[int, ...]) -> tuple[int, int] | None:
    """Return the first toolkit that builds for a compute capability; None where not known."""
    return _FIRST_CUDA.get((capability[0], capability[1])) if len(capability) > 1 else None

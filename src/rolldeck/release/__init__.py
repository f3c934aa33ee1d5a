"""Local targets, their generations, and the plans that move them."""

from rolldeck.release.generation import Generation, MoveVerb, trail
from rolldeck.release.known import KnownTarget, known_paths, read_known, remember
from rolldeck.release.needs import needs
from rolldeck.release.plan import Check, Plan
from rolldeck.release.target import Release, Target

__all__ = [
    "Check",
    "Generation",
    "KnownTarget",
    "MoveVerb",
    "Plan",
    "Release",
    "Target",
    "known_paths",
    "needs",
    "read_known",
    "remember",
    "trail",
]

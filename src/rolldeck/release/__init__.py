"""Local targets, their generations, and the plans that move them.

Imported when it is first asked for: which targets there are can be told without these rooms.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rolldeck.release.generation import Generation, MoveVerb, trail
    from rolldeck.release.known import KnownTarget, known_paths, read_known, remember
    from rolldeck.release.plan import Check, Plan
    from rolldeck.release.target import Release, Target

_MODULES = {
    "Check": "plan",
    "Generation": "generation",
    "KnownTarget": "known",
    "MoveVerb": "generation",
    "Plan": "plan",
    "Release": "target",
    "Target": "target",
    "known_paths": "known",
    "read_known": "known",
    "remember": "known",
    "trail": "generation",
}
"""Names by the module that has them; none may be called like a module of this package."""


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"rolldeck.release.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Check",
    "Generation",
    "KnownTarget",
    "MoveVerb",
    "Plan",
    "Release",
    "Target",
    "known_paths",
    "read_known",
    "remember",
    "trail",
]

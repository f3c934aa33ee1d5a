"""Token scopes (distribution "Token Scope Documentation"): ``repository:acme/fraud:pull,push``.

Several scopes stand in one text with spaces between, as for a blob that is mounted from another
repository.
"""

from __future__ import annotations


def _parse(text: str) -> dict[str, set[str]]:
    """Return the actions of each resource (``type:name``)."""
    resources: dict[str, set[str]] = {}
    for scope in text.split():
        resource, _, actions = scope.rpartition(":")
        resources.setdefault(resource, set()).update(filter(None, actions.split(",")))
    return resources


def merge_scopes(*texts: str) -> str:
    """Return one text that asks for everything that the given ones ask for, always spelt alike."""
    merged: dict[str, set[str]] = {}
    for text in texts:
        for resource, actions in _parse(text).items():
            merged.setdefault(resource, set()).update(actions)
    return " ".join(f"{name}:{','.join(sorted(merged[name]))}" for name in sorted(merged))


def covers(wider: str, narrower: str) -> bool:
    """Whether all that ``narrower`` asks for is in ``wider``."""
    granted = _parse(wider)
    return all(
        actions <= granted.get(resource, set()) for resource, actions in _parse(narrower).items()
    )


def repository_of(text: str) -> str:
    """Return the repository that the first scope is about; empty where it is about none."""
    kind, _, rest = text.partition(" ")[0].partition(":")
    return rest.rpartition(":")[0] if kind == "repository" else ""


def actions_of(text: str) -> str:
    """Return what the first scope asks for, for a message: ``pull,push``."""
    return text.partition(" ")[0].rpartition(":")[2]

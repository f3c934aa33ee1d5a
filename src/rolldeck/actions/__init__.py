"""One file per verb: an async function from a typed request to a typed result.

Both front ends call these and nothing below them. What compares, unpacks or moves is imported when
it is first asked for: a pull must not wait for rooms that it never enters.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rolldeck.actions.diff import DiffResult, diff
from rolldeck.actions.pull import Pulled, PulledBlob, pull
from rolldeck.actions.unpack import Unpacked, pull_unpacked, unpack
from rolldeck.actions.verify import Problem, Verified, is_target, verify
from rolldeck.actions.workspace import Workspace

if TYPE_CHECKING:
    from rolldeck.actions.demo import DEMO_REPOSITORY, Demo, make_demo, stage_demo
    from rolldeck.actions.move import Moved, apply
    from rolldeck.actions.plan import plan_pin, plan_rollback, plan_undo
    from rolldeck.actions.repositories import (
        RepositoryList,
        RepositoryRow,
        list_repositories,
        watch_repositories,
    )
    from rolldeck.actions.show import load_version
    from rolldeck.actions.targets import TargetState, known_targets
    from rolldeck.actions.versions import VersionList, VersionRow, list_versions, watch_versions
    from rolldeck.release import Check, Plan

_LATER = {
    "rolldeck.actions.demo": ("DEMO_REPOSITORY", "Demo", "make_demo", "stage_demo"),
    "rolldeck.actions.move": ("Moved", "apply"),
    "rolldeck.actions.plan": ("plan_pin", "plan_rollback", "plan_undo"),
    "rolldeck.actions.repositories": (
        "RepositoryList",
        "RepositoryRow",
        "list_repositories",
        "watch_repositories",
    ),
    "rolldeck.actions.show": ("load_version",),
    "rolldeck.actions.targets": ("TargetState", "known_targets"),
    "rolldeck.actions.versions": ("VersionList", "VersionRow", "list_versions", "watch_versions"),
    "rolldeck.release": ("Check", "Plan"),
}
"""Names by the module that has them; none may be called like a module of this package."""


def __getattr__(name: str) -> Any:
    for module, names in _LATER.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "DEMO_REPOSITORY",
    "Check",
    "Demo",
    "DiffResult",
    "Moved",
    "Plan",
    "Problem",
    "Pulled",
    "PulledBlob",
    "RepositoryList",
    "RepositoryRow",
    "TargetState",
    "Unpacked",
    "Verified",
    "VersionList",
    "VersionRow",
    "Workspace",
    "apply",
    "diff",
    "is_target",
    "known_targets",
    "list_repositories",
    "list_versions",
    "load_version",
    "make_demo",
    "plan_pin",
    "plan_rollback",
    "plan_undo",
    "pull",
    "pull_unpacked",
    "stage_demo",
    "unpack",
    "verify",
    "watch_repositories",
    "watch_versions",
]

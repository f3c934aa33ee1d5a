"""One file per verb: an async function from a typed request to a typed result.

Both front ends call these and nothing below them.
"""

from rolldeck.actions.demo import DEMO_REPOSITORY, Demo, make_demo, stage_demo
from rolldeck.actions.diff import DiffResult, diff
from rolldeck.actions.move import Moved, apply
from rolldeck.actions.plan import plan_pin, plan_rollback, plan_undo
from rolldeck.actions.pull import Pulled, PulledBlob, pull
from rolldeck.actions.repositories import RepositoryList, RepositoryRow, list_repositories
from rolldeck.actions.show import load_version
from rolldeck.actions.targets import TargetState, known_targets
from rolldeck.actions.unpack import Unpacked, unpack
from rolldeck.actions.verify import Problem, Verified, is_target, verify
from rolldeck.actions.versions import VersionList, VersionRow, list_versions, watch_versions
from rolldeck.actions.workspace import Workspace
from rolldeck.release import Check, Plan

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
    "stage_demo",
    "unpack",
    "verify",
    "watch_versions",
]

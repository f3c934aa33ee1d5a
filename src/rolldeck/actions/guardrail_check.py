"""What the policy of the settings demands of a version that is promoted, as checks of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rolldeck.actions.workspace import Workspace
from rolldeck.release import Check

if TYPE_CHECKING:
    from rolldeck.compare import Comparison

_NAME = "guardrails"
_OK = {"passed": True, "failed": False, "unknown": None}


async def guardrail_checks(workspace: Workspace, comparison: Comparison) -> tuple[Check, ...]:
    """Hold the version against the policy: one check for each demand that it does not meet.

    Nothing where the settings name no policy. Raises as ``read_policy``.
    """
    if workspace.settings.policy is None:
        return ()
    # Imported here: most have no policy.
    from rolldeck.actions.policy import chosen_policy
    from rolldeck.compare import judge

    policy = await chosen_policy(workspace)
    assert policy is not None
    results = judge(policy, comparison)
    unmet = [item for item in results if item.outcome != "passed"]
    checks = [Check(_NAME, _OK[item.outcome], item.detail) for item in unmet]
    passed = len(results) - len(unmet)
    if passed:
        checks.append(Check(_NAME, True, f"{passed} of {len(results)} demands are met"))
    return tuple(checks)

"""The actor: the name that a move declares. Nobody proves it; the registry's rights decide."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping

from rolldeck.settings import Settings
from rolldeck.text import clean_line

_CI = (
    ("GITHUB_ACTIONS", "github", ("GITHUB_REPOSITORY", "GITHUB_WORKFLOW")),
    ("GITLAB_CI", "gitlab", ("CI_PROJECT_PATH", "CI_JOB_NAME")),
    ("BUILDKITE", "buildkite", ("BUILDKITE_PIPELINE_SLUG",)),
    ("CIRCLECI", "circleci", ("CIRCLE_PROJECT_REPONAME", "CIRCLE_JOB")),
    ("JENKINS_URL", "jenkins", ("JOB_NAME",)),
    ("CI", "ci", ()),
)
"""Per CI system: the variable that it sets, its name, and those that name a job, not its run."""

_LIMIT = 100


def actor_name(settings: Settings, environment: Mapping[str, str] = os.environ) -> str:
    """Return who moves: as the settings say, else the CI job, else user@host."""
    return clean_line(settings.actor or _job(environment) or _person(), _LIMIT)


def _job(environment: Mapping[str, str]) -> str | None:
    for variable, system, names in _CI:
        if environment.get(variable) and (names or environment[variable].lower() == "true"):
            parts = [environment[name] for name in names if environment.get(name)]
            return f"{system}:{'/'.join(parts)}" if parts else f"{system}@{_host()}"
    return None


def _person() -> str:
    try:
        return f"{getpass.getuser()}@{_host()}"
    except (KeyError, OSError):
        return f"unknown@{_host()}"


def _host() -> str:
    return socket.gethostname().partition(".")[0] or "unknown"

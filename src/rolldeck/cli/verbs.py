"""Which module and coroutine runs each verb; nothing of them is imported before it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from rolldeck.actions import Workspace
    from rolldeck.progress import Progress

Verb = Callable[["Workspace", "argparse.Namespace", "Progress"], Coroutine[None, None, int]]

VERBS = {
    "ls": ("browse", "run_ls"),
    "files": ("files", "run_files"),
    "cat": ("files", "run_cat"),
    "show": ("browse", "run_show"),
    "diff": ("compare", "run_diff"),
    "table": ("matrix", "run_table"),
    "plot": ("chart", "run_plot"),
    "env": ("environment", "run_env"),
    "bump": ("bump", "run_bump"),
    "pull": ("transfer", "run_pull"),
    "unpack": ("unpacking", "run_unpack"),
    "init": ("authoring", "run_init"),
    "check": ("authoring", "run_check"),
    "pack": ("packing", "run_pack"),
    "verify": ("upkeep", "run_verify"),
    "gc": ("upkeep", "run_gc"),
    "du": ("usage", "run_du"),
    "login": ("login", "run_login"),
    "logout": ("login", "run_logout"),
    "push": ("publish", "run_push"),
    "copy": ("publish", "run_copy"),
    "tag": ("publish", "run_tag"),
    "rm": ("removal", "run_rm"),
    "untag": ("removal", "run_untag"),
    "pin": ("moves", "run_pin"),
    "rollback": ("moves", "run_rollback"),
    "undo": ("moves", "run_undo"),
    "follow": ("follow", "run_follow"),
    "status": ("status", "run_status"),
    "prune": ("prune", "run_prune"),
    "promote": ("channel_moves", "run_promote"),
    "adopt": ("channel_moves", "run_adopt"),
    "restore": ("channel_moves", "run_restore"),
    "hold": ("marks", "run_hold"),
    "unhold": ("marks", "run_unhold"),
    "verdict": ("marks", "run_verdict"),
    "triage": ("triage", "run_triage"),
    "channels": ("channels", "run_channels"),
    "log": ("channels", "run_log"),
    "at": ("channels", "run_at"),
    "audit": ("audit", "run_audit"),
    "publish": ("outbox", "run_publish"),
    "doctor": ("doctor", "run_doctor"),
    "completion": ("shells", "run_completion"),
    "demo": ("demo", "run_demo"),
}
"""Where each verb is: its module in this package, and the coroutine there; ``ls --files``, too."""


ABOUT_CHANNELS = frozenset(
    {
        *("channels", "log", "at", "audit", "status", "promote", "rollback", "undo", "adopt"),
        *("restore", "hold", "unhold", "follow", "triage"),
    }
)
"""Verbs that reach channels, and so publish first what waits for them."""


def load_verb(name: str) -> Verb:
    """Return what runs a verb, importing only that."""
    module, function = VERBS[name]
    verb: Verb = getattr(import_module(f"rolldeck.cli.{module}"), function)
    return verb

"""One file per verb: an async function from a typed request to a typed result.

Both front ends call these and nothing below them. What compares, unpacks or moves is imported when
it is first asked for: a pull must not wait for rooms that it never enters.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rolldeck.actions.workspace import Workspace

if TYPE_CHECKING:
    from rolldeck.actions.bump import propose_bump
    from rolldeck.actions.channel import load_channels
    from rolldeck.actions.channel_apply import ChannelMoved, apply_channel
    from rolldeck.actions.channel_rollback import NoGoodVersionError, plan_channel_rollback
    from rolldeck.actions.channel_undo import plan_channel_undo
    from rolldeck.actions.check import Checked, check_kit
    from rolldeck.actions.copy import plan_copy
    from rolldeck.actions.delivery import Delivered, Delivery, deliver, missing_blobs
    from rolldeck.actions.demo import DEMO_REPOSITORY, Demo, make_demo, stage_demo
    from rolldeck.actions.demo_channel import stage_channel
    from rolldeck.actions.diffing import DiffResult, diff
    from rolldeck.actions.directions import remember_direction
    from rolldeck.actions.doctor import Diagnosis, Finding, diagnose
    from rolldeck.actions.env_check import fit, host_here
    from rolldeck.actions.export import write_export
    from rolldeck.actions.file_view import FileView
    from rolldeck.actions.files import (
        CopiedFile,
        VersionFiles,
        copy_out,
        find_and_look,
        list_files,
        list_layer_files,
        look_at_file,
    )
    from rolldeck.actions.followers_here import bring_along
    from rolldeck.actions.freeing import Way, ways_to_free
    from rolldeck.actions.gc import (
        Garbage,
        Kept,
        Survey,
        collect_garbage,
        remove_spares,
        survey_garbage,
    )
    from rolldeck.actions.headline import headline_name, headlines, remember_headline
    from rolldeck.actions.init import Initialized, initialize
    from rolldeck.actions.library_check import Problem
    from rolldeck.actions.login import LoggedIn, LoggedOut, log_in, log_out, trust_token_host
    from rolldeck.actions.mark import Marking, plan_hold, plan_unhold, plan_verdict, write_mark
    from rolldeck.actions.matrix import MatrixResult, load_entries, load_matrix
    from rolldeck.actions.move import Moved, apply
    from rolldeck.actions.pack import Packed, Packing, created_of_environment, pack_kit, plan_pack
    from rolldeck.actions.pack_push import plan_packed_push, push_packed
    from rolldeck.actions.plan import plan_pin, plan_rollback, plan_undo
    from rolldeck.actions.policy import chosen_policy, read_policy
    from rolldeck.actions.promote import plan_promote
    from rolldeck.actions.pulling import Pulled, PulledBlob, PullPlan, plan_pull, pull
    from rolldeck.actions.push import plan_push
    from rolldeck.actions.rehearse import Rehearsed, rehearse_rollback
    from rolldeck.actions.removal import Removal, plan_rm, plan_untag, remove
    from rolldeck.actions.repositories import (
        RepositoryList,
        RepositoryRow,
        list_repositories,
        watch_repositories,
    )
    from rolldeck.actions.requested_file import with_file
    from rolldeck.actions.restore import plan_adopt, plan_restore
    from rolldeck.actions.show import load_facts, load_version
    from rolldeck.actions.tag import plan_tag
    from rolldeck.actions.targets import TargetState, is_target, known_targets
    from rolldeck.actions.triage import watch_triage
    from rolldeck.actions.triage_view import Triage, TriageRow
    from rolldeck.actions.unpack_plan import UnpackPlan, plan_unpack, standing_so
    from rolldeck.actions.unpacking import Unpacked, pull_unpacked, unpack, unpack_planned
    from rolldeck.actions.usage import DiskUse, Leftover, ReleaseUse, StorageUse, disk_use
    from rolldeck.actions.verifying import Verified, verify, verify_all
    from rolldeck.actions.versions import (
        InView,
        VersionList,
        VersionRow,
        list_versions,
        watch_versions,
    )
    from rolldeck.release import Check, Plan

_LATER = {
    "rolldeck.actions.diffing": ("DiffResult", "diff"),
    "rolldeck.actions.library_check": ("Problem",),
    "rolldeck.actions.pulling": ("PullPlan", "Pulled", "PulledBlob", "plan_pull", "pull"),
    "rolldeck.actions.unpacking": ("Unpacked", "pull_unpacked", "unpack", "unpack_planned"),
    "rolldeck.actions.verifying": ("Verified", "verify", "verify_all"),
    "rolldeck.actions.followers_here": ("bring_along",),
    "rolldeck.actions.bump": ("propose_bump",),
    "rolldeck.actions.channel": ("load_channels",),
    "rolldeck.actions.channel_apply": (
        "ChannelMoved",
        "apply_channel",
    ),
    "rolldeck.actions.channel_rollback": (
        "NoGoodVersionError",
        "plan_channel_rollback",
    ),
    "rolldeck.actions.channel_undo": ("plan_channel_undo",),
    "rolldeck.actions.mark": (
        "Marking",
        "plan_hold",
        "plan_unhold",
        "plan_verdict",
        "write_mark",
    ),
    "rolldeck.actions.promote": ("plan_promote",),
    "rolldeck.actions.rehearse": ("Rehearsed", "rehearse_rollback"),
    "rolldeck.actions.restore": (
        "plan_adopt",
        "plan_restore",
    ),
    "rolldeck.actions.check": ("Checked", "check_kit"),
    "rolldeck.actions.copy": ("plan_copy",),
    "rolldeck.actions.delivery": ("Delivered", "Delivery", "deliver", "missing_blobs"),
    "rolldeck.actions.demo": ("DEMO_REPOSITORY", "Demo", "make_demo", "stage_demo"),
    "rolldeck.actions.freeing": ("Way", "ways_to_free"),
    "rolldeck.actions.export": ("write_export",),
    "rolldeck.actions.directions": ("remember_direction",),
    "rolldeck.actions.demo_channel": ("stage_channel",),
    "rolldeck.actions.triage": ("watch_triage",),
    "rolldeck.actions.triage_view": ("Triage", "TriageRow"),
    "rolldeck.actions.policy": ("chosen_policy", "read_policy"),
    "rolldeck.actions.gc": (
        "Garbage",
        "Kept",
        "Survey",
        "collect_garbage",
        "remove_spares",
        "survey_garbage",
    ),
    "rolldeck.actions.login": ("LoggedIn", "LoggedOut", "log_in", "log_out", "trust_token_host"),
    "rolldeck.actions.doctor": ("Diagnosis", "Finding", "diagnose"),
    "rolldeck.actions.env_check": ("fit", "host_here"),
    "rolldeck.actions.file_view": ("FileView",),
    "rolldeck.actions.files": (
        "CopiedFile",
        "VersionFiles",
        "copy_out",
        "find_and_look",
        "list_files",
        "list_layer_files",
        "look_at_file",
    ),
    "rolldeck.actions.headline": ("headline_name", "headlines", "remember_headline"),
    "rolldeck.actions.init": ("Initialized", "initialize"),
    "rolldeck.actions.matrix": ("MatrixResult", "load_entries", "load_matrix"),
    "rolldeck.actions.move": ("Moved", "apply"),
    "rolldeck.actions.plan": ("plan_pin", "plan_rollback", "plan_undo"),
    "rolldeck.actions.pack": (
        "Packed",
        "Packing",
        "created_of_environment",
        "pack_kit",
        "plan_pack",
    ),
    "rolldeck.actions.pack_push": ("plan_packed_push", "push_packed"),
    "rolldeck.actions.push": ("plan_push",),
    "rolldeck.actions.removal": ("Removal", "plan_rm", "plan_untag", "remove"),
    "rolldeck.actions.repositories": (
        "RepositoryList",
        "RepositoryRow",
        "list_repositories",
        "watch_repositories",
    ),
    "rolldeck.actions.requested_file": ("with_file",),
    "rolldeck.actions.show": ("load_facts", "load_version"),
    "rolldeck.actions.tag": ("plan_tag",),
    "rolldeck.actions.targets": ("is_target", "TargetState", "known_targets"),
    "rolldeck.actions.unpack_plan": ("UnpackPlan", "plan_unpack", "standing_so"),
    "rolldeck.actions.usage": (
        "DiskUse",
        "Leftover",
        "ReleaseUse",
        "StorageUse",
        "disk_use",
    ),
    "rolldeck.actions.versions": (
        "InView",
        "VersionList",
        "VersionRow",
        "list_versions",
        "watch_versions",
    ),
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
    "ChannelMoved",
    "Check",
    "Checked",
    "CopiedFile",
    "Delivered",
    "Delivery",
    "Demo",
    "Diagnosis",
    "DiffResult",
    "DiskUse",
    "FileView",
    "Finding",
    "Garbage",
    "InView",
    "Initialized",
    "Kept",
    "Leftover",
    "LoggedIn",
    "LoggedOut",
    "Marking",
    "MatrixResult",
    "Moved",
    "NoGoodVersionError",
    "Packed",
    "Packing",
    "Plan",
    "Problem",
    "PullPlan",
    "Pulled",
    "PulledBlob",
    "Rehearsed",
    "ReleaseUse",
    "Removal",
    "RepositoryList",
    "RepositoryRow",
    "StorageUse",
    "Survey",
    "TargetState",
    "Triage",
    "TriageRow",
    "UnpackPlan",
    "Unpacked",
    "Verified",
    "VersionFiles",
    "VersionList",
    "VersionRow",
    "Way",
    "Workspace",
    "apply",
    "apply_channel",
    "bring_along",
    "check_kit",
    "chosen_policy",
    "collect_garbage",
    "copy_out",
    "created_of_environment",
    "deliver",
    "diagnose",
    "diff",
    "disk_use",
    "find_and_look",
    "fit",
    "headline_name",
    "headlines",
    "host_here",
    "initialize",
    "is_target",
    "known_targets",
    "list_files",
    "list_layer_files",
    "list_repositories",
    "list_versions",
    "load_channels",
    "load_entries",
    "load_facts",
    "load_matrix",
    "load_version",
    "log_in",
    "log_out",
    "look_at_file",
    "make_demo",
    "missing_blobs",
    "pack_kit",
    "plan_adopt",
    "plan_channel_rollback",
    "plan_channel_undo",
    "plan_copy",
    "plan_hold",
    "plan_pack",
    "plan_packed_push",
    "plan_pin",
    "plan_promote",
    "plan_pull",
    "plan_push",
    "plan_restore",
    "plan_rm",
    "plan_rollback",
    "plan_tag",
    "plan_undo",
    "plan_unhold",
    "plan_unpack",
    "plan_untag",
    "plan_verdict",
    "propose_bump",
    "pull",
    "pull_unpacked",
    "push_packed",
    "read_policy",
    "rehearse_rollback",
    "remember_direction",
    "remember_headline",
    "remove",
    "remove_spares",
    "stage_channel",
    "stage_demo",
    "standing_so",
    "survey_garbage",
    "trust_token_host",
    "unpack",
    "unpack_planned",
    "verify",
    "verify_all",
    "watch_repositories",
    "watch_triage",
    "watch_versions",
    "ways_to_free",
    "with_file",
    "write_export",
    "write_mark",
]

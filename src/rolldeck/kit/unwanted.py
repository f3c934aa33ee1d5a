"""Names that do not belong into a kit: secrets, version control, environments, caches, litter.

``rolldeck init`` leaves them out, ``rolldeck check`` warns where an element would pack them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unwanted:
    """Why a name does not belong into a kit.

    A ``heavy`` directory is worth a warning where it is packed, and so is ``litter``: what nobody
    put there on purpose.
    """

    why: str
    is_secret: bool = False
    is_heavy: bool = False
    is_litter: bool = False


SYSTEM = Unwanted("left there by an operating system; it is no part of a kit", is_litter=True)
SYSTEM_NAMES = frozenset(
    {
        ".ds_store",
        ".appledouble",
        ".lsoverride",
        ".spotlight-v100",
        ".trashes",
        "thumbs.db",
        "desktop.ini",
        "$recycle.bin",
        "ehthumbs.db",
    }
)
"""What desktops leave in directories, in lower case; kit since mid-2026 packs none of it."""

_ENVIRONMENT = Unwanted(
    "a virtual environment; requirements say how to make it again", is_heavy=True
)
_CACHE = Unwanted("a cache", is_heavy=True)
_TRACKING = "records of an experiment tracker"

_DIRECTORIES: dict[str, Unwanted] = {
    **dict.fromkeys((".git", ".hg", ".svn", ".bzr"), Unwanted("version control", is_heavy=True)),
    **dict.fromkeys((".venv", "venv", ".conda"), _ENVIRONMENT),
    **dict.fromkeys((".tox", ".nox"), _ENVIRONMENT),
    "node_modules": Unwanted("installed packages; package.json names them", is_heavy=True),
    **dict.fromkeys(
        (
            "__pycache__",
            ".cache",
            ".eggs",
            ".huggingface",
            ".ipynb_checkpoints",
            ".mypy_cache",
            ".pytest_cache",
            ".ruff_cache",
        ),
        _CACHE,
    ),
    ".dvc": Unwanted("DVC's cache and settings", is_heavy=True),
    **dict.fromkeys((".idea", ".vscode"), Unwanted("settings of an editor", is_litter=True)),
    **dict.fromkeys((".github", ".gitlab", ".circleci"), Unwanted("settings of a code host")),
    **dict.fromkeys((".ssh", ".aws", ".kube", ".gnupg"), Unwanted("credentials", is_secret=True)),
    **dict.fromkeys(("wandb", "mlruns", "lightning_logs"), Unwanted(_TRACKING, is_heavy=True)),
}

MARKS: dict[str, Unwanted] = {"CACHEDIR.TAG": _CACHE, "pyvenv.cfg": _ENVIRONMENT}
"""What a directory is, whatever its name, that holds a file of such a name."""

_FILES: dict[str, Unwanted] = {
    **dict.fromkeys(
        (".git", ".gitignore", ".gitattributes", ".gitmodules", ".dockerignore", ".dvcignore"),
        Unwanted("settings of version control and builds"),
    ),
}

_SECRET_FILE = re.compile(
    r"\.env(\..+)?|.+\.env"
    r"|.+\.(pem|key|p12|pfx|jks|keystore|kdbx|ppk|gpg)"
    r"|id_(rsa|dsa|ecdsa|ed25519)"
    r"|\.(netrc|pypirc|npmrc|pgpass|git-credentials|dockerconfigjson|htpasswd)|_netrc"
    r"|(client_)?secrets?\.(json|ya?ml|toml|ini)|credentials(\.(json|ya?ml|ini|csv))?"
    r"|service[-_]account.*\.json|kubeconfig|.+\.kubeconfig|kaggle\.json"
)
_NO_SECRET = re.compile(r"\.env\.(example|sample|template|dist)|(example|sample|template)\.env")
_SYSTEM_FILE = re.compile(r"\._.+|\.directory|\.nfs[0-9a-f]+|\.fuse_hidden[0-9a-f]+")
_EDITOR_FILE = re.compile(r".+~|\.#.+|#.+#|\.?~(lock\..+#|\$.+)|.+\.(sw[nop]|tmp|bak)")
_REST = re.compile(r".+\.(pyc|pyo)|\.coverage|core\.[0-9]+")
_RESUMING = re.compile(r"(optimizer|scheduler|scaler)\.(pt|bin)|rng_state(_[0-9]+)?\.pth")


def unwanted(name: str, *, is_dir: bool) -> Unwanted | None:
    """Return why a file or directory of this name does not belong into a kit, None where it may."""
    folded = name.casefold()
    if folded in SYSTEM_NAMES:
        return SYSTEM
    if is_dir:
        return _DIRECTORIES.get(folded) or (
            Unwanted("made by an installation") if folded.endswith(".egg-info") else None
        )
    if _SECRET_FILE.fullmatch(folded) and not _NO_SECRET.fullmatch(folded):
        return Unwanted("may hold secrets", is_secret=True)
    if folded in _FILES:
        return _FILES[folded]
    if _SYSTEM_FILE.fullmatch(folded):
        return SYSTEM
    if _EDITOR_FILE.fullmatch(folded):
        return Unwanted("left there by an editor", is_litter=True)
    if _REST.fullmatch(folded):
        return Unwanted("temporary or made by a program")
    if _RESUMING.fullmatch(folded):
        return Unwanted("state for going on with the training")
    if folded.endswith(".log"):
        return Unwanted("a log")
    return None

"""Package lists as the real tools write them, and what each of them says."""

from __future__ import annotations

from pathlib import Path

from rolldeck.facts import Facts
from rolldeck.facts.readers import read_files

FILES = Path(__file__).parent / "files"
UV = {
    "cloudpickle": "3.1.2",
    "colorama": "0.4.6",
    "iniconfig": "2.3.1 in dev",
    "joblib": "1.6.0",
    "threadpoolctl": "3.5.0 if python_full_version < '3.13'"
    " or 3.6.0 if python_full_version >= '3.13'",
    "typing-extensions": "4.16.0",
}
WINDOWS = 'if sys_platform == "win32"'
INSTALLED = {
    "joblib": "1.5.2",
    "packaging": "26.3",
    "pip": "26.3",
    "setuptools": "84.2.1",
    "threadpoolctl": "3.6.0",
    "typing-extensions": "4.16.0",
    "wheel": "0.48.0",
}
BY_PLATFORM = {
    "_libgcc_mutex": "0.1",
    "joblib": "1.5.2",
    "numpy": "2.2.1 on linux-64 or 2.2.0 on osx-arm64",
    "threadpoolctl": "3.6.0",
}
CUDA = "2.5.1 py3.11_cuda12.4_cudnn9.1.0_0"

PACKAGES: dict[str, dict[str, str]] = {
    "uv.lock": UV,
    "pylock.toml": UV | {"colorama": "0.4.6 if sys_platform == 'win32'", "iniconfig": "2.3.1"},
    "poetry.lock": UV
    | {"colorama": f"0.4.6 {WINDOWS}", "threadpoolctl": '3.5.0 if python_version < "3.13"'},
    "pdm.lock": {
        "colorama": f"0.4.6 {WINDOWS}",
        "iniconfig": "2.3.1 in dev",
        "joblib": "1.6.0",
        "scorer-tools": "0.1 @ https://git.example/acme/scorer-tools.git@ee00d9c",
    },
    "Pipfile.lock": {
        "cloudpickle": "3.1.2",
        "joblib": "1.6.0",
        "threadpoolctl": "3.5.0",
        "iniconfig": "2.3.1 in dev",
    },
    "pixi.lock": BY_PLATFORM,
    "conda-lock.yml": BY_PLATFORM | {"pytest": "8.4.0 in dev"},
    "pip-inspect.json": INSTALLED,
    "pip-freeze.txt": INSTALLED,
    "requirements-pip-tools.txt": {"cloudpickle": "3.1.2", "joblib": "1.6.0"},
    "requirements-uv.txt": {
        "cloudpickle": "3.1.2",
        "joblib": "1.6.0",
        "threadpoolctl": "3.5.0",
        "typing-extensions": "4.16.0",
    },
    "bom.cdx.json": INSTALLED,
    "bom-uv.cdx.json": UV | {"iniconfig": "2.3.1", "threadpoolctl": "3.5.0 or 3.6.0"},
    "bom.spdx.json": {
        "lib4sbom": "0.10.4",
        "pyyaml": "6.0.3",
        "semantic-version": "2.10.0",
        "defusedxml": "0.7.1",
        "fastjsonschema": "2.22.3",
        "jsonschema": "4.26.0",
    },
    "environment.yml": {
        "_libgcc_mutex": "0.1",
        "ca-certificates": "2024.7.4",
        "pytorch": CUDA,
        "ruamel-yaml": "0.18.6",
        "threadpoolctl": "3.5.0",
    },
    "conda-explicit.txt": {"_libgcc_mutex": "0.1", "pytorch": CUDA, "joblib": "1.5.2"},
    "conda-export.txt": {"_libgcc_mutex": "0.1", "joblib": "1.5.2"},
    "Dockerfile": {"threadpoolctl": "3.5.0", "joblib": ">=1.4", "numpy": "2.2.1"},
}
"""What each file lists."""

REGISTRY = "https://registry.example/simple"
CHANNEL = "https://conda.example/conda-forge"
PLATFORMS = "linux-64, osx-arm64"
LISTS: dict[str, dict[str, str]] = {
    "uv.lock": {"completeness": "lock", "hashes": "all", "index": REGISTRY},
    "pylock.toml": {"completeness": "lock", "hashes": "all", "index": REGISTRY},
    "poetry.lock": {"completeness": "lock", "hashes": "all", "index": REGISTRY},
    "pdm.lock": {"completeness": "lock", "hashes": "all"},
    "Pipfile.lock": {"completeness": "lock", "hashes": "all", "index": REGISTRY},
    "pixi.lock": {
        "completeness": "lock",
        "hashes": "5 of 7",
        "index": f"{CHANNEL}/",
        "platforms": PLATFORMS,
    },
    "conda-lock.yml": {
        "completeness": "lock",
        "hashes": "all",
        "index": CHANNEL,
        "platforms": PLATFORMS,
    },
    "pip-inspect.json": {"completeness": "freeze"},
    "pip-freeze.txt": {"completeness": "freeze", "hashes": "none"},
    "requirements-pip-tools.txt": {"completeness": "lock", "hashes": "all"},
    "requirements-uv.txt": {"completeness": "lock", "hashes": "all"},
    "bom.cdx.json": {"completeness": "sbom", "hashes": "none"},
    "bom-uv.cdx.json": {"completeness": "sbom", "hashes": "all"},
    "bom.spdx.json": {"completeness": "sbom", "hashes": "none"},
    "environment.yml": {"completeness": "freeze", "index": "pytorch, conda-forge"},
    "conda-explicit.txt": {
        "completeness": "freeze",
        "hashes": "all",
        "index": CHANNEL,
        "platforms": "linux-64",
    },
    "conda-export.txt": {"completeness": "freeze", "platforms": "linux-64"},
    "Dockerfile": {"completeness": "requested"},
}
"""What is known of each list."""

PYTHON = {
    "uv.lock": {"requires": ">=3.11"},
    "pylock.toml": {"requires": ">=3.11"},
    "poetry.lock": {"requires": ">=3.11"},
    "pdm.lock": {"requires": ">=3.11"},
    "Pipfile.lock": {"requires": "==3.11.*"},
    "pixi.lock": {"version": "3.11.7"},
    "conda-lock.yml": {"version": "3.11.7"},
    "pip-inspect.json": {"version": "3.11.7", "implementation": "cpython"},
    "environment.yml": {"version": "3.11.7"},
    "conda-explicit.txt": {"version": "3.11.7"},
    "conda-export.txt": {"version": "3.11.7"},
}
"""What each file says of Python; nothing where it is not here."""


def read(name: str, data: bytes | None = None) -> Facts:
    """Read one file alone."""
    (facts,) = read_files({name: (FILES / name).read_bytes() if data is None else data})
    return facts


def group(facts: Facts, name: str) -> dict[str, str]:
    """Return the facts of a group by name."""
    return {item.name: item.value for item in facts.environment if item.group == name}

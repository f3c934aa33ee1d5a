"""Train one version and lay out its directory, ready to be packed as a ModelKit.

Run it with the interpreter of the environment to train in: that is the one recorded.

    python make_version.py 1.1.0 DIRECTORY
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import generate
import kitfile
import run_record
from metrics_table import markdown_table

HERE = Path(__file__).resolve().parent
RECORD_PATH = "modelrun/run.json"
SUMMARIES = {
    "1.0.0": "User-based nearest neighbours, cosine similarity",
    "1.1.0": "User-based nearest neighbours, mean-centred cosine with shrinkage",
    "2.0.0": "Truncated singular value decomposition, 8 components",
}


def python(*arguments: str | Path) -> str:
    """Run this interpreter and return what it prints."""
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def copy_sources(version: str, root: Path) -> None:
    """Start the directory afresh, with this version's code and the generated data."""
    shutil.rmtree(root, ignore_errors=True)
    (root / "src").mkdir(parents=True)
    for source in (
        HERE / f"v{version}" / "train.py",
        HERE / f"v{version}" / "recommend.py",
        HERE / "shared" / "evaluate.py",
    ):
        shutil.copyfile(source, root / "src" / source.name)
    generate.generate(root / "data")


def train_and_measure(root: Path) -> tuple[dict[str, str], dict[str, Any], list[dict[str, Any]]]:
    """Run the packed scripts: the run itself, what training says, what evaluation measures."""
    run = {
        "system": "script",
        "invocationId": uuid.uuid4().hex,
        "startedOn": run_record.now(),
    }
    training = json.loads(python("-B", root / "src" / "train.py"))
    # No site-packages: the packed scorer has to work with the standard library alone.
    metrics = json.loads(python("-B", "-S", "-E", "-s", root / "src" / "evaluate.py"))
    return run | {"finishedOn": run_record.now(), "status": "FINISHED"}, training, metrics


def make_version(version: str, root: Path) -> None:
    """Build everything that is packed for one version."""
    copy_sources(version, root)
    run, training, metrics = train_and_measure(root)
    full = run_record.record(root, run, training, metrics, generate.SEED)
    modelrun = run_record.without_bulk(full, RECORD_PATH)
    card = (HERE / f"v{version}" / "card.md").read_text(encoding="utf-8")
    texts = {
        RECORD_PATH: run_record.to_bytes(full).decode(),
        "docs/README.md": card.replace("{metrics}", markdown_table({version: full})),
        "requirements.txt": python("-m", "pip", "--disable-pip-version-check", "freeze"),
        "Kitfile": kitfile.kitfile(version, training["framework"], SUMMARIES[version], modelrun),
    }
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def main() -> None:
    """Build the version that the command line names."""
    parser = argparse.ArgumentParser(description="Train one version and lay out its directory.")
    parser.add_argument("version", choices=sorted(SUMMARIES))
    parser.add_argument("directory", type=Path, help="replaced if it exists")
    options = parser.parse_args()
    make_version(options.version, options.directory.resolve())


if __name__ == "__main__":
    main()

"""Print the measured metrics of built versions as a Markdown table.

python metrics_table.py DIRECTORY/v1.0.0 DIRECTORY/v1.1.0 ...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

BETTER = {True: "higher", False: "lower", None: ""}


def markdown_table(records: dict[str, dict[str, Any]]) -> str:
    """One row for each metric, one column for each version's run record."""
    values = {
        version: {entry["name"]: entry["value"] for entry in record["metrics"]}
        for version, record in records.items()
    }
    rows = [
        ["metric", "better", "n", *records],
        ["---", "---", "---:", *("---:" for _ in records)],
    ]
    for entry in next(iter(records.values()))["metrics"]:
        name, better = entry["name"], BETTER[entry.get("higherIsBetter")]
        measured = (f"{values[version][name]:,}" for version in records)
        rows.append([name, better, f"{entry['n']:,}" if "n" in entry else "", *measured])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    folders = [Path(name) for name in sys.argv[1:]]
    print(
        markdown_table(
            {folder.name: json.loads((folder / "modelrun/run.json").read_text("utf-8"))
             for folder in folders}
        )
    )  # fmt: skip

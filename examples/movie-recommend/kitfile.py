"""Write a Kitfile: a small, plain subset of YAML that every reader understands alike.

Block mappings and lists only: no anchors, aliases or tags. Text is quoted as JSON, which YAML
accepts, so nothing can be misread as a number, a date or a truth value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.]+")
"""Two characters at least: a single `n` or `y` is a truth value to some readers."""


def lines(value: Any, indent: int = 0) -> Iterator[str]:
    """A mapping or a list as lines of YAML."""
    pad = "  " * indent
    if isinstance(value, dict):
        for key, item in value.items():
            name = key if PLAIN_KEY.fullmatch(key) else json.dumps(key)
            if isinstance(item, dict | list) and item:
                yield f"{pad}{name}:"
                yield from lines(item, indent + 1)
            else:
                yield f"{pad}{name}: {json.dumps(item, allow_nan=False)}"
    else:
        for item in value:
            if isinstance(item, dict | list) and item:
                first, *rest = lines(item, indent + 1)
                yield f"{pad}- {first.lstrip()}"
                yield from rest
            else:
                yield f"{pad}- {json.dumps(item, allow_nan=False)}"


def kitfile(version: str, framework: str, summary: str, modelrun: dict[str, Any]) -> str:
    """The Kitfile of one version of the recommender."""
    content = {
        "manifestVersion": "1.0.0",
        "package": {
            "name": "movie-recommend",
            "version": version,
            "description": "A small film recommender, trained on synthetic ratings",
            "license": "Apache-2.0",
            "authors": ["The rolldeck authors"],
        },
        "model": {
            "name": "movie-recommend",
            "path": "./model",
            "framework": framework,
            "version": version,
            "description": summary,
            "parameters": {"modelrun": modelrun},
        },
        "code": [
            {"path": "./src", "description": "Training, evaluation and scoring"},
            {"path": "requirements.txt", "description": "Frozen training environment"},
        ],
        "datasets": [
            {
                "name": "ratings",
                "path": "./data/ratings.csv",
                "description": "Synthetic ratings, half a star to five",
            },
            {
                "name": "movies",
                "path": "./data/movies.csv",
                "description": "Invented films and their genres",
            },
        ],
        "docs": [
            {"path": "./docs", "description": "Model card"},
            {"path": "./modelrun", "description": "Run record"},
        ],
    }
    return "\n".join(lines(content)) + "\n"

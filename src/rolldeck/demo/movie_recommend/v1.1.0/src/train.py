"""Train version 1.1.0: user-based nearest neighbours, cosine of the mean-centred ratings.

Reads ../data, writes ../model and prints what the run used as one JSON document.

    python src/train.py
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from evaluate import HELD_OUT_FRACTION, by_user, split_ratings

VERSION = "1.1.0"
FRAMEWORK = "numpy"
NEIGHBOURS = 30
SHRINKAGE = 2.0
PARAMETERS = {
    "algorithm": "user-knn",
    "similarity": "centred-cosine",
    "neighbours": NEIGHBOURS,
    "shrinkage": SHRINKAGE,
    "held_out_fraction": HELD_OUT_FRACTION,
}


def train(root: Path) -> dict[str, object]:
    """Find every user's nearest neighbours and write the model."""
    ratings = by_user(split_ratings(root)[0])
    users = sorted(ratings)
    means = {user: round(float(np.mean(list(ratings[user].values()))), 6) for user in users}
    table = np.zeros((len(users), 1 + max(movie for given in ratings.values() for movie in given)))
    for row, user in enumerate(users):
        for movie, stars in ratings[user].items():
            table[row, movie] = stars - means[user]
    lengths = np.linalg.norm(table, axis=1)
    similarity = np.round(table @ table.T / np.outer(lengths, lengths), 5)
    np.fill_diagonal(similarity, 0.0)
    neighbours = {}
    for row, user in enumerate(users):
        nearest = np.argsort(-similarity[row], kind="stable")[:NEIGHBOURS]
        neighbours[user] = [
            [users[other], float(similarity[row, other])]
            for other in nearest
            if similarity[row, other] > 0
        ]
    model = {
        "shrinkage": SHRINKAGE,
        "means": means,
        "neighbours": neighbours,
        "ratings": ratings,
    }
    (root / "model").mkdir(exist_ok=True)
    (root / "model" / "model.json").write_text(
        json.dumps(model, separators=(",", ":")) + "\n", encoding="utf-8", newline="\n"
    )
    return {"version": VERSION, "framework": FRAMEWORK, "parameters": PARAMETERS, "seeds": {}}


if __name__ == "__main__":
    print(json.dumps(train(Path(__file__).resolve().parent.parent), indent=1))

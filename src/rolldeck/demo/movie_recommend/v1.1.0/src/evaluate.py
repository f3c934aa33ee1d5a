"""Measure the packed model on the ratings that were held out of training.

Standard library only. The scorer that is measured is the packed `recommend.py` itself, so the
numbers belong to exactly the files that are shipped.

    python src/evaluate.py
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean

from recommend import Recommender, clip, read_rows

HELD_OUT_FRACTION = 0.2
LIKED = 4.0
TOP = 10

Rating = tuple[int, int, float]


def is_held_out(user: int, movie: int) -> bool:
    """Whether a rating belongs to the test fifth: decided by a hash, so no seed is needed."""
    return hashlib.sha256(f"movie-recommend:{user}:{movie}".encode()).digest()[0] % 5 == 0


def split_ratings(root: Path) -> tuple[list[Rating], list[Rating]]:
    """The ratings as (training, test)."""
    training: list[Rating] = []
    test: list[Rating] = []
    for row in read_rows(root / "data" / "ratings.csv"):
        user, movie = int(row["user_id"]), int(row["movie_id"])
        part = test if is_held_out(user, movie) else training
        part.append((user, movie, float(row["rating"])))
    return training, test


def by_user(ratings: Iterable[Rating]) -> dict[int, dict[int, float]]:
    """Each user's ratings by movie."""
    grouped: dict[int, dict[int, float]] = defaultdict(dict)
    for user, movie, stars in ratings:
        grouped[user][movie] = stars
    return dict(grouped)


def rating_errors(model: Recommender, test: list[Rating]) -> tuple[float, float]:
    """Root mean squared error and mean absolute error, in stars."""
    errors = [clip(model.score(user, movie)) - stars for user, movie, stars in test]
    return math.sqrt(fmean(error**2 for error in errors)), fmean(map(abs, errors))


def discounted_gain(hits: Iterable[bool]) -> float:
    """Discounted cumulative gain of a ranked list of hits and misses."""
    return sum(hit / math.log2(rank + 1) for rank, hit in enumerate(hits, start=1))


def metric(name: str, value: float, better: bool | None, unit: str, n: int) -> dict[str, object]:
    """One metric as the run record holds it."""
    entry: dict[str, object] = {"name": name, "value": round(value, 6), "unit": unit, "n": n}
    if better is not None:
        entry["higherIsBetter"] = better
    return entry | {"slice": "test", "dataset": "ratings"}


def evaluate(root: Path) -> list[dict[str, object]]:
    """All metrics of the packed model."""
    training, test = split_ratings(root)
    model = Recommender(root)
    seen, unseen = by_user(training), by_user(test)
    shown: set[int] = set()
    precision, recall, gain = [], [], []
    for user, rated in seen.items():
        best = [movie for movie, _ in model.top(user, TOP, rated)]
        shown.update(best)
        liked = {movie for movie, stars in unseen.get(user, {}).items() if stars >= LIKED}
        if liked:
            hits = [movie in liked for movie in best]
            precision.append(sum(hits) / TOP)
            recall.append(sum(hits) / len(liked))
            ideal = discounted_gain([True] * min(TOP, len(liked)))
            gain.append(discounted_gain(hits) / ideal)
    rmse, mae = rating_errors(model, test)
    users, catalogue = len(precision), sum(1 for _ in read_rows(root / "data" / "movies.csv"))
    size = sum(path.stat().st_size for path in (root / "model").iterdir())
    return [
        metric("rmse", rmse, False, "stars", len(test)),
        metric("mae", mae, False, "stars", len(test)),
        metric("precision_at_10", fmean(precision), True, "1", users),
        metric("recall_at_10", fmean(recall), True, "1", users),
        metric("ndcg_at_10", fmean(gain), True, "1", users),
        metric("coverage", len(shown) / catalogue, True, "1", catalogue),
        {"name": "model_bytes", "value": size, "unit": "By"},
    ]


if __name__ == "__main__":
    print(json.dumps(evaluate(Path(__file__).resolve().parent.parent), indent=1))

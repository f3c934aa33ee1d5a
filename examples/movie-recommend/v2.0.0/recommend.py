"""Recommend films from the packed model: truncated singular value decomposition.

Standard library only; runs from any directory.

    python src/recommend.py --user 7 -n 5 --json
"""

from __future__ import annotations

import argparse
import csv
import json
import struct
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

MODEL = "movie-recommend"
VERSION = "2.0.0"
LOWEST, HIGHEST = 0.5, 5.0


def read_safetensors(path: Path) -> dict[str, list[float]]:
    """The 32-bit float tensors of a safetensors file, each flat in row order."""
    raw = path.read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    tensors = {}
    for name, entry in json.loads(raw[8:start]).items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            tensors[name] = [
                number for (number,) in struct.iter_unpack("<f", raw[start + first : start + last])
            ]
    return tensors


class Recommender:
    """Predicts stars from what a user and a film have in common in a few hidden factors."""

    def __init__(self, root: Path) -> None:
        model = json.loads((root / "model" / "model.json").read_text(encoding="utf-8"))
        tensors = read_safetensors(root / "model" / "factors.safetensors")
        self.mean: float = model["mean"]
        self.components: int = model["components"]
        self.movies: list[int] = model["movies"]
        self.user_bias: dict[int, float] = dict(
            zip(model["users"], tensors["user_bias"], strict=True)
        )
        self.movie_bias: dict[int, float] = dict(
            zip(self.movies, tensors["movie_bias"], strict=True)
        )
        self.user_factors = self._rows(model["users"], tensors["user_factors"])
        self.movie_factors = self._rows(self.movies, tensors["movie_factors"])

    def _rows(self, keys: list[int], flat: list[float]) -> dict[int, list[float]]:
        width = self.components
        return {key: flat[at * width : (at + 1) * width] for at, key in enumerate(keys)}

    def score(self, user: int, movie: int) -> float:
        """Mean, plus what is usual for the user and the film, plus how their factors agree."""
        pairs = zip(self.user_factors[user], self.movie_factors[movie], strict=True)
        agreement = sum(liking * trait for liking, trait in pairs)
        return self.mean + self.user_bias[user] + self.movie_bias[movie] + agreement

    def top(self, user: int, count: int, exclude: Collection[int]) -> list[tuple[int, float]]:
        """The best films for a user as (movie, score), best first, ties by movie number."""
        scored = ((movie, self.score(user, movie)) for movie in self.movies if movie not in exclude)
        return sorted(scored, key=lambda pair: (-pair[1], pair[0]))[:count]


def clip(score: float) -> float:
    """A score as stars: within the range that a user can give."""
    return min(HIGHEST, max(LOWEST, score))


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file with a header."""
    with path.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def recommend(root: Path, user: int, count: int) -> list[dict[str, object]]:
    """Films that the user has not rated yet, best first."""
    rated = {
        int(row["movie_id"])
        for row in read_rows(root / "data" / "ratings.csv")
        if int(row["user_id"]) == user
    }
    titles = {int(row["movie_id"]): row["title"] for row in read_rows(root / "data" / "movies.csv")}
    return [
        {"movie_id": movie, "title": titles[movie], "score": round(clip(score), 3)}
        for movie, score in Recommender(root).top(user, count, rated)
    ]


def main() -> int:
    """Print the recommendations for one user."""
    parser = argparse.ArgumentParser(description="Recommend films to one user.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--user", type=int, default=1)
    parser.add_argument("-n", type=int, default=5, dest="count")
    parser.add_argument("--json", action="store_true", dest="as_json")
    options = parser.parse_args()
    try:
        best = recommend(options.root, options.user, options.count)
    except KeyError:
        print(f"no user {options.user} in this model", file=sys.stderr)
        return 1
    if options.as_json:
        answer = {
            "model": MODEL, "version": VERSION, "user": options.user, "recommendations": best
        }  # fmt: skip
        print(json.dumps(answer))
    else:
        for film in best:
            print(f"{film['score']:5.2f}  {film['title']}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Recommend films from the packed model: user-based nearest neighbours, centred cosine.

Standard library only; runs from any directory.

    python src/recommend.py --user 7 -n 5 --json
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

MODEL = "movie-recommend"
VERSION = "1.1.0"
LOWEST, HIGHEST = 0.5, 5.0


class Recommender:
    """Predicts stars from what the most similar users gave."""

    def __init__(self, root: Path) -> None:
        model = json.loads((root / "model" / "model.json").read_text(encoding="utf-8"))
        self.shrinkage: float = model["shrinkage"]
        self.means: dict[int, float] = {int(user): mean for user, mean in model["means"].items()}
        self.neighbours = {int(user): near for user, near in model["neighbours"].items()}
        self.ratings = {
            int(user): {int(movie): stars for movie, stars in given.items()}
            for user, given in model["ratings"].items()
        }
        self.movies = sorted({movie for given in self.ratings.values() for movie in given})

    def score(self, user: int, movie: int) -> float:
        """The user's own mean, moved by how the neighbours' ratings differ from theirs.

        Shrinkage holds the move back where few neighbours have seen the film.
        """
        moved, weight = 0.0, self.shrinkage
        for neighbour, similarity in self.neighbours[user]:
            stars = self.ratings[neighbour].get(movie)
            if stars is not None:
                moved += similarity * (stars - self.means[neighbour])
                weight += similarity
        return self.means[user] + moved / weight

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

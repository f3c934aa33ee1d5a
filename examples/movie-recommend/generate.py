"""Write the synthetic ratings and the invented film catalogue, from one fixed seed.

Standard library only, and only `random.Random.random()` is drawn from: its sequence for a given
seed is documented to stay the same between Python versions, so the files are byte-identical
wherever this runs.

    python generate.py DIRECTORY
"""

from __future__ import annotations

import argparse
import csv
import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SEED = 20261121
USERS = 400
MOVIES = 150
TASTES = 5
"""Hidden dimensions of taste that no column of the data shows."""

GENRES = ("Adventure", "Animation", "Comedy", "Crime", "Drama", "Mystery", "Romance", "Space")
ADJECTIVES = (
    "Borrowed", "Brass", "Crooked", "Drowsy", "Forgotten", "Gilded", "Hollow", "Lukewarm",
    "Midweek", "Northbound", "Paper", "Patient", "Polite", "Second-Hand", "Unlit",
)  # fmt: skip
NOUNS = (
    "Allotment", "Barometer", "Cartographer", "Ferryman", "Glasshouse", "Lighthouse", "Locksmith",
    "Orchard", "Postmaster", "Umbrella",
)  # fmt: skip


@dataclass(frozen=True)
class Movie:
    """A film as the ratings see it; only id, title and genres are written out."""

    movie_id: int
    title: str
    genres: tuple[str, ...]
    quality: float
    popularity: float
    traits: tuple[float, ...]


@dataclass(frozen=True)
class User:
    """A person who rates: how generously, how often, and what they enjoy."""

    user_id: int
    generosity: float
    activity: float
    genre_liking: dict[str, float]
    tastes: tuple[float, ...]


def normal(draw: random.Random) -> float:
    """One standard normal number (Box-Muller, so that only `random()` is used)."""
    return math.sqrt(-2.0 * math.log(1.0 - draw.random())) * math.cos(math.tau * draw.random())


def normals(draw: random.Random, count: int) -> tuple[float, ...]:
    """Several independent standard normal numbers."""
    return tuple(normal(draw) for _ in range(count))


def shuffled(draw: random.Random, items: Iterable[str]) -> list[str]:
    """The items in a random order."""
    return [item for _, item in sorted((draw.random(), item) for item in items)]


def make_movies(draw: random.Random) -> list[Movie]:
    """The catalogue: every title is one adjective and one noun, none used twice."""
    titles = shuffled(draw, (f"The {first} {last}" for first in ADJECTIVES for last in NOUNS))
    movies = []
    for movie_id, title in enumerate(titles[:MOVIES], start=1):
        genre_count = 1 + int(draw.random() * 2.5)
        movies.append(
            Movie(
                movie_id=movie_id,
                title=title,
                genres=tuple(sorted(shuffled(draw, GENRES)[:genre_count])),
                quality=0.40 * normal(draw),
                popularity=0.75 * normal(draw),
                traits=normals(draw, TASTES),
            )
        )
    return movies


def make_users(draw: random.Random) -> list[User]:
    """The people, each with their own scale and preferences."""
    return [
        User(
            user_id=user_id,
            generosity=0.45 * normal(draw),
            activity=0.45 * normal(draw),
            genre_liking={genre: 0.45 * normal(draw) for genre in GENRES},
            tastes=normals(draw, TASTES),
        )
        for user_id in range(1, USERS + 1)
    ]


def enjoyment(user: User, movie: Movie) -> float:
    """How much this user likes this film, in stars above or below their own usual rating."""
    genres = sum(user.genre_liking[genre] for genre in movie.genres) / math.sqrt(len(movie.genres))
    hidden = sum(a * b for a, b in zip(user.tastes, movie.traits, strict=True))
    return movie.quality + genres + 0.22 * hidden


def make_ratings(
    draw: random.Random, users: list[User], movies: list[Movie]
) -> list[tuple[int, int, float]]:
    """Who rated what: popular films and films a user would like are seen more often."""
    ratings = []
    for user in users:
        for movie in movies:
            liking = enjoyment(user, movie)
            seen = 1.0 / (1.0 + math.exp(1.55 - movie.popularity - user.activity - 0.55 * liking))
            noise = 0.55 * normal(draw)
            if draw.random() < seen:
                stars = 3.4 + user.generosity + liking + noise
                ratings.append(
                    (user.user_id, movie.movie_id, min(5.0, max(0.5, round(stars * 2) / 2)))
                )
    return ratings


def write_csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    """Write rows with Unix line ends on every system."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def generate(directory: Path) -> None:
    """Write movies.csv and ratings.csv into a directory."""
    draw = random.Random(SEED)
    movies = make_movies(draw)
    ratings = make_ratings(draw, make_users(draw), movies)
    directory.mkdir(parents=True, exist_ok=True)
    write_csv(
        directory / "movies.csv",
        ("movie_id", "title", "genres"),
        ((movie.movie_id, movie.title, "|".join(movie.genres)) for movie in movies),
    )
    write_csv(directory / "ratings.csv", ("user_id", "movie_id", "rating"), ratings)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("directory", type=Path, help="where to write movies.csv and ratings.csv")
    generate(parser.parse_args().directory)

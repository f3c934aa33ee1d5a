"""Train version 2.0.0: truncated singular value decomposition of what biases do not explain.

Reads ../data, writes ../model and prints what the run used as one JSON document.

    python src/train.py
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from evaluate import HELD_OUT_FRACTION, rating_errors, split_ratings
from recommend import Recommender
from sklearn.decomposition import TruncatedSVD

VERSION = "2.0.0"
FRAMEWORK = "scikit-learn"
SEED = 7
COMPONENTS = 8
ITERATIONS = 7
BIAS_REGULARISATION = 5.0
PARAMETERS = {
    "algorithm": "truncated-svd",
    "components": COMPONENTS,
    "n_iter": ITERATIONS,
    "bias_regularisation": BIAS_REGULARISATION,
    "held_out_fraction": HELD_OUT_FRACTION,
}


def write_safetensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """Write tensors as 32-bit floats in the safetensors format."""
    header, body = {}, b""
    for name, tensor in sorted(tensors.items()):
        raw = np.ascontiguousarray(tensor, dtype="<f4").tobytes()
        offsets = [len(body), len(body) + len(raw)]
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": offsets}
        body += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)


def error_by_components(root: Path) -> list[list[float]]:
    """Held-out root mean squared error of the written model, using 1, 2, ... components."""
    test = split_ratings(root)[1]
    model = Recommender(root)
    full = model.user_factors
    history = []
    for used in range(1, COMPONENTS + 1):
        unused = [0.0] * (COMPONENTS - used)
        model.user_factors = {user: row[:used] + unused for user, row in full.items()}
        history.append([used, round(rating_errors(model, test)[0], 6)])
    return history


def train(root: Path) -> dict[str, object]:
    """Fit biases, factorise the rest and write the model."""
    ratings = split_ratings(root)[0]
    users = sorted({user for user, _, _ in ratings})
    movies = sorted({movie for _, movie, _ in ratings})
    row_of = {user: row for row, user in enumerate(users)}
    column_of = {movie: column for column, movie in enumerate(movies)}
    table = np.full((len(users), len(movies)), np.nan)
    for user, movie, stars in ratings:
        table[row_of[user], column_of[movie]] = stars

    known = ~np.isnan(table)
    mean = float(np.nanmean(table))
    movie_bias = np.nansum(table - mean, axis=0) / (known.sum(axis=0) + BIAS_REGULARISATION)
    user_bias = np.nansum(table - mean - movie_bias, axis=1) / (
        known.sum(axis=1) + BIAS_REGULARISATION
    )
    unexplained = np.nan_to_num(table - mean - movie_bias - user_bias[:, np.newaxis])

    svd = TruncatedSVD(COMPONENTS, n_iter=ITERATIONS, random_state=SEED)
    tensors = {
        "user_factors": svd.fit_transform(unexplained),
        "movie_factors": svd.components_.T,
        "user_bias": user_bias,
        "movie_bias": movie_bias,
    }
    folder = root / "model"
    folder.mkdir(exist_ok=True)
    write_safetensors(folder / "factors.safetensors", tensors)
    model = {"mean": mean, "components": COMPONENTS, "users": users, "movies": movies}
    (folder / "model.json").write_text(
        json.dumps(model, separators=(",", ":")) + "\n", encoding="utf-8", newline="\n"
    )
    return {
        "version": VERSION,
        "framework": FRAMEWORK,
        "parameters": PARAMETERS,
        "seeds": {"numpy": SEED},
        "history": {"rmse": error_by_components(root)},
    }


if __name__ == "__main__":
    print(json.dumps(train(Path(__file__).resolve().parent.parent), indent=1))

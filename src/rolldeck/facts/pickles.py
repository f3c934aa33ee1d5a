"""What a pickle would import: read as instructions, never loaded, and never called safe.

The reading itself is done by ``pickle_worker`` in a process of its own; here is what comes back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rolldeck.facts.document import count, items, mapping, name
from rolldeck.text import clean_line

SUFFIXES = (
    *(".pkl", ".pickle", ".joblib", ".jbl", ".dill"),
    *(f"{name}{end}" for name in (".pkl", ".pickle", ".joblib") for end in (".gz", ".z", ".bz2")),
    *(f"{name}{end}" for name in (".pkl", ".pickle", ".joblib") for end in (".xz", ".lzma")),
    *(".pkl.lz4", ".pickle.lz4", ".joblib.lz4", ".pt", ".pth"),
)
"""How the names of files end that are read as pickles."""

_LIBRARIES = {
    **{
        name: name
        for name in (
            *("numpy", "scipy", "pandas", "polars", "pyarrow", "joblib", "cloudpickle", "dill"),
            *("torch", "torchvision", "tensorflow", "keras", "jax", "flax", "transformers"),
            *("tokenizers", "xgboost", "lightgbm", "catboost", "statsmodels", "prophet", "nltk"),
            *("gensim", "spacy", "mlflow", "onnx", "skops", "peft", "diffusers", "accelerate"),
        )
    },
    "sklearn": "scikit-learn",
    "imblearn": "imbalanced-learn",
    "skimage": "scikit-image",
    "PIL": "pillow",
    "sentence_transformers": "sentence-transformers",
    "pytorch_lightning": "pytorch-lightning",
}
"""Distributions of machine learning by the module that is imported."""

_USUAL = frozenset(
    {
        *("collections.OrderedDict", "collections.defaultdict", "collections.deque"),
        *("copyreg._reconstructor", "copy_reg._reconstructor", "_codecs.encode"),
        *("datetime.date", "datetime.datetime", "datetime.timedelta", "decimal.Decimal"),
        *("pathlib.PosixPath", "pathlib.PurePosixPath", "functools.partial"),
        *(
            f"{module}.{name}"
            for module in ("builtins", "__builtin__")
            for name in (
                *("object", "set", "frozenset", "bytearray", "complex", "slice", "range"),
                *("int", "float", "str", "bool", "bytes", "list", "dict", "tuple", "type"),
            )
        ),
    }
)
"""Globals of the standard library that pickles of data have."""


@dataclass(frozen=True, slots=True)
class Pickle:
    """What one pickle says of itself: every text is cleaned.

    ``format`` is pickle, joblib or torch, ``packing`` how it is compressed, empty where it is not.
    ``imports`` are the globals that loading it would import (``sklearn.svm._classes.SVC``), in the
    order in which they occur. ``libraries`` are the distributions that these seem to come from,
    each with the versions that the pickle carries, empty where it carries none. ``size`` is in
    bytes, None where it is not known. ``notice`` says what was not read, empty where that is
    nothing.
    """

    path: str
    format: str = "pickle"
    protocol: int = 0
    imports: tuple[str, ...] = ()
    libraries: tuple[tuple[str, str], ...] = ()
    size: int | None = None
    packing: str = ""
    notice: str = ""

    @property
    def outside(self) -> tuple[str, ...]:
        """The imports from outside of known libraries for machine learning."""
        return tuple(
            item
            for item in self.imports
            if item not in _USUAL and item.partition(".")[0] not in _LIBRARIES
        )

    @property
    def brief(self) -> str:
        """Its imports, counted; no verdict."""
        globals_ = "1 global" if len(self.imports) == 1 else f"{len(self.imports)} globals"
        return f"imports {globals_}, {len(self.outside)} outside known ML packages"


def is_pickle(path: str) -> bool:
    """Whether a file by this name is read as a pickle."""
    return path.casefold().endswith(SUFFIXES)


def pickle_of_report(path: str, size: int | None, output: bytes, cut: str = "") -> Pickle:
    """Return what the worker found; ``cut`` says which part of the file it was given, if not all.

    What it says of the end of a file that was cut is left out.
    """
    shown = clean_line(path, 500)
    try:
        report = mapping(json.loads(output))
    except ValueError:
        return Pickle(shown, size=size, notice="it could not be read within the limits")
    imports = tuple(found for item in items(report.get("imports")) if (found := name(item)))
    more = count(report.get("more"))
    problem = name(report.get("problem")) or ""
    notices = (cut or problem, f"{more} more imports are not shown" if more else "")
    return Pickle(
        shown,
        name(report.get("format")) or "pickle",
        count(report.get("protocol")) or 0,
        imports,
        _libraries(imports, report.get("versions")),
        size,
        name(report.get("packing")) or "",
        "; ".join(notice for notice in notices if notice),
    )


def _libraries(imports: tuple[str, ...], versions: Any) -> tuple[tuple[str, str], ...]:
    found: dict[str, list[str]] = {}
    for item in imports:
        library = _LIBRARIES.get(item.partition(".")[0])
        if library:
            found.setdefault(library, [])
    for item in items(versions):
        library, _, version = (name(item) or "").partition(" ")
        if library and version:
            found.setdefault(library, []).append(version)
    return tuple((library, ", ".join(known)) for library, known in found.items())

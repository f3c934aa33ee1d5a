"""What a file of a model's directory probably is, by its name alone."""

from __future__ import annotations

import re
from typing import Literal

FileKind = Literal[
    "weights", "part", "data", "code", "docs", "prompt", "settings", "ambiguous", "unknown"
]
"""``settings`` (JSON, YAML, text) and ``ambiguous`` (arrays, pickles) are what lies beside them."""

FORMATS: dict[str, str] = {
    "bin": "PyTorch",
    "caffemodel": "Caffe",
    "cbm": "CatBoost",
    "ckpt": "checkpoint",
    "coreml": "Core ML",
    "engine": "TensorRT",
    "ggml": "GGML",
    "ggmf": "GGML",
    "gguf": "GGUF",
    "h5": "HDF5",
    "hdf5": "HDF5",
    "joblib": "joblib",
    "keras": "Keras",
    "llamafile": "llamafile",
    "mar": "TorchServe archive",
    "mlmodel": "Core ML",
    "msgpack": "Flax",
    "npy": "NumPy",
    "npz": "NumPy",
    "onnx": "ONNX",
    "pb": "TensorFlow",
    "pdparams": "Paddle",
    "pickle": "pickle",
    "pkl": "pickle",
    "plan": "TensorRT",
    "pmml": "PMML",
    "pt": "PyTorch",
    "pt2": "PyTorch",
    "pte": "ExecuTorch",
    "pth": "PyTorch",
    "ptl": "PyTorch",
    "safetensors": "safetensors",
    "skops": "skops",
    "tflite": "TensorFlow Lite",
    "ubj": "XGBoost",
}
"""Formats of weights by the end of the file name."""

FRAMEWORKS: dict[str, str] = {
    "CatBoost": "CatBoost",
    "Core ML": "Core ML",
    "Flax": "Flax",
    "Keras": "Keras",
    "Paddle": "PaddlePaddle",
    "PyTorch": "PyTorch",
    "TensorFlow": "TensorFlow",
    "TensorFlow Lite": "TensorFlow Lite",
    "XGBoost": "XGBoost",
    "skops": "scikit-learn",
}
"""Frameworks that a format belongs to alone."""

PICKLED = frozenset({"PyTorch", "checkpoint", "pickle", "joblib"})
"""Formats that may run code when they are loaded."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_AMBIGUOUS = _words("h5 hdf5 joblib npy npz pickle pkl")
_NOT_BY_NAME = _words("bin msgpack")

_DATA = _words(
    "arff arrow avro bz2 csv db dvc feather flac gz h5ad idx ipc jsonl lance lmdb mat mp3 mp4 "
    "ndjson nc orc parquet rec shp sqlite sqlite3 tar tfrecord tfrecords tgz tsv wav webm xls "
    "xlsx xz zip zst 7z"
)
_IMAGES = _words("bmp gif jpeg jpg png svg tif tiff webp")
_CODE = _words(
    "bash bat c cc cfg cpp cu cuh go h hpp ini ipynb java jl js lock lua m mojo proto ps1 py "
    "pyi pyx r rb rmd rs scala sh sql tf toml ts tsx zsh"
)
_DOCS = _words("adoc html md pdf rst tex docx pptx")
_SETTINGS = _words("json txt xml yaml yml")

_CODE_NAMES = re.compile(
    r"(docker|container|make|just|jenkins|proc)file(\..+)?|.+\.dockerfile|requirements.*\.(txt|in)"
    r"|constraints.*\.txt|pipfile|(docker-)?compose.*\.ya?ml|(conda|environment|python_env).*\.ya?ml"
    r"|dvc\.(ya?ml|lock)|params\.ya?ml|mlproject|package(-lock)?\.json|\.?python-version"
    r"|runtime\.txt|.*pipeline.*\.(ya?ml|json)|modelfile|cog\.ya?ml|bentofile\.ya?ml"
)
_DOC_NAMES = re.compile(
    r"(readme|licen[cs]e|copying|notice|changelog|changes|contributing|authors|citation"
    r"|security|code_of_conduct|model[-_]?card|data[-_]?card|acknowledg).*"
    r"|(metrics|all_results|eval_results|train_results|trainer_state|model-index).*\.(json|ya?ml)"
)
_PROMPT_NAMES = re.compile(r"(agents|skill|claude)\.md|.*\.prompt.*|(system|user)[-_]prompt.*")
_PART_NAMES = re.compile(
    r"(generation_|adapter_|model_|preprocessor_|processor_|feature_extractor_|image_processor_"
    r"|video_preprocessor_|sentence_bert_|scheduler_|tokenizer_|quantize_|quant_)?config(uration)?"
    r"(_.+)?\.json"
    r"|tokenizer.*|special_tokens_map\.json|added_tokens\.json|vocab\..+|merges\.txt|spiece\.model"
    r"|sentencepiece.*|.+\.spm|.+\.tiktoken|tekken\.json|chat_template.*|.+\.index\.json"
    r"|modules\.json|model_index\.json|labels?\.(txt|json)|id2label\.json|training_args\.bin"
    r"|mlmodel|signature\.json|input_example\.json|openvino_model.*\.xml|.*\.jinja2?"
)
_BINARY_WEIGHTS = re.compile(
    r".*pytorch_model.*\.bin|.*adapter_model.*\.bin|(diffusion|flax)_model.*|consolidated.*\.bin"
    r"|openvino_model.*\.bin|.*ggml.*\.bin|.*ggmf.*\.bin"
)


def suffix(name: str) -> str:
    """Return the end of a name after its last dot, in lower case; empty where it has none."""
    stem, dot, end = name.rpartition(".")
    return end.casefold() if dot and stem else ""


def kind_of_name(name: str) -> FileKind:
    """Return what a file of this name probably is."""
    folded, end = name.casefold(), suffix(name)
    if _PROMPT_NAMES.fullmatch(folded):
        return "prompt"
    if _BINARY_WEIGHTS.fullmatch(folded) and end not in _SETTINGS:
        return "weights"
    if _PART_NAMES.fullmatch(folded):
        return "part"
    if _CODE_NAMES.fullmatch(folded):
        return "code"
    if _DOC_NAMES.fullmatch(folded) and end not in (_CODE | _DATA):
        return "docs"
    if end in _AMBIGUOUS:
        return "ambiguous"
    if end in FORMATS and end not in _NOT_BY_NAME:
        return "weights"
    for ends, kind in _BY_END:
        if end in ends:
            return kind
    return "unknown"


_BY_END: tuple[tuple[frozenset[str], FileKind], ...] = (
    (_DATA | _IMAGES, "data"),
    (_CODE, "code"),
    (_DOCS, "docs"),
    (_SETTINGS, "settings"),
)

_PART_TYPES = (
    (
        re.compile(
            r"tokenizer.*|special_tokens.*|added_tokens.*|vocab.*|merges.*|s(pm|piece|entence).*"
            r"|tekken.*|.+\.(spm|tiktoken)"
        ),
        "tokenizer",
    ),
    (re.compile(r".+\.index\.json"), "index"),
    (re.compile(r"chat_template.*|.*\.jinja2?"), "chat-template"),
    (re.compile(r"(pre|feature_|image_)?processor.*|.*extractor.*|video_.*"), "processor"),
    (re.compile(r".*config.*|modules\.json|model_index\.json|mlmodel"), "config"),
)


def part_type(name: str) -> str | None:
    """Return what a part of this name is for, as the Kitfile's ``type`` may say it."""
    folded = name.casefold()
    return next((kind for pattern, kind in _PART_TYPES if pattern.fullmatch(folded)), None)

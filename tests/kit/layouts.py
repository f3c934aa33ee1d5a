"""Directories as people have them, small."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

MIT = (
    "MIT License\n\nPermission is hereby granted, free of charge, to any person\n"
    "The above copyright notice and this permission notice\n"
)


def safetensors(size: int = 1000) -> bytes:
    """Return a file of that format with one tensor of ``size`` bytes."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(size)


PICKLE = b"\x80\x04" + bytes(300)
GGUF = b"GGUF" + bytes(500)
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 12345\n"

LAYOUTS: dict[str, dict[str, str | bytes]] = {
    "hf-single": {
        "model.safetensors": safetensors(5000),
        "config.json": '{"architectures": ["X"], "transformers_version": "4"}',
        "generation_config.json": "{}",
        "tokenizer.json": "{}",
        "tokenizer_config.json": "{}",
        "special_tokens_map.json": "{}",
        "vocab.json": "{}",
        "merges.txt": "a b",
        "README.md": "---\nlicense: apache-2.0\nmodel_name: Tiny X\ntags: [a, b]\n---\n"
        "# Tiny\n\nA tiny model for *tests*.\nIt does nothing.\n",
    },
    "hf-shards": {
        **{f"model-0000{n}-of-00003.safetensors": safetensors(5000) for n in (1, 2, 3)},
        "model.safetensors.index.json": "{}",
        "config.json": "{}",
        "tokenizer.model": b"x" * 99,
        "chat_template.jinja": "x",
        ".gitattributes": "x",
        ".git/HEAD": "x",
        "LICENSE": "Apache License\nVersion 2.0, January 2004\n",
        "README.md": "# x\n",
    },
    "two-formats": {
        "model.safetensors": safetensors(5000),
        "pytorch_model.bin": b"\x80\x02" + bytes(5100),
        "config.json": "{}",
    },
    "adapter": {
        "adapter_config.json": '{"base_model_name_or_path": "acme/base"}',
        "adapter_model.safetensors": safetensors(200),
        "optimizer.pt": b"x",
        "checkpoint-100/adapter_model.safetensors": safetensors(200),
    },
    "base-and-adapter": {
        "model.safetensors": safetensors(9000),
        "config.json": "{}",
        "lora/adapter_config.json": "{}",
        "lora/adapter_model.safetensors": safetensors(100),
    },
    "gguf": {"m.Q4_K_M.gguf": GGUF, "m.Q8_0.gguf": GGUF + bytes(400), "README.md": "x"},
    "sklearn": {
        "model.joblib": PICKLE,
        "train.py": "x",
        "requirements.txt": "x",
        "data/train.csv": "a",
        "data/test.csv": "a",
        "data/meta.json": "{}",
        "metrics.json": "{}",
        "README.md": "# y\n\nHello there.\n",
        "LICENSE": MIT,
        "notebooks/a.ipynb": "{}",
        "src/a.py": "x",
        "src/__pycache__/a.pyc": "x",
        ".env": "TOKEN=1",
        "py/pyvenv.cfg": "x",
        "py/lib/a.py": "x",
    },
    "mlflow": {
        "model/MLmodel": "x",
        "model/model.pkl": PICKLE,
        "model/conda.yaml": "x",
        "train.py": "x",
        "dvc.yaml": "x",
        "data/x.csv.dvc": "outs:",
    },
    "savedmodel": {
        "saved/saved_model.pb": b"\x08\x01",
        "saved/variables/variables.index": "x",
        "serve.py": "x",
    },
    "diffusers": {
        "model_index.json": "{}",
        "unet/diffusion_pytorch_model.safetensors": safetensors(9000),
        "unet/config.json": "{}",
        "vae/diffusion_pytorch_model.safetensors": safetensors(500),
        "tokenizer/vocab.json": "{}",
        "scheduler/scheduler_config.json": "{}",
    },
    "rows": {
        **{f"part-{number:04}.csv": "x" for number in range(300)},
        "README.md": "x",
        "load.py": "x",
    },
    "many-scripts": {**{f"s{number}.py": "x" for number in range(20)}, ".env": "x", "m.onnx": "x"},
    "skill": {"SKILL.md": "---\nname: my-skill\ndescription: does it\n---\n", "run.py": "x"},
    "pointers": {"model.safetensors": LFS, "config.json": "{}"},
    "prompts": {"AGENTS.md": "x", "prompts-dir/a.prompt.md": "x", "notes.md": "x"},
    "metadata": {"a.tar": "x", "b.csv": "x", "x.json": "x", "y.yaml": "x"},
    "checkpoints": {
        "checkpoint-500/model.safetensors": safetensors(300),
        "checkpoint-1000/model.safetensors": safetensors(300),
        "checkpoint-1000/config.json": "{}",
    },
    "odd-names": {"a: b #.csv": "x", "-x.py": "x", "é 'q'.md": "x", "data/[1].csv": "x", "on": "x"},
}
"""Files by directory."""

LIKE_KIT = ("hf-single", "two-formats", "base-and-adapter", "gguf", "skill", "pointers", "prompts")
"""The layouts for which kit init proposes the same elements."""


def lay_out(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a new directory."""
    root.mkdir()
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content.encode() if isinstance(content, str) else content)
    return root

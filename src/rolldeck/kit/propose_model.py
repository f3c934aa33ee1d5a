"""Which weights are the model, which files its parts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rolldeck.kit.file_kinds import FRAMEWORKS, PICKLED, part_type
from rolldeck.kit.model_card import ModelCard
from rolldeck.kit.proposal import ProposedElement
from rolldeck.kit.scan import FoundFile
from rolldeck.kit.weights_head import LFS_POINTER, read_head
from rolldeck.text import clean_line

_SHARD = re.compile(r"(.+?)[-_.](0[0-9]+|[0-9]+(?=-of-))(-of-[0-9]+)?(\.[^.]+)?")
_BASE_MODEL = re.compile(rb'"base_model_name_or_path":\s*"([^"\\]+)"')
_FAR_LARGER = 1.5


def model_directories(files: Iterable[FoundFile]) -> tuple[str, ...]:
    """Return the directories that are one model each: those of MLflow, TensorFlow and Core ML.

    The context itself is never one: other elements lie in it.
    """
    found: set[str] = set()
    for file in files:
        in_package = re.match(r"(.+?\.ml(?:package|modelc))/", file.path)
        if in_package:
            found.add(in_package[1])
        elif file.directory and file.name in ("MLmodel", "saved_model.pb"):
            found.add(file.directory)
    return tuple(sorted(path for path in found if not any(path.startswith(f"{p}/") for p in found)))


def model_elements(
    weights: Sequence[FoundFile], in_directories: Sequence[FoundFile], directories: Sequence[str]
) -> Iterator[ProposedElement]:
    """Yield the model, then its parts: the rest of its files, other weights, settings."""
    families = _families([file for file in weights if file.kind == "weights"])
    settings = [file for file in weights if file.kind == "part"]
    whole = [
        _whole(path, [file for file in in_directories if file.path.startswith(f"{path}/")])
        for path in directories
    ]
    adapters = {file.directory for file in settings if file.name == "adapter_config.json"}
    main = _main(families, adapters) if families else None
    if main is not None:
        first, *shards = main
        count = f", the first of {len(main)} files" if shards else ""
        yield ProposedElement("model", first.path, _why(first) + count, 1, first.size)
        for shard in shards:
            yield ProposedElement(
                "modelpart", shard.path, "another file of the model", 1, shard.size
            )
    elif whole:
        first_dir, *whole = whole
        yield first_dir
    for family in families:
        if family is not main:
            for file in family:
                is_adapter = _is_adapter(file, adapters)
                why = (
                    f"an adapter, {_why(file)}" if is_adapter else f"further weights, {_why(file)}"
                )
                kind = "lora-adapter" if is_adapter else None
                yield ProposedElement("modelpart", file.path, why, 1, file.size, kind)
    for element in whole:
        yield ProposedElement("modelpart", element.path, element.why, element.files, element.size)
    for file in settings:
        kind = part_type(file.name)
        why = f"belongs to the weights: {kind or 'settings'}"
        yield ProposedElement("modelpart", file.path, why, 1, file.size, kind)


def model_fields(
    weights: Sequence[FoundFile],
    elements: Sequence[ProposedElement],
    card: ModelCard,
    root: Path,
) -> dict[str, str]:
    """Return the model's name, framework, format and description as far as they are known."""
    model = next((item for item in elements if item.kind == "model"), None)
    if model is None:
        return {}
    file = next((file for file in weights if file.path == model.path), None)
    format_name = file.format if file and file.format != LFS_POINTER else None
    found = {"name": clean_line(card.name or root.resolve().name or "model", 100)}
    framework = card.framework or FRAMEWORKS.get(format_name or "")
    if file and not card.framework:
        config = _beside(weights, file.directory, "config.json", root)
        if b'"transformers_version"' in config or b'"architectures"' in config:
            framework = "transformers"
    if framework:
        found["framework"] = framework
    if format_name:
        found["format"] = format_name
    base = _base_model(weights, file.directory, root) if file else None
    if base:
        found["description"] = f"Adapter for {base}"
    return found


def _families(weights: Sequence[FoundFile]) -> list[list[FoundFile]]:
    """Group the files of one model: the same name but for a number, in one directory."""
    found: dict[tuple[str, str], list[FoundFile]] = {}
    for file in weights:
        match = _SHARD.fullmatch(file.name)
        name = f"{match[1]}{match[3] or ''}{match[4] or ''}" if match else file.name
        found.setdefault((file.directory, name), []).append(file)
    return list(found.values())


def _main(families: Sequence[list[FoundFile]], adapters: set[str]) -> list[FoundFile]:
    """Choose the model: what is far larger than the rest, else the first that runs no code."""
    candidates = [family for family in families if not _is_adapter(family[0], adapters)] or list(
        families
    )
    sizes = [sum(file.size for file in family) for family in candidates]
    if max(sizes) > _FAR_LARGER * sum(sizes) / len(sizes):
        return candidates[sizes.index(max(sizes))]
    return min(candidates, key=lambda family: family[0].format in PICKLED)


def _is_adapter(file: FoundFile, adapters: set[str]) -> bool:
    is_named = file.name.casefold().startswith("adapter_model") or "lora" in file.name.casefold()
    return is_named or (file.directory in adapters and file.kind == "weights")


def _why(file: FoundFile) -> str:
    if file.format == LFS_POINTER:
        return "weights by the name; a pointer of Git LFS"
    how = "by its first bytes" if file.is_sure else "by its name"
    return f"{file.format or 'weights'} {how}"


def _whole(path: str, files: Sequence[FoundFile]) -> ProposedElement:
    names = {file.name for file in files}
    kind = "Core ML package"
    if "MLmodel" in names:
        kind = "MLflow model"
    elif "saved_model.pb" in names:
        kind = "TensorFlow SavedModel"
    size = sum(file.size for file in files)
    return ProposedElement("model", path, f"{kind}: {len(files)} files", len(files), size)


def _base_model(weights: Sequence[FoundFile], directory: str, root: Path) -> str | None:
    found = _BASE_MODEL.search(_beside(weights, directory, "adapter_config.json", root))
    return clean_line(found[1].decode(errors="replace"), 200) if found else None


def _beside(files: Sequence[FoundFile], directory: str, name: str, root: Path) -> bytes:
    """Return the start of a file that lies beside the weights; empty where there is none."""
    path = f"{directory}/{name}" if directory else name
    return read_head(root / path) if any(file.path == path for file in files) else b""

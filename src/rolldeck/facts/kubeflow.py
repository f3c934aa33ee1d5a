"""Pipelines of Kubeflow, compiled to YAML (IR, schema 2.x).

Compiling is deterministic, so the digest of the file tells whether two versions came out of one
pipeline: the code of its components stands in it. The packages that components install at run time
stand inside shell commands; they are read as far as those go.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from rolldeck.facts.document import MOST, entries, items, mapping, name, text
from rolldeck.facts.load import load_yaml
from rolldeck.facts.model import EnvironmentFact, Facts, LineageFact, Parameter, Value
from rolldeck.facts.packages import canonical_name
from rolldeck.facts.parameters import flatten
from rolldeck.facts.tolerant import tolerant
from rolldeck.text import clean_line

_MARKS = (b"schemaVersion:", b"deploymentSpec:", b"root:")
"""What stands in every compiled pipeline and together in hardly any other YAML."""
_COMMAND_LIMIT = 64 * 1024
_VALUE_LIMIT = 500
_PINNED = re.compile(r"@sha(256|512):[0-9a-f]{64,128}")
_ENDS = ("&&", "||", ";", "|", "&")
_VALUED = ("--index-url", "--extra-index-url", "--trusted-host", "-i", "-c", "-r", "-f")
"""Options of pip whose value is the next word."""
_REQUIREMENT = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*((?:[<>=!~;@].*)?)", re.DOTALL)
_EXACT = re.compile(r"={2,3}\s*([\w.!+-]+)")
_RESOURCES = (
    ("cpu", ("resourceCpuLimit", "cpuLimit")),
    ("memory", ("resourceMemoryLimit", "memoryLimit")),
)


@tolerant
def read(path: str, data: bytes) -> Facts:
    """Read a compiled pipeline; empty facts for any other YAML."""
    if not all(mark in data for mark in _MARKS):
        return Facts()
    document = mapping(load_yaml(data))
    executors = mapping(mapping(document.get("deploymentSpec")).get("executors"))
    if not executors or not mapping(document.get("root")):
        return Facts()
    source = clean_line(path)
    containers = [
        (label.removeprefix("exec-"), mapping(mapping(executor).get("container")))
        for key, executor in entries(executors)
        if (label := name(key))
    ]
    environment = (*_environment(containers, source), *_packages(containers, source))
    remark = f"packages: {source}: read out of the commands of components, best effort"
    return Facts(
        parameters=tuple(
            Parameter(label, value, source) for label, value in _parameters(document).items()
        ),
        environment=environment,
        lineage=tuple(_lineage(document, data, containers, source)),
        missing=(remark,) if any(item.group == "package" for item in environment) else (),
    )


_Containers = list[tuple[str, Mapping[str, Any]]]


def _lineage(
    document: Mapping[str, Any], data: bytes, containers: _Containers, source: str
) -> Iterator[LineageFact]:
    label = name(mapping(document.get("pipelineInfo")).get("name")) or "unnamed"
    digest = hashlib.sha256(data).hexdigest()
    yield LineageFact("pipeline", f"kfp:{label} sha256:{digest}", source)
    if sdk := text(document.get("sdkVersion")):
        yield LineageFact("pipeline sdk", sdk, source)
    images = [image for _, container in containers if (image := text(container.get("image")))]
    if images:
        pinned = sum(_PINNED.search(image) is not None for image in images)
        yield LineageFact("pipeline images pinned", f"{pinned} of {len(images)}", source)


def _environment(containers: _Containers, source: str) -> Iterator[EnvironmentFact]:
    for label, container in containers:
        if image := text(container.get("image")):
            pinned = "" if _PINNED.search(image) else " (not pinned)"
            shown = clean_line(image, _VALUE_LIMIT) + pinned
            yield EnvironmentFact("image", label, shown, source)
        resources = mapping(container.get("resources"))
        if accelerator := _accelerator(mapping(resources.get("accelerator"))):
            yield EnvironmentFact("hardware", f"{label} accelerator", accelerator, source)
        for kind, keys in _RESOURCES:
            if limit := next((found for key in keys if (found := text(resources.get(key)))), None):
                yield EnvironmentFact("hardware", f"{label} {kind} limit", limit, source)


def _accelerator(fields: Mapping[str, Any]) -> str | None:
    kind = text(fields.get("resourceType")) or text(fields.get("type"))
    count = text(fields.get("resourceCount")) or text(fields.get("count"))
    return f"{kind} x {count or 1}" if kind else None


def _parameters(document: Mapping[str, Any]) -> dict[str, Value]:
    """Return the defaults of the pipeline's inputs, and the constants of its tasks by task."""
    root = mapping(document.get("root"))
    found: dict[str, Value] = {}
    for key, described in entries(mapping(root.get("inputDefinitions")).get("parameters")):
        fields = mapping(described)
        if "defaultValue" in fields:
            _add(found, key, fields["defaultValue"], fields.get("parameterType"))
    components = mapping(document.get("components"))
    for graph in (root, *(mapping(component) for _, component in entries(components))):
        for task_key, task in entries(mapping(graph.get("dag")).get("tasks")):
            inputs = mapping(mapping(task).get("inputs")).get("parameters")
            for key, given in entries(inputs):
                runtime = mapping(mapping(given).get("runtimeValue"))
                if "constant" in runtime:
                    _add(found, f"{task_key}.{key}", runtime["constant"], None)
    return found


def _add(found: dict[str, Value], label: str, value: Any, kind: Any) -> None:
    for path, leaf in flatten({label: value}).leaves:
        if len(found) < MOST:
            found.setdefault(path, _whole(leaf) if kind == "NUMBER_INTEGER" else leaf)


def _whole(value: Value) -> Value:
    """Return the integer that the compiler wrote as a float."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _packages(containers: _Containers, source: str) -> Iterator[EnvironmentFact]:
    versions: dict[str, dict[str, None]] = {}
    for _, container in containers:
        for command in items(container.get("command")):
            if isinstance(command, str) and "pip install" in command[:_COMMAND_LIMIT]:
                for label, version in _installed(command[:_COMMAND_LIMIT]):
                    versions.setdefault(label, {}).setdefault(version)
    for label, found in versions.items():
        shown = clean_line(" or ".join(list(found)[:8]), _VALUE_LIMIT)
        yield EnvironmentFact("package", label, shown, source)


def _installed(command: str) -> Iterator[tuple[str, str]]:
    """Yield the packages that a shell command installs.

    Of the call that installs kfp itself for the component only kfp counts: what else stands there
    is how kfp starts itself.
    """
    for words in _pip_calls(command):
        own = "--no-deps" in words
        for word in words:
            match = _REQUIREMENT.fullmatch(word)
            if match is None or (own and canonical_name(match[1]) != "kfp"):
                continue
            specifier = clean_line(match[2].strip(), _VALUE_LIMIT)
            exact = _EXACT.fullmatch(specifier)
            yield canonical_name(match[1]), exact[1] if exact else specifier or "unpinned"


def _pip_calls(command: str) -> Iterator[list[str]]:
    """Yield the arguments of each ``pip install``; none of a command that is no shell."""
    try:
        words = shlex.split(command.replace("\n", " ; "))
    except ValueError:
        return
    call: list[str] | None = None
    skipping = False
    for before, word in zip(("", *words), words, strict=False):
        if word in _ENDS:
            if call is not None:
                yield call
            call = None
        elif before == "pip" and word == "install":
            call = []
        elif call is not None and not skipping:
            call.append(word)
        skipping = word in _VALUED
    if call is not None:
        yield call

"""Dockerfiles: the base image of the last stage, what it sets, and what pip installs, best effort.

Own reader of a few lines: the library for this takes a ``FROM`` inside a heredoc for an image.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rolldeck.facts.document import without_credentials
from rolldeck.facts.model import EnvironmentFact, Facts
from rolldeck.facts.packages import Package, PackageList
from rolldeck.facts.requirements import read_requirements
from rolldeck.facts.variables import variable_facts
from rolldeck.text import clean_line

_LIMIT = 1024 * 1024
_LINE_LIMIT = 64 * 1024
_MOST_STAGES = 100
_ESCAPE = re.compile(r"(?:#[ \t]*\w+[ \t]*=.*\n)*?#[ \t]*escape[ \t]*=[ \t]*(\S)", re.IGNORECASE)
_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)\s+(.*)", re.DOTALL)
_HEREDOC = re.compile(r"<<-?\s*([\"']?)([A-Za-z_][\w.]*)\1")
_FROM = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?", re.IGNORECASE)
_REFERENCE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?([-+])([^}]*))?\})")
_PAIR = re.compile(r"(\w[\w.-]*)=(\"(?:[^\"\\]|\\.)*\"|'[^']*'|\S*)")
_PIP = re.compile(r"\bpip[0-9.]*\s+install\s+([^;&|]*)")
_TAKES_VALUE = re.compile(
    r"-[rcift]|--(requirement|constraint|(extra-)?index-url|find-links|target|prefix|root|src"
    r"|trusted-host|python|platform|timeout|cache-dir)"
)
"""Options of pip after which a word is no requirement."""
_CUDA = re.compile(r"(?:^|/)cuda:(\d+(?:\.\d+)*)|cuda(\d+\.\d+(?:\.\d+)?)")
_PYTHON = re.compile(r"(?:^|/)python:(\d+(?:\.\d+)*)")


@dataclass(slots=True)
class _Stage:
    """One stage as far as it was read: the image that it starts from and what it adds."""

    base: str
    variables: list[tuple[str, str]] = field(default_factory=list)
    packages: list[Package] = field(default_factory=list)


def read(path: str, data: bytes) -> Facts:
    """Return what the image that the file builds starts from, sets and installs with pip.

    A stage that starts from another one takes over its base, variables and packages.
    """
    source = clean_line(path)
    content = data[:_LIMIT].decode("utf-8-sig", errors="replace")
    stage = _last_stage(content)
    if stage is None:
        return Facts(missing=(f"{source}: holds no FROM",))
    found = PackageList(source, "requested", stage.packages).facts()
    return Facts(
        environment=(
            *(EnvironmentFact(*fact, source) for fact in _image(stage.base)),
            *variable_facts(stage.variables, source),
            *found.environment,
        )
    )


def _image(base: str) -> Iterator[tuple[str, str, str]]:
    shown = clean_line(without_credentials(base), 500)
    yield "image", "base", shown
    pinned = "by digest" if "@sha256:" in base else "no"
    if base != "scratch":
        yield "image", "pinned", "unknown" if "$" in base else pinned
    if cuda := _CUDA.search(base):
        yield "image", "cuda", cuda[1] or cuda[2]
    if python := _PYTHON.search(base):
        exact = python[1].count(".") >= 2
        yield (
            "python",
            "version" if exact else "requires",
            python[1] if exact else f"=={python[1]}.*",
        )


def _last_stage(content: str) -> _Stage | None:
    arguments: dict[str, str] = {}
    stages: dict[str, _Stage] = {}
    stage: _Stage | None = None
    for instruction, rest in _instructions(content):
        if instruction == "FROM" and len(stages) < _MOST_STAGES:
            if match := _FROM.match(rest):
                stage = _started(_filled(match[1], arguments), stages)
                stages[match[2].lower() if match[2] else f" {len(stages)}"] = stage
        elif instruction == "ARG" and stage is None:
            name, _, value = rest.strip().partition("=")
            arguments[name] = _filled(_unquoted(value), arguments)
        elif stage is not None:
            _add(stage, instruction, rest)
    return stage


def _started(base: str, stages: Mapping[str, _Stage]) -> _Stage:
    earlier = stages.get(base.lower())
    if earlier is None:
        return _Stage(base)
    return _Stage(earlier.base, list(earlier.variables), list(earlier.packages))


def _add(stage: _Stage, instruction: str, rest: str) -> None:
    if instruction == "ENV":
        pairs = [(match[1], _unquoted(match[2])) for match in _PAIR.finditer(rest)]
        if not pairs:
            name, _, value = rest.strip().partition(" ")
            pairs = [(name, value.strip())]
        stage.variables += pairs
    elif instruction == "RUN":
        for match in _PIP.finditer(rest):
            found = read_requirements(_wanted(match[1])).packages
            stage.packages += [Package(item.name, item.version, item.where) for item in found]


def _wanted(arguments: str) -> Iterator[str]:
    """Yield the requirements among the arguments of ``pip install``."""
    try:
        words = shlex.split(arguments[:_LINE_LIMIT])
    except ValueError:
        words = arguments.split()
    skip = False
    for word in words:
        if not skip and not word.startswith(("-", "$", ".", "/", "<", ">")):
            yield word
        skip = _TAKES_VALUE.fullmatch(word) is not None


def _instructions(content: str) -> Iterator[tuple[str, str]]:
    """Yield instructions with their arguments, continued lines joined and heredocs left out.

    The body of a heredoc belongs to ``RUN`` and is given with it.
    """
    lines = iter(content.splitlines())
    escape = match[1] if (match := _ESCAPE.match(content)) else "\\"
    for line in lines:
        if _skipped(line):
            continue
        match = _INSTRUCTION.fullmatch(_whole(line, lines, escape))
        if match is None:
            continue
        rest = match[2]
        if match[1].upper() in ("RUN", "COPY", "ADD"):
            for _, word in _HEREDOC.findall(rest)[:10]:
                body = _body(lines, word)
                rest = f"{rest} ; {' ; '.join(body)}" if match[1].upper() == "RUN" else rest
        yield match[1].upper(), rest


def _whole(line: str, lines: Iterator[str], escape: str) -> str:
    """Return a line with those that continue it, without the comments between them."""
    parts: list[str] = []
    length = 0
    while line.rstrip().endswith(escape) and length < _LINE_LIMIT:
        parts.append(line.rstrip()[:-1].strip())
        length += len(parts[-1]) + 1
        line = next((found for found in lines if not _skipped(found)), "")
    return " ".join((*parts, line.strip()))


def _skipped(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _body(lines: Iterator[str], word: str) -> list[str]:
    body = []
    for line in lines:
        if line.lstrip("\t") == word:
            break
        body.append(line)
    return body


def _filled(text: str, arguments: Mapping[str, str]) -> str:
    """Return text with the build arguments that have a default; others stay as they stand."""

    def value(match: re.Match[str]) -> str:
        found = arguments.get(match[1] or match[2])
        if match[3] == "+":
            return match[4] if found else ""
        return found or (match[4] if match[3] == "-" else match[0])

    return _REFERENCE.sub(value, text)[:4096]


def _unquoted(value: str) -> str:
    value = value.strip()
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value

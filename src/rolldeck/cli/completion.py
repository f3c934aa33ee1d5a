"""What may stand next on a command line; the shells ask at each press of the tab key.

Own code, since shtab knows neither fish nor values that change, and argcomplete is a dependency
in place of three short scripts. The parsers say which options and arguments there are; what an
argument holds is known by its metavar. No network, and of the library only its index is read.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rolldeck.text import clean_line

Paths = Literal["", "files", "directories"]

_MOST = 1000
"""Most candidates given: nobody reads more, and a shell takes its time to lay them out."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word that may stand there, with what a shell may show beside it."""

    word: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """What may replace ``word``, the last of the line; ``paths`` are found by the shell."""

    word: str
    candidates: tuple[Candidate, ...] = ()
    paths: Paths = ""

    @property
    def text(self) -> str:
        """The answer to a shell: ``PATHS<tab>WORD``, then a candidate per line."""
        pairs: list[tuple[str, str]] = [(self.paths, self.word)]
        pairs += [(item.word, item.description) for item in self.candidates]
        return "".join(f"{clean_line(a)}\t{clean_line(b)}\n" for a, b in pairs)


def complete(line: str) -> Completion:
    """Return what may follow at the end of ``line``, which begins with the program's name."""
    from rolldeck.cli.arguments import verb_parser

    words = split_line(line)[1:] or [""]
    place = _walk(verb_parser(), words[:-1])
    word = words[-1]
    sources = _Sources(place)
    if place.option is not None:
        return _filtered(word, "", sources.of(place.option))
    if word.startswith("--") and "=" in word:
        name, _, value = word.partition("=")
        option = place.parser._option_string_actions.get(name)
        if option is None or option.nargs == 0:
            return Completion(word)
        return _filtered(word, f"{name}=", sources.of(option), value)
    if word.startswith("-") and not place.only_arguments:
        return _filtered(word, "", (_options(place.parser, word), ""))
    return _filtered(word, "", sources.of(place.argument) if place.argument else ((), ""))


def split_line(line: str) -> list[str]:
    """Split a line as a shell does; the last word may be empty or not ended yet."""
    for closing in ("", '"', "'"):
        with contextlib.suppress(ValueError):
            words = shlex.split(line + closing)
            is_ended = not closing and line[-1:].isspace() and line[-2:-1] != "\\"
            return [*words, ""] if is_ended or not words else words
    return [*line.split(), ""]


@dataclass
class _Place:
    """Where in the grammar a line ends: what is asked for next, and what was given before."""

    parser: argparse.ArgumentParser
    argument: argparse.Action | None = None
    option: argparse.Action | None = None
    only_arguments: bool = False
    given: list[str] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)


def _walk(parser: argparse.ArgumentParser, words: Sequence[str]) -> _Place:
    place = _Place(parser)
    waiting = _arguments(parser)
    for word in words:
        if place.option is not None:
            place.options[place.option.dest] = word
            place.option = None
        elif word == "--":
            place.only_arguments = True
        elif word.startswith("-") and len(word) > 1 and not place.only_arguments:
            name, equals, value = word.partition("=")
            option = place.parser._option_string_actions.get(name)
            if option is not None and option.nargs != 0:
                if equals:
                    place.options[option.dest] = value
                else:
                    place.option = option
        elif waiting and isinstance(waiting[0], argparse._SubParsersAction):
            verb = waiting[0].choices.get(word)
            if verb is None:
                return _Place(place.parser, only_arguments=True)
            place.parser, waiting = verb, _arguments(verb)
        else:
            place.given.append(word)
            if waiting and waiting[0].nargs not in ("+", "*"):
                waiting.pop(0)
    place.argument = waiting[0] if waiting else None
    return place


def _arguments(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if not action.option_strings]


def _options(parser: argparse.ArgumentParser, word: str) -> Iterable[Candidate]:
    for action in parser._actions:
        if action.help != argparse.SUPPRESS:
            for name in action.option_strings:
                # A short option is its own word; it is shown where nothing else was typed.
                if name.startswith("--") or name == word:
                    yield Candidate(name, action.help or "")


def _filtered(
    word: str, prefix: str, found: tuple[Iterable[Candidate], Paths], value: str | None = None
) -> Completion:
    candidates, paths = found
    # A shell may put a word on its line as it is: what would need quotes is left out.
    start = word if value is None else value
    fitting = {
        item.word: Candidate(prefix + item.word, item.description)
        for item in candidates
        if item.word.startswith(start) and shlex.quote(item.word) == item.word
    }
    return Completion(word, tuple(fitting.values())[:_MOST], paths)


class _Sources:
    """The words that an argument can hold."""

    def __init__(self, place: _Place) -> None:
        self._place = place

    def of(self, action: argparse.Action) -> tuple[Iterable[Candidate], Paths]:
        """Return the words for an argument or an option's value, and which paths fit, too."""
        if isinstance(action, argparse._SubParsersAction):
            verbs = [Candidate(item.dest, item.help or "") for item in action._choices_actions]
            return [*verbs, *self._references()], ""
        if action.choices is not None:
            return [Candidate(str(choice)) for choice in action.choices], ""
        names = action.metavar if isinstance(action.metavar, str) else ""
        words: list[Candidate] = []
        paths: Paths = ""
        for name in names.strip("[]").split("|"):
            if name in _PATHS:
                paths = _PATHS[name]
            if name in _WORDS:
                words += _WORDS[name](self)
        return words, paths

    @cached_property
    def _raw(self) -> dict[str, Any]:
        # Only looked at: to check the settings takes longer than a key may.
        import tomllib

        from rolldeck.settings import config_home

        chosen = self._place.options.get("settings")
        path = Path(chosen).expanduser() if chosen else config_home() / "settings.toml"
        with contextlib.suppress(OSError, ValueError):
            return tomllib.loads(path.read_text("utf-8"))
        return {}

    @cached_property
    def _entries(self) -> list[tuple[str, str | None, str]]:
        """Repository, tag and digest of what stands in the library."""
        from rolldeck.errors import RolldeckError
        from rolldeck.oci import is_record_tag
        from rolldeck.settings import data_home
        from rolldeck.store import Library

        chosen = (
            self._place.options.get("library")
            or os.environ.get("ROLLDECK_LIBRARY")
            or self._raw.get("library")
        )
        root = Path(chosen).expanduser() if isinstance(chosen, str) else data_home()
        with contextlib.suppress(RolldeckError):
            return [
                (entry.repository, entry.tag, entry.descriptor.digest)
                for entry in Library(root).entries()
                if not (entry.tag and is_record_tag(entry.tag))
            ]
        return []

    def _names(self, repository: str) -> list[str]:
        """How a repository of the library is typed: a registry's also as the registry's own."""
        from rolldeck.oci import Place, Reference

        name = Reference(Place.LIBRARY, "", repository).name
        return [name, repository] if name != repository else [name]

    def _references(self) -> list[Candidate]:
        from rolldeck.units import short_digest

        return [
            Candidate(f"{name}:{tag}", short_digest(digest))
            for repository, tag, digest in self._entries
            if tag
            for name in self._names(repository)
        ]

    def _repositories(self) -> list[Candidate]:
        names = dict.fromkeys(
            name for repository, _, _ in self._entries for name in self._names(repository)
        )
        return [*map(Candidate, names), *self._configured()]

    def _configured(self) -> list[Candidate]:
        """Registries of the settings, and the repositories named there."""
        found = []
        registries = self._raw.get("registries")
        for host, table in (registries if isinstance(registries, dict) else {}).items():
            found.append(f"{host}/")
            named = table.get("repositories") if isinstance(table, dict) else None
            found += [f"{host}/{name}" for name in (named if isinstance(named, list) else ())]
        return [Candidate(name) for name in found]

    def _tags_of_first(self) -> list[Candidate]:
        """Tags alone mean the repository of the argument before."""
        first = (self._place.given[0] if self._place.given else "").partition("@")[0]
        # A repository may stand there alone, or with a tag.
        places = (first, first.rpartition(":")[0])
        return [
            Candidate(item.word.rpartition(":")[2], item.description)
            for item in self._references()
            if item.word.rpartition(":")[0] in places
        ]

    def _channels(self) -> list[Candidate]:
        """What may be a channel: tags that have not the shape of a version."""
        from rolldeck.facts import is_version_tag

        found = [*self._tags_of_first(), *self._references()]
        return [item for item in found if not is_version_tag(item.word.rpartition(":")[2])]

    def _targets(self) -> list[Candidate]:
        from rolldeck.release.known import known_paths

        return [Candidate(str(item.path), item.repository) for item in known_paths()]


_WORDS: dict[str, Callable[[_Sources], list[Candidate]]] = {
    "REFERENCE": _Sources._references,
    "CHANNEL": _Sources._channels,
    "A": _Sources._references,
    "B": lambda sources: [*sources._tags_of_first(), *sources._references()],
    "REF": lambda sources: [*sources._tags_of_first(), *sources._references()],
    "PLACE": _Sources._repositories,
    "REPOSITORY": _Sources._repositories,
    "WHAT": lambda sources: [
        *sources._targets(),
        *sources._channels(),
        *sources._repositories(),
    ],
    "REGISTRY": _Sources._configured,
    "TARGET": _Sources._targets,
}
"""What an argument holds, by its metavar; alternatives in one are separated by ``|``."""

_PATHS: dict[str, Paths] = {
    "FILE": "files",
    "DIR": "directories",
    "TARGET": "directories",
}

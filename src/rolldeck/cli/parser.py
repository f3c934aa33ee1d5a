"""The parser of one command line: mistakes told as all others, help put together when asked for."""

from __future__ import annotations

import argparse
from typing import NoReturn

from rolldeck.errors import UsageError

_REFERENCE = "a version: [HOST/]REPOSITORY[:TAG|@DIGEST] or oci:DIRECTORY[:TAG]"
_WIDTH = 79


class Parser(argparse.ArgumentParser):
    """Reports mistakes as the project's own error, so that they look like all others."""

    verb = ""
    _is_shown = False

    def format_help(self) -> str:
        """Return the help, which for a verb is put together only now: few command lines ask."""
        self._is_shown = True
        if self.verb:
            _finish(self, self.verb)
        return super().format_help()

    def _get_formatter(self) -> argparse.HelpFormatter:
        if self._is_shown:
            return super()._get_formatter()
        # Each argument that is added is looked at by one, which would measure the terminal.
        return argparse.HelpFormatter(self.prog, width=_WIDTH)

    def error(self, message: str) -> NoReturn:
        raise UsageError(message[:1].upper() + message[1:], hint=f"See: {self.prog} --help")


class Unasked:
    """Stands for the parser of a verb that nobody asked for: its arguments are not made."""

    def add_argument(self, *_: object, **__: object) -> Unasked:
        return self

    add_argument_group = add_mutually_exclusive_group = add_argument


def _finish(parser: argparse.ArgumentParser, verb: str) -> None:
    """Make the help of a verb short: a usage of what is its own, references told, examples."""
    import textwrap

    from rolldeck.commands import command_of_verb

    command = command_of_verb(verb)
    arguments = [action for action in parser._actions if not action.option_strings]
    needed = [
        f"{action.option_strings[0]} {action.metavar}"
        for action in parser._actions
        if action.option_strings and action.required
    ]
    parser.usage = " ".join([parser.prog, "[options]", *needed, *map(_shown, arguments)])
    parser._positionals.title = "arguments"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = textwrap.fill(command.help, _WIDTH)
    for action in arguments:
        if action.metavar == "REFERENCE" and action.help is None:
            action.help = _REFERENCE
    if command.examples:
        parser.epilog = "\n".join(["examples:", *(f"  {line}" for line in command.examples)])


def _shown(argument: argparse.Action) -> str:
    name = argument.metavar if isinstance(argument.metavar, str) else ""
    if argument.choices is not None:
        name = "|".join(map(str, argument.choices))
    return {"?": f"[{name}]", "*": f"[{name} ...]", "+": f"{name} ..."}.get(
        str(argument.nargs), name
    )


def verb_list() -> str:
    """Return the verbs with what each does, and how to learn more."""
    import textwrap

    from rolldeck.commands import command_of_verb, verbs

    lines = ["verbs:"]
    for name in verbs():
        lines += textwrap.wrap(
            command_of_verb(name).help,
            _WIDTH,
            initial_indent=f"  {name:12}",
            subsequent_indent=" " * 14,
        )
    return "\n".join([*lines, "", "See: rolldeck VERB --help"])


def help_of(verb: str) -> str:
    """Return what the command registry says of a verb."""
    from rolldeck.commands import command_of_verb

    return command_of_verb(verb).help

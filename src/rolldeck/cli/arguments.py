"""The arguments of the command line; help texts come from the command registry."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from rolldeck import __version__
from rolldeck.commands import command_of_verb, verbs
from rolldeck.errors import UsageError

_DESCRIPTION = """\
Find what changed between two versions of a model, and put the good one back.

Without a verb rolldeck opens the deck; a REFERENCE opens it there. A reference is
[host[:port]/]repository[:tag|@digest]; without a host it names the local library.
oci:DIRECTORY names an OCI layout.
"""


class _Parser(argparse.ArgumentParser):
    """Reports mistakes as the project's own error, so that they look like all others."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message[:1].upper() + message[1:], hint=f"See: {self.prog} --help")


def _shared(default: str | None = argparse.SUPPRESS) -> _Parser:
    """Return the options of every verb; left out they change nothing that stands before it."""
    shared = _Parser(add_help=False, argument_default=default)
    shared.add_argument(
        "--json", action="store_true", default=default, help="print one JSON document"
    )
    shared.add_argument("--settings", type=Path, metavar="FILE", help="another settings file")
    shared.add_argument(
        "--library", type=Path, metavar="DIR", help="another library than the settings say"
    )
    shared.add_argument(
        "--read-only", action="store_true", default=default, help="refuse whatever changes anything"
    )
    return shared


def _network(default: str | None = argparse.SUPPRESS) -> _Parser:
    """Return the options of every verb that may ask a registry."""
    network = _Parser(add_help=False, argument_default=default)
    network.add_argument(
        "--plain-http",
        action="store_true",
        default=default,
        help="use http for the registries named here",
    )
    network.add_argument(
        "--concurrency", type=int, metavar="N", help="blobs to transfer at once (default 5)"
    )
    return network


def _moving() -> _Parser:
    moving = _Parser(add_help=False)
    moving.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
    moving.add_argument("--yes", "-y", action="store_true", help="do not ask")
    moving.add_argument("--reason", metavar="TEXT", help="recorded in the target's history")
    return moving


def deck_parser() -> argparse.ArgumentParser:
    """Return the parser of ``rolldeck [REFERENCE]``, which opens the deck."""
    parser = _Parser(
        prog="rolldeck",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_shared(None), _network(None)],
        epilog="Verbs: " + ", ".join(verbs()) + ". See: rolldeck VERB --help",
    )
    parser.add_argument("--version", action="version", version=f"rolldeck {__version__}")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    parser.add_argument("reference", nargs="?", metavar="REFERENCE", help="where to open the deck")
    return parser


def verb_parser() -> argparse.ArgumentParser:
    """Return the parser of ``rolldeck VERB ...``."""
    parser = _Parser(
        prog="rolldeck", description=_DESCRIPTION, parents=[_shared(None), _network(None)]
    )
    subparsers = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, *parents: _Parser) -> _Parser:
        text = command_of_verb(name).help
        return subparsers.add_parser(
            name, help=text, description=text, parents=[_shared(), *parents]
        )

    listing = verb("ls", _network())
    listing.add_argument(
        "place",
        nargs="?",
        metavar="PLACE",
        help="a repository, HOST/ or oci:DIRECTORY; without it: all repositories known here",
    )
    show = verb("show", _network())
    show.add_argument("reference", metavar="REFERENCE")
    diff = verb("diff", _network())
    diff.add_argument("a", metavar="A", help="the baseline")
    diff.add_argument("b", metavar="B", help="a tag alone means the repository of A")
    diff.add_argument("--all", action="store_true", help="show equal rows too")
    diff.add_argument("--exit-code", action="store_true", help="exit with 1 where they differ")
    diff.add_argument(
        "--tolerance",
        type=float,
        default=0.0,
        metavar="F",
        help="relative change that counts as none",
    )
    diff.add_argument("--file", metavar="PATH", help="print the text difference of one file")
    pull = verb("pull", _network())
    pull.add_argument("references", nargs="+", metavar="REFERENCE")
    pull.add_argument(
        "--unpack",
        type=Path,
        metavar="DIR",
        help="unpack on the way, into a new or empty directory; takes one reference",
    )
    unpack = verb("unpack", _network())
    unpack.add_argument("reference", metavar="REFERENCE")
    unpack.add_argument(
        "-d",
        "--directory",
        type=Path,
        required=True,
        metavar="DIR",
        help="a new or empty directory",
    )
    pin = verb("pin", _network(), _moving())
    pin.add_argument("reference", metavar="REFERENCE")
    pin.add_argument("target", type=Path, metavar="TARGET", help="a directory of its own")
    rollback = verb("rollback", _network(), _moving())
    rollback.add_argument("target", type=Path, metavar="TARGET", help="the directory")
    rollback.add_argument(
        "--to", metavar="VERSION", help="a tag, digest or generation (g3) of the target's history"
    )
    undo = verb("undo", _network(), _moving())
    undo.add_argument("target", type=Path, metavar="TARGET", help="the directory")
    verify = verb("verify", _network())
    verify.add_argument("what", nargs="+", metavar="REFERENCE|TARGET")
    demo = verb("demo")
    demo.add_argument(
        "--headless", action="store_true", help="tell the story as text, also on a terminal"
    )
    demo.add_argument(
        "--directory",
        type=Path,
        metavar="DIR",
        help="keep the demo's files there (default: a new directory below the state directory)",
    )
    return parser

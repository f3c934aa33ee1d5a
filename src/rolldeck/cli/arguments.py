"""The arguments of the command line; help texts come from the command registry."""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path
from typing import Any

from rolldeck import __version__
from rolldeck.cli.channel_arguments import add_channel_verbs
from rolldeck.cli.channel_view_arguments import add_channel_views
from rolldeck.cli.diff_arguments import add_diff_arguments
from rolldeck.cli.judging_arguments import add_judging_verbs
from rolldeck.cli.many_arguments import add_plot_arguments, add_table_arguments
from rolldeck.cli.parser import Parser, Unasked, help_of, verb_list
from rolldeck.cli.target_arguments import add_upkeep_of_targets
from rolldeck.cli.unpack_arguments import add_filter, add_unpack

SHELLS = ("bash", "zsh", "fish")
"""Shells that there is a completion script for."""

_DESCRIPTION = """\
Find what changed between two versions of a model, and put the good one back.

Without a verb rolldeck opens the deck; a REFERENCE opens it there. A reference
is [host[:port]/]repository[:tag|@digest]; without a host it names the local
library. oci:DIRECTORY names an OCI layout, kit:REFERENCE what kit keeps here.
"""


# Made once for all verbs that have them: it halves the time that the parsers take.
@cache
def _shared(default: str | None = argparse.SUPPRESS) -> Parser:
    """Return the options of every verb; left out they change nothing that stands before it."""
    parser = Parser(add_help=False, argument_default=default)
    shared = parser.add_argument_group("for every verb")
    shared.add_argument(
        "--json", action="store_true", default=default, help="print one JSON document"
    )
    shared.add_argument(
        "--settings", type=Path, metavar="FILE", help="read the settings from this file"
    )
    shared.add_argument(
        "--library", type=Path, metavar="DIR", help="use the library in this directory"
    )
    shared.add_argument(
        "--read-only", action="store_true", default=default, help="refuse whatever changes anything"
    )
    return parser


@cache
def _network(default: str | None = argparse.SUPPRESS) -> Parser:
    """Return the options of every verb that may ask a registry."""
    parser = Parser(add_help=False, argument_default=default)
    network = parser.add_argument_group("for registries")
    network.add_argument(
        "--plain-http",
        action="store_true",
        default=default,
        help="speak http, not https, with the registries named here",
    )
    network.add_argument(
        "--concurrency", type=int, metavar="N", help="transfer N blobs at once (default 5)"
    )
    return parser


def _registry_place(text: str) -> str:
    """Return a registry as a reference is written: a host alone ends with a slash."""
    return text if "/" in text or text.startswith(("oci:", "local:")) else f"{text}/"


@cache
def _asking() -> Parser:
    """Return the options of every verb that may have to ask first."""
    asking = Parser(add_help=False)
    asking.add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
    asking.add_argument("--yes", "-y", action="store_true", help="do not ask")
    return asking


@cache
def _publishing() -> Parser:
    publishing = Parser(add_help=False, parents=[_asking()])
    publishing.add_argument(
        "--force", action="store_true", help="move tags that look like a version, too"
    )
    return publishing


@cache
def _removing() -> Parser:
    removing = Parser(add_help=False, parents=[_asking()])
    removing.add_argument(
        "--force", action="store_true", help="also where a local target or an index needs it"
    )
    return removing


@cache
def _moving() -> Parser:
    moving = Parser(add_help=False, parents=[_asking()])
    moving.add_argument("--reason", metavar="TEXT", help="recorded with the move")
    return moving


def deck_parser() -> argparse.ArgumentParser:
    """Return the parser of ``rolldeck [REFERENCE]``, which opens the deck."""
    parser = Parser(
        prog="rolldeck",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_shared(None), _network(None)],
        usage="rolldeck [options] [REFERENCE]\n       rolldeck VERB ...",
        epilog=verb_list(),
    )
    parser._positionals.title = "arguments"
    parser.add_argument("--version", action="version", version=f"rolldeck {__version__}")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    parser.add_argument("reference", nargs="?", metavar="REFERENCE", help="where to open the deck")
    return parser


def verb_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of ``rolldeck VERB ...``; with ``only`` it knows that verb alone."""
    parser = Parser(
        prog="rolldeck", description=_DESCRIPTION, parents=[_shared(None), _network(None)]
    )
    # With a name of its own argparse need not write its usage to find one.
    subparsers = parser.add_subparsers(dest="verb", required=True, metavar="VERB", prog="rolldeck")

    def verb(name: str, *parents: Parser) -> Any:
        if only not in (None, name):
            return Unasked()
        # Only the list of all verbs says what each does.
        told: dict[str, Any] = {"help": help_of(name)} if only is None else {}
        made = subparsers.add_parser(name, parents=[_shared(), *parents], **told)
        made.verb = name
        return made

    listing = verb("ls", _network())
    listing.add_argument(
        "place",
        nargs="?",
        metavar="PLACE",
        help="a repository, HOST/, kit: or oci:DIRECTORY; without it: all repositories known here",
    )
    listing.add_argument(
        "--limit", type=int, metavar="N", help="of a repository only the N newest versions"
    )
    listing.add_argument(
        "--files", action="store_true", help="list the files of the version that PLACE names"
    )
    show = verb("show", _network())
    show.add_argument("reference", metavar="REFERENCE")
    show.add_argument(
        "--raw", action="store_true", help="print the exact bytes of the manifest and nothing else"
    )
    cat = verb("cat", _network())
    cat.add_argument("reference", metavar="REFERENCE")
    cat.add_argument("path", metavar="PATH", help="as unpack would write it")
    cat.add_argument(
        "--force", action="store_true", help="print to a terminal what is not text, as it is"
    )
    diff = verb("diff", _network())
    add_diff_arguments(diff)
    add_table_arguments(verb("table", _network()))
    add_plot_arguments(verb("plot", _network()))
    add_judging_verbs(verb, _network)
    pull = verb("pull", _network())
    pull.add_argument("references", nargs="+", metavar="REFERENCE")
    pull.add_argument(
        "--unpack",
        type=Path,
        metavar="DIR",
        help="unpack on the way, into a new or empty directory; takes one reference",
    )
    pull.add_argument(
        "--dry-run", action="store_true", help="say what would be fetched and fetch nothing"
    )
    add_filter(pull)
    unpack = verb("unpack", _network())
    add_unpack(unpack)
    pin = verb("pin", _network(), _moving())
    pin.add_argument("reference", metavar="REFERENCE")
    pin.add_argument("target", type=Path, metavar="TARGET", help="a directory of its own")
    pin.add_argument(
        "--follow",
        action="store_true",
        help="REFERENCE is a channel: go where it is, and follow it from now on",
    )
    add_upkeep_of_targets(verb, _network, _asking)
    add_channel_verbs(verb, _network, _moving)
    add_channel_views(verb, _network)
    verify = verb("verify", _network())
    verify.add_argument(
        "what",
        nargs="*",
        metavar="REFERENCE|TARGET",
        help="without it: the whole library and all known targets",
    )
    verify.add_argument(
        "--repair",
        action="store_true",
        help="pull what is damaged or missing in the library again from where it came",
    )
    collect = verb("gc")
    collect.add_argument("--apply", action="store_true", help="remove it, not only report")
    collect.add_argument("--dry-run", action="store_true", help="only report, also with --apply")
    collect.add_argument(
        "--spare",
        action="store_true",
        help="also blobs that an unpacked release holds, of versions that came from a registry",
    )
    collect.add_argument("--yes", "-y", action="store_true", help="do not ask")
    collect.add_argument(
        "--grace",
        type=float,
        default=24.0,
        metavar="HOURS",
        help="keep versions without a tag that came since (default 24)",
    )
    usage = verb("du")
    usage.add_argument(
        "--all", action="store_true", help="every row, not only the 10 largest of each table"
    )
    login = verb("login", _network())
    login.add_argument("registry", metavar="REGISTRY", help="host or host:port")
    login.add_argument(
        "-u", "--username", dest="user", metavar="USER", help="<token> where you have a token alone"
    )
    login.add_argument(
        "--password-stdin", action="store_true", help="read the password or token from stdin"
    )
    login.add_argument(
        "--trust-token-host",
        action="append",
        default=[],
        metavar="HOST",
        help="a token server that may get this login from now on",
    )
    login.add_argument("--dry-run", action="store_true", help="try the login but do not save it")
    logout = verb("logout")
    logout.add_argument("registry", metavar="REGISTRY", help="host or host:port")
    logout.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    doctor = verb("doctor", _network())
    doctor.add_argument(
        "place",
        nargs="?",
        type=_registry_place,
        metavar="REGISTRY",
        help="a host, or HOST/REPOSITORY to ask about that one, too",
    )
    doctor.add_argument(
        "--write",
        action="store_true",
        help="begin an upload in that repository and cancel it, to see what a push could do",
    )
    completion = verb("completion")
    completion.add_argument("shell", choices=SHELLS, help="the shell that is to complete")
    init = verb("init")
    init.add_argument(
        "directory", nargs="?", type=Path, default=Path(), metavar="DIR", help="default: here"
    )
    init.add_argument("--force", "-f", action="store_true", help="replace the Kitfile there")
    init.add_argument("--stdout", action="store_true", help="print the Kitfile, write nothing")
    init.add_argument("--dry-run", action="store_true", help="show the proposal, write nothing")
    check = verb("check")
    check.add_argument(
        "where",
        nargs="?",
        type=Path,
        default=Path(),
        metavar="DIR|KITFILE",
        help="a directory with a Kitfile, or the file itself; default: here",
    )
    check.add_argument(
        "-f", "--file", type=Path, metavar="KITFILE", help="another Kitfile for the directory"
    )
    pack = verb("pack", _network(), _publishing())
    pack.add_argument("directory", type=Path, metavar="DIR", help="paths in the Kitfile begin here")
    pack.add_argument(
        "-t",
        "--tag",
        dest="name",
        required=True,
        metavar="NAME",
        help="REPOSITORY[:TAG[,TAG...]]; else latest",
    )
    pack.add_argument(
        "--push",
        action="store_true",
        help="put it into the registry that NAME begins with, and nothing into the library",
    )
    pack.add_argument("-f", "--file", type=Path, metavar="KITFILE", help="default: the one in DIR")
    pack.add_argument(
        "--compression",
        choices=("none", "gzip", "zstd"),
        default="none",
        help="of the layers; weights hardly get smaller (default: none)",
    )
    pack.add_argument(
        "--model-pack", action="store_true", help="write a CNCF ModelPack, not a ModelKit"
    )
    pack.add_argument(
        "--exact-kit", action="store_true", help="drop and write what kit v1.11 does, to the byte"
    )
    pack.add_argument(
        "--rehash", action="store_true", help="read all files, also of layers packed before"
    )
    push = verb("push", _network(), _publishing())
    push.add_argument("reference", metavar="REFERENCE", help="of the library, or oci:DIRECTORY")
    push.add_argument(
        "destinations",
        nargs="*",
        metavar="DESTINATION",
        help="HOST/REPOSITORY:TAG, then further tags; without it where the version came from",
    )
    copy = verb("copy", _network(), _publishing())
    copy.add_argument("a", metavar="A", help="a version, wherever it is")
    copy.add_argument("b", metavar="B", help="where it goes; without a tag it keeps its own")
    tag = verb("tag", _network(), _publishing())
    tag.add_argument("reference", metavar="REFERENCE")
    tag.add_argument("tags", nargs="+", metavar="TAG", help="in the same repository")
    rm = verb("rm", _network(), _removing())
    rm.add_argument("reference", metavar="REFERENCE")
    untag = verb("untag", _network(), _removing())
    untag.add_argument("reference", metavar="REPOSITORY:TAG")
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

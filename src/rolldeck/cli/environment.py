"""The verb env: whether a version fits an interpreter and this host."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from rolldeck.actions import Workspace, fit, host_here, load_version
from rolldeck.cli.documents import print_document
from rolldeck.cli.terminal import console
from rolldeck.compare import Version
from rolldeck.fit import Finding, Fit, Host
from rolldeck.fit.words import host_lines
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.text import clean_line

_MARKS = {"blocker": ("×", "red"), "warn": ("!", "yellow"), "info": ("·", "cyan")}


async def run_env(workspace: Workspace, arguments: argparse.Namespace, _: Progress) -> int:
    """Print what speaks against the version here; exit code 1 with --exit-code unless it fits."""
    reference = Reference.parse(arguments.reference)
    host = await host_here(arguments.python)
    version = await load_version(workspace, reference)
    result = await fit(workspace, version, host)
    if arguments.json:
        print_document(fit_document(version, host, result))
    else:
        _print(version, host, result)
    return 1 if arguments.exit_code and not result.fits else 0


def fit_document(version: Version, host: Host, result: Fit) -> dict[str, object]:
    """Return what ``env check --json`` prints."""
    python = host.python
    return {
        "reference": version.reference,
        "digest": version.kit.digest,
        "fits": result.fits,
        "findings": [asdict(item) for item in result.findings],
        "host": {
            "os": host.os,
            "architecture": host.architecture,
            "memory": host.memory,
            "driver": host.driver,
            "gpus": [asdict(gpu) for gpu in host.gpus],
            "gpu_problem": host.gpu_problem or None,
        },
        "python": python
        and {
            "path": python.path,
            "version": python.version,
            "implementation": python.implementation,
            "abi": python.abi,
            "platform": python.platform,
            "libc": python.libc or None,
            "packages": len(python.packages),
        },
    }


def _print(version: Version, host: Host, result: Fit) -> None:
    out = console()
    out.print(Text(f"{clean_line(version.label)} here", style="bold"))
    for line in host_lines(host):
        out.print(Text(f"  {line}", style="dim"), soft_wrap=True)
    for item in result.findings:
        _print_finding(item, out)
    word = {True: "It fits", False: "It does not fit", None: "Whether it fits is unknown"}
    counts = [
        f"{result.count('blocker')} that block",
        f"{result.count('warn')} to know of",
        f"{result.count('info')} for information",
    ]
    out.print(Text(f"{word[result.fits]}: {', '.join(counts)}", style="bold"))


def _print_finding(item: Finding, out: Console) -> None:
    mark, style = _MARKS[item.severity]
    lines = wrap(clean_line(item.text), max(out.width - 4, 20), break_on_hyphens=False)
    for number, line in enumerate(lines):
        start = Text(f"  {mark} " if number == 0 else "    ")
        if number == 0:
            start.stylize(style, 2, 3)
        out.print(start.append(line), soft_wrap=True)

"""A proposal as files: the Kitfile with the reasons as comments, and what .kitignore must hide."""

from __future__ import annotations

from collections.abc import Mapping

from rolldeck.kit.check_fields import MANIFEST_VERSION
from rolldeck.kit.go_yaml import go_yaml
from rolldeck.kit.model import ElementKind
from rolldeck.kit.proposal import Proposal, ProposedElement
from rolldeck.text import clean_line
from rolldeck.units import human_size

_HEAD = """\
# Proposed by rolldeck init from what lies here. The comments say why; change what you know better.
# rolldeck check tells of mistakes.
"""
_SECTIONS: tuple[tuple[str, ElementKind], ...] = (
    ("code", "code"),
    ("datasets", "dataset"),
    ("docs", "docs"),
    ("prompts", "prompt"),
)


def kitfile_text(proposal: Proposal) -> str:
    """Return the proposed Kitfile; equal proposals give equal text."""
    lines = [_HEAD.rstrip("\n"), f"manifestVersion: {MANIFEST_VERSION}", "package:"]
    lines += _fields(proposal.package, 1)
    models, parts = proposal.of("model"), proposal.of("modelpart")
    if models or parts:
        lines.append("model:")
        lines += _fields(proposal.model, 1)
        for model in models:
            lines += [_comment(model, 1), *_fields({"path": model.path}, 1)]
        lines += ["  parts:"] if parts else []
        for part in parts:
            lines += _item(part, 2)
    for section, kind in _SECTIONS:
        found = proposal.of(kind)
        lines += [f"{section}:"] if found else []
        for element in found:
            lines += _item(element, 1)
    return "\n".join(lines) + "\n"


def kitignore_text(proposal: Proposal) -> str | None:
    """Return the .kitignore that keeps out what lies inside an element; None where nothing does."""
    whole = [item.path for item in proposal.elements]
    patterns = {
        item.pattern: item.why
        for item in proposal.left_out
        if item.pattern and any(_is_within(item.path.rstrip("/"), path) for path in whole)
    }
    if not patterns:
        return None
    lines = ["# What lies inside the elements of the Kitfile and does not belong into the kit."]
    for pattern, why in sorted(patterns.items()):
        # Docker's patterns know comments only on lines of their own.
        lines += [f"# {clean_line(why)}", pattern]
    return "\n".join(lines) + "\n"


def _is_within(path: str, directory: str) -> bool:
    return directory == "." or path.startswith(f"{directory}/")


def _item(element: ProposedElement, indent: int) -> list[str]:
    fields = {"name": element.name, "path": element.path, "type": element.type}
    fields["description"] = element.description
    known = {name: text for name, text in fields.items() if text}
    first, *rest = _fields(known, indent + 1)
    return [_comment(element, indent), f"{'  ' * indent}- {first.lstrip()}", *rest]


def _comment(element: ProposedElement, indent: int) -> str:
    return f"{'  ' * indent}# {clean_line(element.why)}, {human_size(element.size)}"


def _fields(fields: Mapping[str, str], indent: int) -> list[str]:
    return [f"{'  ' * indent}{go_yaml({name: text}).rstrip()}" for name, text in fields.items()]

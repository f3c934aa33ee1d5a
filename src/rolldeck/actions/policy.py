"""Reading a policy file: TOML with guardrails per metric, every mistake named with its line."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rolldeck import settings_mistakes as mistakes
from rolldeck.actions.workspace import Workspace
from rolldeck.compare import Guardrail, Policy
from rolldeck.errors import NotFoundError, UsageError
from rolldeck.text import clean_line
from rolldeck.units import fraction

_PAGE = "docs/compare.md"


@dataclass(frozen=True)
class _File:
    """What a policy file holds at its top."""

    metrics: dict[str, Guardrail]


async def chosen_policy(workspace: Workspace, path: Path | None = None) -> Policy | None:
    """Return the policy at ``path``, else that of the settings, None where they name none.

    Raises as ``read_policy``.
    """
    path = path or workspace.settings.policy
    return None if path is None else await asyncio.to_thread(read_policy, path)


def read_policy(path: Path) -> Policy:
    """Read a policy; raises NotFoundError, and UsageError with line and nearest key."""
    path = path.expanduser()
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise NotFoundError(f"No policy file {path}", reference=str(path)) from None
    except (UnicodeDecodeError, OSError) as error:
        said = clean_line(str(error), 200)
        raise UsageError(f"Cannot read policy {path}: {said}", reference=str(path)) from None
    guardrails = _parse(path, text)
    for keys, guardrail in _tables(guardrails):
        _check(path, text, keys, guardrail)
    return Policy(guardrails, str(path))


def _parse(path: Path, text: str) -> dict[str, Guardrail]:
    # Imported here: only who has a policy pays for pydantic.
    import tomllib

    from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

    for kind in (_File, Guardrail):
        with_config(ConfigDict(extra="forbid"))(kind)
    try:
        document = tomllib.loads(text)
        return TypeAdapter(_File).validate_python(_with_fractions(document)).metrics
    except tomllib.TOMLDecodeError as error:
        raise mistakes.syntax_mistake(path, text, error, _PAGE) from None
    except ValidationError as error:
        known = [item.name for item in fields(Guardrail)]
        found = error.errors(include_url=False)
        raise mistakes.table_mistake(path, text, found, ["metrics"], known) from None


def _with_fractions(node: Any) -> Any:
    """Return a document whose percentages are fractions; what is none stays for the check."""
    if not isinstance(node, dict):
        return node
    made = {key: _with_fractions(item) for key, item in node.items()}
    limit = made.get("max_relative_regression")
    if isinstance(limit, str):
        try:
            made["max_relative_regression"] = fraction(limit)
        except ValueError:
            made["max_relative_regression"] = limit
    return made


def _tables(guardrails: Mapping[str, Guardrail]) -> Iterator[tuple[list[str], Guardrail]]:
    for name, guardrail in guardrails.items():
        yield ["metrics", name], guardrail
        for part, demanded in guardrail.slices.items():
            yield ["metrics", name, "slices", part], demanded


def _check(path: Path, text: str, keys: list[str], guardrail: Guardrail) -> None:
    """Raise for limits that no number can meet, and for a table that demands nothing."""
    for name, limit in guardrail.limits:
        if limit is None:
            continue
        if not math.isfinite(limit) or (limit < 0 and name.endswith("regression")):
            wanted = "0 or more" if name.endswith("regression") else "a finite number"
            raise mistakes.value_mistake(path, text, [*keys, name], wanted)
    if guardrail.min is not None and guardrail.max is not None and guardrail.min > guardrail.max:
        raise mistakes.value_mistake(path, text, [*keys, "min"], "no larger than max")
    if len(keys) > 2 and guardrail.slices:
        raise mistakes.value_mistake(path, text, [*keys, "slices"], "left out: slices have none")
    if not guardrail.demands and not guardrail.slices:
        known = ", ".join(item.name for item in fields(guardrail))
        raise mistakes.value_mistake(path, text, keys, f"a table with one of {known}")

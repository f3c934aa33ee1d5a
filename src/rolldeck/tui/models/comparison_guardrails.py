"""What a policy says of a comparison, as lines below its summary."""

from __future__ import annotations

from collections.abc import Sequence

from rolldeck.compare.policy import GuardrailResult
from rolldeck.compare.report import guardrail_title
from rolldeck.text import clean_line
from rolldeck.tui.models.lines import Line, Look, Span, wrap

_MARKS: dict[str, tuple[str, Look]] = {
    "failed": ("× failed  ", "worse"),
    "unknown": ("? unknown ", "dim"),
}


def guardrail_lines(results: Sequence[GuardrailResult], width: int, indent: int) -> list[Line]:
    """Return one line on the policy, and one or more for each demand that is not met.

    ``width`` is how many cells there are behind ``indent``; nothing where there is no policy.
    """
    if not results:
        return []
    failed = results[0].outcome == "failed"
    title = f"Guardrails: {guardrail_title(results)}"
    lines = [Line((Span(" " * indent), Span(title, "worse" if failed else "plain")))]
    for result in results:
        if result.outcome == "passed":
            continue
        mark, look = _MARKS[result.outcome]
        room = max(width - len(mark), 20)
        for number, part in enumerate(wrap(clean_line(result.detail, 600), room)):
            head = Span(mark, look) if number == 0 else Span(" " * len(mark))
            lines.append(Line((Span(" " * indent), head, Span(part))))
    return lines

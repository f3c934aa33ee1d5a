"""What the metrics of a comparison were in the versions before, as sparklines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rolldeck.compare import Matrix, Row
from rolldeck.tui.models.sparkline import sparkline

VERSIONS = 8
"""Values of a sparkline in a comparison."""


@dataclass(frozen=True, slots=True)
class History:
    """Sparklines by the key of a metric, of so many versions, the oldest first."""

    versions: int = 0
    lines: Mapping[str, str] = field(default_factory=dict)

    def of(self, row: Row) -> str:
        """Return the sparkline of a row, empty where fewer than two versions have its metric."""
        return self.lines.get(row.key) or self.lines.get(row.metric or "", "")


NO_HISTORY = History()


def history_of(matrix: Matrix) -> History:
    """Return the sparklines of a table whose newest version stands first."""
    lines = {}
    for column in matrix.columns:
        numbers = column.numbers[::-1]
        if column.kind == "metric" and sum(number is not None for number in numbers) > 1:
            lines[column.key] = sparkline(numbers)
    return History(len(matrix.entries), lines) if lines else NO_HISTORY

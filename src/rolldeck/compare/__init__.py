"""Two versions side by side: pure functions from what is known of each to rows with verdicts."""

from rolldeck.compare import wording
from rolldeck.compare.bump import Bump, BumpLevel, propose
from rolldeck.compare.compare import Version, compare, sort_rows
from rolldeck.compare.direction import NO_DIRECTIONS, Directions, direction
from rolldeck.compare.files import NOT_READ, ListedFile
from rolldeck.compare.guardrail import judge, judged
from rolldeck.compare.json_view import to_json
from rolldeck.compare.matrix import Entry, Matrix, MatrixColumn, matrix
from rolldeck.compare.model import (
    READING_ORDER,
    Cell,
    Comparison,
    Row,
    Section,
    SectionName,
    Side,
    Status,
    Verdict,
)
from rolldeck.compare.policy import Guardrail, GuardrailResult, Policy
from rolldeck.compare.report import SUFFIXES, Format, Report, curves, failed
from rolldeck.compare.text_diff import DiffLine, line_counts, side_by_side

__all__ = [
    "NOT_READ",
    "NO_DIRECTIONS",
    "READING_ORDER",
    "SUFFIXES",
    "Bump",
    "BumpLevel",
    "Cell",
    "Comparison",
    "DiffLine",
    "Directions",
    "Entry",
    "Format",
    "Guardrail",
    "GuardrailResult",
    "ListedFile",
    "Matrix",
    "MatrixColumn",
    "Policy",
    "Report",
    "Row",
    "Section",
    "SectionName",
    "Side",
    "Status",
    "Verdict",
    "Version",
    "compare",
    "curves",
    "direction",
    "failed",
    "judge",
    "judged",
    "line_counts",
    "matrix",
    "propose",
    "side_by_side",
    "sort_rows",
    "to_json",
    "wording",
]

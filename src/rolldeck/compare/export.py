"""A comparison in the format that was asked for, as the text of one file."""

from __future__ import annotations

import json
from typing import Any

from rolldeck.compare.export_html import to_html
from rolldeck.compare.export_markdown import to_markdown
from rolldeck.compare.export_tsv import to_tsv
from rolldeck.compare.json_view import guardrail_json, to_json
from rolldeck.compare.report import Format, Report


def export(report: Report, form: Format) -> str:
    """Return a report as Markdown, JSON, TSV or one HTML page, with a newline at its end."""
    if form == "json":
        return json.dumps(report_json(report), allow_nan=False) + "\n"
    writers = {"markdown": to_markdown, "tsv": to_tsv, "html": to_html}
    return writers[form](report)


def report_json(report: Report) -> dict[str, Any]:
    """Return the document of ``diff --json``."""
    document = to_json(report.comparison, report.show_all)
    wanted = {section.name for section in report.wanted}
    document["sections"] = [item for item in document["sections"] if item["name"] in wanted]
    document["guardrails"] = [guardrail_json(result) for result in report.guardrails]
    document["problems"] = list(report.problems)
    return document

"""The JSON Schema of a report's file, made from what reads it."""

from typing import Any

from engine.reporting.definition_file import ReportModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILE = "report.schema.json"
"""Its name beside the reports, each of which names it in its first line."""
MODELINE = f"# yaml-language-server: $schema={FILE}"


def report_schema() -> dict[str, Any]:
    """The schema, as it is to lie in the folder of the reports."""
    return {"$schema": DIALECT, **ReportModel.model_json_schema(), "title": "Report"}

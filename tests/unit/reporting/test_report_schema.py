"""The schema that editors read lies beside the reports, and says what their reader says."""

import json
from pathlib import Path

import pytest

from engine.reporting.schema import FILE, MODELINE, report_schema

REPORTS = Path(__file__).parents[3] / "reports"
FILES = sorted(REPORTS.glob("*.yaml"))


def test_the_schema_in_the_folder_is_the_one_that_is_made() -> None:
    """Run `engine reports schema > reports/report.schema.json` after a change of the model."""
    assert json.loads((REPORTS / FILE).read_text(encoding="utf-8")) == report_schema()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_report_names_the_schema_in_its_first_line(file: Path) -> None:
    assert file.read_text(encoding="utf-8").partition("\n")[0] == MODELINE


def test_every_key_is_described_or_tells_itself() -> None:
    column = report_schema()["$defs"]["ColumnModel"]["properties"]
    assert all("description" in each for each in column.values())


def test_there_are_eight_reports_at_least() -> None:
    assert len(FILES) >= 8

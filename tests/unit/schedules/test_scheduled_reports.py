"""Schedules of reports: what they say becomes a run of the job that makes them."""

from pathlib import Path
from typing import Any

import pytest

from engine.documents.problem import InvalidDocument
from engine.job import Job, job
from engine.schedules.loader import load_schedules
from engine.schedules.schedule import Schedule
from engine.signature import Names, Others, ReportName
from tests.builders.reports import definitions_in
from tests.unit.reporting.test_report_definitions import GOOD


@job()
def report(
    context: Any,
    *,
    name: ReportName,
    formats: Names | None = None,
    locales: Names | None = None,
    period: str | None = None,
    params: Others | None = None,
) -> None:
    """Make a report."""


def read(folder: Path, entry: str, jobs: dict[str, Job] | None = None) -> Schedule:
    """The schedule that has these lines, where there is one report, `sales`."""
    (folder / "reports").mkdir()
    (folder / "reports" / "sales.yaml").write_text(GOOD, encoding="utf-8")
    file = folder / "schedules.yaml"
    lines = "".join(f"    {line}\n" for line in entry.splitlines())
    file.write_text(f"schedules:\n  morning:\n    every: 1d\n{lines}")
    known = {"report": definitions_in(folder / "reports")}
    return load_schedules(file, jobs or {"report": report}, known)["morning"]


def test_an_entry_that_names_a_report_runs_the_job_that_makes_it(tmp_path: Path) -> None:
    schedule = read(
        tmp_path, "report: sales\nperiod: previous_day\nformats: [csv]\nparams: {school: 7}"
    )
    assert schedule.job == "report"
    assert schedule.params == {"name": "sales", "formats": ["csv"], "params": {"school": 7}}


def test_the_job_can_be_named_as_well(tmp_path: Path) -> None:
    schedule = read(tmp_path, "job: report\nparams: {name: sales, school: 7}")
    assert schedule.params == {"name": "sales", "school": 7}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("report: sale", "4:5 schedules.morning.report: no report is named 'sale'; did you mean"),
        (
            "report: sales",
            "4:5 schedules.morning.report: the report sales needs the param 'school'",
        ),
        (
            "report: sales\nparams: {school: seven}",
            "5:14 schedules.morning.params.school: must be a whole number, not 'seven'",
        ),
        (
            "report: sales\nparams: {scool: 7, school: 7}",
            "5:14 schedules.morning.params.scool: the report sales has no param 'scool'; did you",
        ),
        (
            "report: sales\nparams: {school: 7, from: '2026-12-01', to: '2026-11-01'}",
            "5:45 schedules.morning.params.to: its period begins at 2026-12-01 00:00:00+03:00 and",
        ),
        (
            "job: report\nparams: {name: sales, school: 7, period: 2026-13}",
            "5:38 schedules.morning.params.period: '2026-13' is no period; write a day",
        ),
        (
            "report: sales\nparams: {school: 7, from: '${period.start}'}",
            "5:25 schedules.morning.params.from: ${period.start} needs a 'period'",
        ),
        (
            "report: sales\nparams: {school: 7}\nlocales: [ar, fr]",
            "6:5 schedules.morning.locales: the report sales is not made in 'fr'",
        ),
        (
            "report: sales\nparams: {school: 7}\nformats: [exel]",
            "6:5 schedules.morning.formats: no format is named 'exel'; ",
        ),
        (
            "job: report\nreport: sales",
            "5:5 schedules.morning.report: 'job' and 'report' exclude each other; keep one",
        ),
        (
            "job: report\nparams: {name: sales, school: 7}\nformats: [csv]",
            "6:5 schedules.morning.formats: 'formats' are of a 'report'; a job has 'params'",
        ),
        (
            "job: report\nparams: {name: sales, school: seven}",
            "5:27 schedules.morning.params.school: must be a whole number, not 'seven'",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_line(tmp_path: Path, entry: str, said: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read(tmp_path, entry)
    assert f"schedules.yaml:{said}" in str(caught.value)


def test_a_home_without_the_job_makes_no_reports(tmp_path: Path) -> None:
    @job()
    def other(context: Any) -> None:
        """Do something else."""

    with pytest.raises(InvalidDocument, match="made by a job named 'report', and there is none"):
        read(tmp_path, "report: sales\nparams: {school: 7}", {"other": other})

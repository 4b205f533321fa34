"""Reports in YAML: what a file says, by name."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.exporters.document import Kind
from engine.reporting.definition import Measure
from engine.reporting.definitions import UnknownReport
from engine.reporting.label import Label
from engine.reporting.report_params import WrongReportParams, period_of, values_of
from tests.builders.reports import definitions_in
from tests.unit.reporting.test_report_period import A_DAY

GOOD = """\
title: {en: Sales, ar: المبيعات}
owner: finance
source: canteen
timezone: Asia/Riyadh
period: previous_day
time_limit: 90s
params:
  from: {type: datetime, default: "${period.start}"}
  to: {type: datetime, default: "${period.end}"}
  stage: {choices: [primary, secondary], required: false}
  school: {type: integer}
  day: {type: date, default: "${period.end}"}
  all: {type: boolean, default: false}
datasets:
  sales:
    label: {en: Sales, ar: المبيعات}
    query: |
      SELECT ':no' AS school_en, school_ar, sold, currency, 1::int AS count -- :nor
      FROM entries WHERE at >= :from AND at < :to AND (:stage IS NULL OR stage = :stage)
      AND school = :school AND day = :day AND :all;
    columns:
      school_en: {label: School, language: en, group: true}
      school_ar: {label: {en: School, ar: المدرسة}, language: ar, group: true}
      sold: {label: {en: Sold, ar: المباع}, type: money, currency_column: currency, total: true}
      count: {label: {en: Count, ar: العدد}, type: integer}
      currency: {label: {en: Currency, ar: العملة}, width: 8}
summaries:
  by_school:
    label: {en: By school, ar: حسب المدرسة}
    by: [school_en, school_ar]
    measures: [{how: count}, {column: sold}]
formats: [csv, xlsx]
locales: [en, ar]
"""
ONE = """\
title: Sales
owner: finance
source: canteen
query: SELECT 1 AS one
columns:
  one: {label: One, type: integer}
required: true
"""
# What a schedule's tokens are while it is checked.
SAMPLE_START, SAMPLE_END = "2026-01-31T00:00:00+03:00", "2026-02-01T00:00:00+03:00"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one report, `sales`."""
    (tmp_path / "sales.yaml").write_text(GOOD, encoding="utf-8")
    return tmp_path


def test_a_file_becomes_a_definition(folder: Path) -> None:
    sales = definitions_in(folder).load("sales")
    assert sales.title == Label(en="Sales", ar="المبيعات")
    assert sales.time_limit == timedelta(seconds=90)
    assert sales.formats == ("csv", "xlsx")
    assert sales.main.query.endswith(":all")
    sold = sales.main.column("sold")
    assert (sold.kind, sold.currency_column, sold.total) == (Kind.MONEY, "currency", True)
    assert sales.summaries[0].measures == [
        Measure(column=None, how="count"),
        Measure(column="sold", how="sum"),
    ]


def test_a_document_has_the_columns_of_its_language(folder: Path) -> None:
    main = definitions_in(folder).load("sales").main
    assert [each.name for each in main.shown_in("ar")] == ["school_ar", "sold", "count", "currency"]
    assert main.column("school_ar").shown("ar").title == "المدرسة"


def test_an_unknown_report_has_a_suggestion(folder: Path) -> None:
    with pytest.raises(UnknownReport, match="did you mean 'sales'"):
        definitions_in(folder).load("sale")


def test_a_report_that_was_changed_is_read_again(folder: Path) -> None:
    known = definitions_in(folder)
    assert known.written("sales") is known.written("sales")
    (folder / "sales.yaml").write_text(GOOD.replace("finance", "accounting"), encoding="utf-8")
    os.utime(folder / "sales.yaml", ns=(1, 1))
    assert known.written("sales").owner == "accounting"
    (folder / "sales.yaml").unlink()
    with pytest.raises(UnknownReport):
        known.written("sales")


def test_params_have_the_types_that_the_file_says(folder: Path) -> None:
    sales = definitions_in(folder).load("sales")
    values = values_of(sales, {"school": "7", "all": "yes"}, A_DAY)
    assert values == {
        "from": datetime(2026, 11, 22, 21, tzinfo=UTC),
        "to": datetime(2026, 11, 23, 21, tzinfo=UTC),
        "stage": None,
        "school": 7,
        "day": datetime(2026, 11, 24, tzinfo=UTC).date(),
        "all": True,
    }


def test_everything_that_is_wrong_with_params_is_said_at_once(folder: Path) -> None:
    sales = definitions_in(folder).load("sales")
    with pytest.raises(WrongReportParams) as caught:
        values_of(sales, {"stage": "primery", "form": "2026-11-01", "from": "noon"}, A_DAY)
    said = str(caught.value)
    assert "none of the choices: primary, secondary" in said
    assert "no param 'form'; did you mean 'from'?" in said
    assert "must be a date and time" in said
    assert "needs the param 'school' (integer)" in said


def test_a_start_and_an_end_of_ones_own_are_the_period(folder: Path) -> None:
    sales = definitions_in(folder).load("sales")
    given = {"school": 7, "from": "2026-11-01", "to": "2026-11-15"}
    period = period_of(sales, values_of(sales, given, A_DAY), A_DAY)
    assert period is not None
    assert period.name == "2026-11-01_2026-11-14"
    with pytest.raises(WrongReportParams, match="not after it"):
        period_of(sales, values_of(sales, {"school": 7, "to": "2026-11-01"}, A_DAY), A_DAY)


@pytest.mark.parametrize("text", ["2026-13", "2026-02-29", "20261", "2026-11-02/2026-11-01"])
def test_a_run_of_a_wrong_period_is_wrong_before_it_is_booked(folder: Path, text: str) -> None:
    given = {"period": text, "params": {"school": 7}}
    ((path, message),) = definitions_in(folder).wrong("sales", given)
    assert path == ("period",)
    assert message.startswith(f"{text!r} is no period; write a day")


@pytest.mark.parametrize(
    ("period", "ends", "at"),
    [
        (None, {"from": "2026-12-01", "to": "2026-11-01"}, "to"),
        (None, {"from": "2026-12-01", "to": "2026-12-01"}, "to"),
        (None, {"from": SAMPLE_END, "to": SAMPLE_START}, "to"),
        ("2026-11", {"from": "2026-12-01"}, "from"),
        ("2026-11", {"to": "2026-11-01"}, "to"),
    ],
)
def test_a_run_that_would_end_before_it_begins_is_wrong_before_it_is_booked(
    folder: Path, period: str | None, ends: dict[str, str], at: str
) -> None:
    given = {"period": period, "params": {"school": 7, **ends}}
    ((path, message),) = definitions_in(folder).wrong("sales", given)
    assert path == ("params", at)
    assert "which is not after it" in message


@pytest.mark.parametrize(
    ("period", "ends"),
    [
        (None, {"from": "2026-11-01", "to": "2026-12-01"}),
        (None, {"from": "2027-01-01"}),  # its end is that of a period not known yet
        ("previous_day", {"from": "2027-01-01"}),
        (None, {"from": "2026-12-01", "to": SAMPLE_END}),
        ("2026-11", {"to": "2026-11-02"}),
        ("2026-11", {}),
    ],
)
def test_what_may_be_right_is_not_wrong(
    folder: Path, period: str | None, ends: dict[str, str]
) -> None:
    given = {"period": period, "params": {"school": 7, **ends}}
    assert not list(definitions_in(folder).wrong("sales", given))


def test_a_param_may_be_every_whole_number_of_64_bits(folder: Path) -> None:
    known = definitions_in(folder)
    for number in (-(2**63), 2**63 - 1, str(-(2**63))):
        assert not list(known.wrong("sales", {"params": {"school": number}}))
    for number in (-(2**63) - 1, 2**63):
        assert list(known.wrong("sales", {"params": {"school": number}}))


def test_a_dataset_says_whether_it_must_have_rows(folder: Path) -> None:
    assert not definitions_in(folder).load("sales").main.required
    text = GOOD.replace("  sales:\n", "  sales:\n    required: true\n")
    (folder / "must.yaml").write_text(text, encoding="utf-8")
    (folder / "one.yaml").write_text(ONE, encoding="utf-8")
    assert definitions_in(folder).load("must").main.required
    assert definitions_in(folder).load("one").main.required

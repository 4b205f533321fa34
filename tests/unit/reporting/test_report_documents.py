"""What a report says: tables of each language, totals, summaries, charts, and masks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.exporters.batches import Batches, batches_of
from engine.exporters.document import Document, Notice, Row, Table
from engine.reporting.charts import charts_of
from engine.reporting.definition import Measure, ReportChart, ReportDefinition, Summary
from engine.reporting.groups import TooManyGroups, grouped
from engine.reporting.label import Label, Language
from engine.reporting.masking import masked_definition, masked_rows
from engine.reporting.report_documents import ReportDocuments, Told
from engine.reporting.requirement import Unreconciled
from engine.reporting.summaries import summary_table
from tests.builders.reports import definitions_in
from tests.unit.reporting.test_report_period import A_DAY

SALES = """\
title: {en: Sales, ar: المبيعات}
owner: finance
source: canteen
timezone: Asia/Riyadh
period: previous_day
params:
  from: {type: datetime, default: "${period.start}"}
  stage: {required: false, label: {en: Stage, ar: المرحلة}}
query: SELECT * FROM sales WHERE at >= :from AND stage = :stage
columns:
  school_en: {label: School, language: en, group: true}
  school_ar: {label: {en: School, ar: المدرسة}, language: ar, group: true}
  day: {label: {en: Day, ar: اليوم}, type: date}
  buyer: {label: {en: Buyer, ar: المشتري}, personal: true}
  born: {label: {en: Born, ar: تاريخ الميلاد}, type: date, personal: true}
  count: {label: {en: Count, ar: العدد}, type: integer, total: true}
  sold: {label: {en: Sold, ar: المباع}, type: money, currency_column: currency, total: true}
  currency: {label: {en: Currency, ar: العملة}}
  share: {label: {en: Share, ar: النسبة}, type: percent}
summaries:
  by_day:
    label: {en: By day, ar: حسب اليوم}
    by: [school_en, school_ar]
    across: [day]
    measures: [{column: sold}]
charts:
  - {label: {en: Sales, ar: المبيعات}, labels: [school_en, school_ar], value: sold}
personal: {role: approver}
locales: [en, ar]
"""
_22, _23 = date(2026, 11, 22), date(2026, 11, 23)
ROWS: Sequence[Row] = [
    ("Najd", "نجد", _22, "Noura", date(2015, 1, 2), 2, 150_00, "SAR", Decimal("0.125")),
    ("Tuwaiq", "طويق", _23, "Sara", None, 1, 2**53 + 1, "SAR", None),
    ("Najd", "نجد", _23, None, None, 3, -50, "SAR", None),
    ("Najd", "نجد", _23, "Omar", None, 4, 1_234, "KWD", None),
    ("Tuwaiq", "طويق", _22, "Omar", None, None, None, "SAR", None),
]


class Held:
    """Rows that are at hand, in batches of two."""

    def __init__(self, definition: ReportDefinition, rows: Mapping[str, Sequence[Row]]) -> None:
        self._definition, self._rows = definition, rows

    def rows(self, name: str) -> Batches:
        """All columns of a dataset."""
        columns = [each.shown("en") for each in self._definition.dataset(name).columns]
        rows = self._rows[name]
        parts = [
            Table(name=name, title=name, columns=columns, rows=rows[at : at + 2])
            for at in range(0, len(rows), 2)
        ]
        return Batches(lambda: (batch for part in parts for batch in batches_of(part)))


@pytest.fixture
def sales(tmp_path: Path) -> ReportDefinition:
    """The report of these sales."""
    (tmp_path / "sales.yaml").write_text(SALES, encoding="utf-8")
    return definitions_in(tmp_path).load("sales")


def documents(definition: ReportDefinition, rows: Sequence[Row] = ROWS) -> ReportDocuments:
    """Its documents, of rows that are at hand."""
    told = Told(
        made_at=datetime(2026, 11, 24, 3, tzinfo=UTC),
        read_at=datetime(2026, 11, 24, 2, tzinfo=UTC),
        period=A_DAY,
        values={"from": A_DAY.start, "stage": "primary"},
        run="r-1",
    )
    return ReportDocuments(
        definition=definition, reading=Held(definition, {"main": rows}), told=told
    )


def whole(definition: ReportDefinition, language: Language = "en") -> Document:
    """All that it says in one language."""
    return documents(definition).whole(language)


def rows_of(table: Table) -> list[list[Any]]:
    """A table's rows as lists."""
    return [list(row) for row in table.rows]


def test_a_document_holds_the_rows_in_the_columns_of_its_language(sales: ReportDefinition) -> None:
    english, arabic = whole(sales), whole(sales, "ar")
    assert [column.title for column in arabic.main.columns][:2] == ["المدرسة", "اليوم"]
    assert [row[0] for row in rows_of(english.main)] == ["Najd", "Tuwaiq", "Najd", "Najd", "Tuwaiq"]
    assert [row[0] for row in rows_of(arabic.main)] == ["نجد", "طويق", "نجد", "نجد", "طويق"]
    assert [row[1:] for row in rows_of(english.main)] == [row[1:] for row in rows_of(arabic.main)]


def test_totals_stand_below_by_currency_and_are_exact(sales: ReportDefinition) -> None:
    assert whole(sales).main.totals == [
        ["Total", None, None, None, 4, 1_234, "KWD", None],
        ["Total", None, None, None, 6, 2**53 + 1 + 150_00 - 50, "SAR", None],
    ]
    assert whole(sales, "ar").main.totals[0][0] == "الإجمالي"


def test_a_group_has_a_summary_of_its_own_and_pivots_spread_out(sales: ReportDefinition) -> None:
    by_school, by_day = whole(sales).summaries
    assert by_school.title == "Sales: School"
    assert rows_of(by_school) == [
        ["Najd", "SAR", 2, 5, 149_50],
        ["Tuwaiq", "SAR", 2, 1, 2**53 + 1],
        ["Najd", "KWD", 1, 4, 1_234],
    ]
    assert [column.title for column in by_day.columns] == [
        *("School", "Currency", "2026-11-22", "2026-11-23")
    ]
    assert rows_of(by_day) == [
        ["Najd", "SAR", 150_00, -50],
        ["Tuwaiq", "SAR", None, 2**53 + 1],
        ["Najd", "KWD", None, 1_234],
    ]
    assert by_day.totals == [
        ["Total", "SAR", 150_00, 2**53 + 1 - 50],
        ["Total", "KWD", None, 1_234],
    ]


def test_a_chart_never_adds_up_two_currencies(sales: ReportDefinition) -> None:
    riyals, dinars = whole(sales, "ar").charts
    assert [riyals.title, dinars.title] == ["المبيعات (SAR)", "المبيعات (KWD)"]
    assert [(bar.label, riyals.said(bar)) for bar in riyals.bars] == [
        ("طويق", "90,071,992,547,409.93 SAR"),
        ("نجد", "149.50 SAR"),
    ]
    assert [dinars.said(bar) for bar in dinars.bars] == ["1.234 KWD"]


def test_the_facts_say_the_period_and_what_was_chosen(sales: ReportDefinition) -> None:
    assert [(each.label, each.value) for each in whole(sales).facts] == [
        ("Period", "2026-11-23"),
        ("Stage", "primary"),
        ("Read at", datetime(2026, 11, 24, 2, tzinfo=UTC)),
        ("Run", "r-1"),
    ]


def test_what_was_not_reconciled_is_said_in_the_language_of_the_document(
    sales: ReportDefinition,
) -> None:
    stamp = Unreconciled(reconciliation="wallets", period=None, why=lambda words: words.never_run)
    made = documents(sales)
    stamped = replace(made, told=replace(made.told, stamps={"wallets": stamp}))
    text = "wallets has not tied out for now: it has never run"
    assert stamped.whole("en").notices == [Notice(code="NOT RECONCILED", text=text)]
    (arabic,) = stamped.whole("ar").notices
    assert arabic.text == "لم تكتمل مطابقة wallets، الوضع الحالي: لم تُجرَ هذه المطابقة من قبل"


def test_what_is_personal_is_masked_whatever_it_is(sales: ReportDefinition) -> None:
    masked = masked_definition(sales)
    rows = Held(sales, {"main": ROWS}).rows("main")
    hidden = list(masked_rows(rows, sales.main))
    assert {(row[3], row[4]) for row in hidden} == {("***", "***")}
    kinds = [str(masked.main.column(name).kind) for name in ("buyer", "born", "day")]
    assert kinds == ["text", "text", "date"]
    assert not any(name in str(hidden) for name in ("Noura", "Sara", "Omar", "2015"))


def test_a_report_of_nothing_has_tables_without_rows(sales: ReportDefinition) -> None:
    empty = documents(sales, []).whole("en")
    assert rows_of(empty.main) == []
    assert empty.main.totals == []
    assert [rows_of(each) for each in empty.summaries] == [[], []]
    assert empty.charts == []


def test_a_summary_as_long_as_its_rows_is_refused(sales: ReportDefinition) -> None:
    row = ROWS[0]
    rows = [(f"School {number}", *row[1:]) for number in range(10_001)]
    batches = Held(sales, {"main": rows}).rows("main").make()
    with pytest.raises(TooManyGroups, match="more than 10,000 groups by school_en"):
        grouped(batches, ["school_en"], [Measure(column=None, how="count")], name="by_school")


def test_the_least_and_the_most_of_groups_are_not_added_up(sales: ReportDefinition) -> None:
    summary = Summary(
        name="s",
        label=Label(en="S"),
        dataset="main",
        by=["school_en"],
        across=(),
        measures=[Measure(column="sold", how="min"), Measure(column="sold", how="max")],
    )
    table = summary_table(
        summary, sales.main, Held(sales, {"main": ROWS}).rows("main").make(), "en"
    )
    assert rows_of(table)[0] == ["Najd", "SAR", -50, 150_00]
    assert table.totals[0] == ["Total", "SAR", None, None]


def test_the_points_of_a_line_go_on_in_order(sales: ReportDefinition) -> None:
    line = ReportChart(
        kind="line", label=Label(en="L"), dataset="main", labels=["day"], value="count", most=1
    )
    rows = Held(sales, {"main": ROWS}).rows("main").make()
    (chart,) = charts_of(line, sales.main, rows, "en")
    assert [(bar.label, bar.value) for bar in chart.bars] == [("2026-11-23", 8)]


def test_groups_of_a_currency_each_are_not_said_twice(sales: ReportDefinition) -> None:
    def totals(*by: str) -> Any:
        measures = [Measure(column="sold", how="sum")]
        summary = Summary(
            name="s", label=Label(en="S"), dataset="main", by=by, across=(), measures=measures
        )
        rows = Held(sales, {"main": ROWS}).rows("main").make()
        return summary_table(summary, sales.main, rows, "en").totals

    sums = {"SAR": 2**53 + 1 + 149_50, "KWD": 1_234}
    assert totals("currency") == []
    assert totals("currency", "school_en") == [[code, "Total", sums[code]] for code in sums]
    assert totals("currency", "day") == [[code, None, sums[code]] for code in sums]


def test_a_chart_says_how_many_of_its_groups_it_shows(sales: ReportDefinition) -> None:
    chart = replace(sales.charts[0], most=1)
    rows = Held(sales, {"main": ROWS}).rows("main")
    english = next(iter(charts_of(chart, sales.main, rows.make(), "en")))
    arabic = next(iter(charts_of(chart, sales.main, rows.make(), "ar")))
    assert english.title == "Sales (SAR) - 1 of 2 shown"
    assert arabic.title == "المبيعات (SAR) - يظهر 1 من أصل 2"


def test_what_has_neither_amount_nor_currency_is_no_chart(sales: ReportDefinition) -> None:
    nothing = ("Najd", "نجد", _22, None, None, 1, None, None, None)
    assert [each.title for each in documents(sales, [*ROWS, nothing]).whole("en").charts] == [
        "Sales (SAR)",
        "Sales (KWD)",
    ]
    assert documents(sales, [nothing]).whole("en").charts == []

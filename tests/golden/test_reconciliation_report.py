"""The report of a reconciliation, read back: CSV by bytes, the workbook by cells, the PDF by text.

`files/` holds what is expected; after a wanted change, delete the file and run the test twice.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest

from engine.exporters.document import Document
from engine.exporters.formats import exporters_with
from engine.exporters.pages import Pages
from engine.exporters.pdf.exporter import PdfExporter
from engine.reconciliation.codes import MEANINGS
from engine.reconciliation.report import (
    full_document,
    guarded,
    printed_document,
    report_name,
    write_report,
)
from engine.reconciliation.report_tables import largest_breaks
from engine.reconciliation.result import Finding, Result
from tests.builders.database import a_database
from tests.builders.publisher import a_publisher
from tests.builders.result import (
    CUT_OFF,
    a_chain_break,
    a_difference,
    a_result,
    standing_of,
    totals_of,
)
from tests.builders.run import a_run

MADE_AT = CUT_OFF + timedelta(hours=3)
FILES = Path(__file__).with_name("files")
TEMPLATES = Path(__file__).parents[2] / "reports" / "templates"

EQUATION = (
    "Stored - opening - entries, each read from the source by itself, must equal drift - "
    "orphans - mismatched, which are what was found. Orphans are entries of no wallet, mismatched "
    "those in a currency that their wallet does not hold, copies included. The gap is what nobody "
    "can explain."
)
TRUNCATED = Finding(
    code="SOURCE_TRUNCATED",
    side="entries",
    where="trans.asc:7",
    message="the file ends in the middle of a row",
)
DIFFERENCES = [
    a_difference(),
    a_difference(wallet="W-2", currency="KWD", amount_minor=-5, expected_minor=5, actual_minor=0),
    a_difference(wallet="محفظة أحمد", severity="high", amount_minor=-123_450, expected_minor=None),
    a_chain_break(wallet="=cmd()", details={"group": "2026-01-04", "entries": 3}),
    a_chain_break(wallet="W-3", entry="8", currency="JPY", amount_minor=30),
]


@pytest.fixture
def result() -> Result:
    return a_result(DIFFERENCES, findings=[TRUNCATED])


def written(document: Document, name: str) -> bytes:
    target = io.BytesIO()
    guarded(exporters_with(TEMPLATES))[name].write(document, target)
    return target.getvalue()


def full(result: Result) -> Document:
    return full_document(result, made_at=MADE_AT, standing_of=standing_of)


def printed(result: Result) -> Document:
    return printed_document(result, made_at=MADE_AT, standing_of=standing_of)


def pdf_pages(document: Document, **options: Any) -> list[str]:
    target = io.BytesIO()
    PdfExporter(pages=Pages(TEMPLATES), **options).write(document, target)
    texts = [page.extract_text() for page in pypdf.PdfReader(target).pages]
    return [re.sub(" +", " ", text) for text in texts]


def sheet_rows(sheet: Any) -> list[list[Any]]:
    """The rows of a sheet without their empty ends, and without empty rows."""
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    for row in rows:
        while row and row[-1] is None:
            row.pop()
    return [row for row in rows if row]


def test_the_csv_is_as_agreed_byte_for_byte(result: Result) -> None:
    golden = FILES / "breaks.csv"
    data = written(full(result), "csv")
    if not golden.exists():
        golden.write_bytes(data)
        pytest.fail(f"{golden} was written anew: look at it, then run the test again")
    assert data == golden.read_bytes()


def test_the_workbook_says_findings_first_then_facts_sources_totals_and_pivot(
    result: Result,
) -> None:
    book = openpyxl.load_workbook(io.BytesIO(written(full(result), "xlsx")))
    assert book.sheetnames == ["Summary", "Breaks"]
    assert sheet_rows(book["Summary"]) == [
        ["Wallets against the ledger"],
        ["Reconciliation wallets: balance, chain"],
        ["SOURCE_TRUNCATED", "entries, trans.asc:7: the file ends in the middle of a row"],
        ["TIES OUT", "control totals of JPY, KWD, SAR"],
        ["Period", "2026-01-04 00:00 to 2026-01-05 00:00 (excluded)"],
        ["Cut-off", "2026-01-05 00:00:00 Asia/Riyadh"],
        ["Read at", "2026-01-05 02:00:00 Asia/Riyadh"],
        ["Checks", "balance, chain"],
        ["Breaks", "5"],
        ["ORDER_ONLY (information)", "2"],
        ["Sources"],
        ["Side", "Source", "Rows", "Fingerprint (SHA-256)"],
        ["wallets", "canteen", 20, "ab" * 32],
        ["entries", "canteen", 400, "0c" * 32],
        ["Control totals"],
        [EQUATION],
        [
            *("Currency", "Wallets", "Entries counted", "Stored", "Opening", "Entries"),
            *("Stored - opening - entries", "Drift listed", "Orphan entries"),
            *("Mismatched entries", "Drift - orphans - mismatched", "Gap", "Ties out"),
        ],
        ["JPY", 20, 400, 700000, 200000, 500000, 0, 0, 0, 0, 0, 0, "yes"],
        ["KWD", 20, 400, 699.995, 200, 500, -0.005, -0.005, 0, 0, -0.005, 0, "yes"],
        ["SAR", 20, 400, 5767, 2000, 5000, -1233, -1233, 0, 0, -1233, 0, "yes"],
        ["Breaks by code and currency"],
        [
            "Code",
            *("Breaks in JPY", "Net difference (JPY)", "Gross difference (JPY)"),
            *("Breaks in KWD", "Net difference (KWD)", "Gross difference (KWD)"),
            *("Breaks in SAR", "Net difference (SAR)", "Gross difference (SAR)"),
        ],
        ["BALANCE_DRIFT", None, None, None, 1, -0.005, 0.005, 2, -1233, 1236],
        ["CHAIN_BREAK", 1, 30, 30, None, None, None, 1, 1.5, 1.5],
        ["All codes", 1, 30, 30, 1, -0.005, 0.005, 3, -1231.5, 1237.5],
        ["What the codes mean"],
        ["Code", "In short", "Meaning"],
        ["BALANCE_DRIFT", MEANINGS["BALANCE_DRIFT"].title, MEANINGS["BALANCE_DRIFT"].text],
        ["CHAIN_BREAK", MEANINGS["CHAIN_BREAK"].title, MEANINGS["CHAIN_BREAK"].text],
        ["Breaks by code"],
        ["BALANCE_DRIFT", 3],
        ["CHAIN_BREAK", 2],
    ]


def test_the_sheet_of_breaks_has_typed_cells(result: Result) -> None:
    book = openpyxl.load_workbook(io.BytesIO(written(full(result), "xlsx")))
    sheet = book["Breaks"]
    header = [cell.value for cell in sheet[1]]
    assert header == [
        *("Identity", "Check", "Code", "Class", "Wallet", "Entry", "Currency", "Difference"),
        *("Expected", "Actual", "Severity", "Status", "First seen (Asia/Riyadh)", "Times seen"),
        "Details",
    ]
    first_seen = datetime(2026, 1, 4)  # noqa: DTZ001 - a cell has no zone; its header names it
    assert [cell.value for cell in sheet[2]] == [
        *("id-W-1-None", "balance", "BALANCE_DRIFT", "amount", "W-1", None, "SAR"),
        *(1.5, 10, 11.5, "medium", "open", first_seen, 2, None),
    ]
    assert [cell.value for cell in sheet[5]] == [
        *("id-=cmd()-7", "chain", "CHAIN_BREAK", "amount", "=cmd()", "7", "SAR"),
        *(1.5, 10, 11.5, "high", "open", first_seen, 2),
        '{"entries": 3, "group": "2026-01-04"}',
    ]
    assert sheet["E4"].value == "محفظة أحمد"
    types = {cell.column_letter: (cell.data_type, cell.number_format) for cell in sheet[5]}
    assert types["E"] == ("s", "@")
    assert types["H"] == ("n", "#,##0.00;[Red]-#,##0.00")
    assert types["M"] == ("d", "yyyy-mm-dd hh:mm:ss")
    assert types["N"] == ("n", "#,##0")
    assert sheet["H3"].number_format == "#,##0.000;[Red]-#,##0.000"
    assert sheet["H6"].number_format == "#,##0;[Red]-#,##0"


def test_the_sheet_of_breaks_is_ready_to_work_with(result: Result) -> None:
    book = openpyxl.load_workbook(io.BytesIO(written(full(result), "xlsx")))
    sheet = book["Breaks"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:O6"
    assert sheet["A1"].font.bold is True
    assert sheet["A1"].fill.fgColor.rgb == "FF1F3A5F"
    assert sheet.print_title_rows == "$1:$1"
    widths = {letter: sheet.column_dimensions[letter].width for letter in "ACM"}
    assert all(8 <= width <= 51 for width in widths.values())
    assert widths["C"] > len("BALANCE_DRIFT")
    assert book.properties.title == "Wallets against the ledger"
    assert book.properties.created == MADE_AT.replace(tzinfo=None)
    assert len(book["Summary"]._charts) == 1


def test_the_pdf_says_it_all_on_paper(result: Result) -> None:
    pages = pdf_pages(printed(result))
    text = "\n".join(pages)
    for said in (
        "Wallets against the ledger",
        "SOURCE_TRUNCATED entries, trans.asc:7: the file ends in the middle of a row",
        "2026-01-04 00:00 to 2026-01-05 00:00 (excluded)",
        "2026-01-05 00:00:00 Asia/Riyadh",
        "ab" * 32,
        "-1,233.00",
        "699.995",
        "ORDER_ONLY (information)",
        "Breaks by code",
        f"Page 1 of {len(pages)}",
    ):
        assert said in text
    assert text.index("SOURCE_TRUNCATED") < text.index("Period") < text.index("Control totals")
    assert text.index("Control totals") < text.index("Breaks by code")


def test_the_pdf_lists_the_largest_breaks_first(result: Result) -> None:
    text = "\n".join(pdf_pages(printed(result)))
    listing = text[text.index("The largest differences first.") :]
    # 1,234.50 SAR, 30 JPY, 1.50 SAR: by size in whole units, whatever the minor unit.
    places = [listing.index(said) for said in ("-1,234.50", "W-3", "W-1", "W-2")]
    assert places == sorted(places)


def test_the_pdf_has_as_many_breaks_as_somebody_would_read_and_says_so(result: Result) -> None:
    table = largest_breaks(result, standing_of, 3)
    assert len(list(table.rows)) == 3
    said = "The 3 largest of 5 differences; the spreadsheet and the CSV file have all of them."
    assert table.note == said


def test_a_long_list_of_breaks_is_drawn_and_looks_like_the_rest(result: Result) -> None:
    pages = pdf_pages(printed(result), most_designed=3)
    assert f"Page {len(pages)} of {len(pages)}" in pages[-1]
    assert "The largest differences first." in pages[-1]
    assert "W-3" in pages[-1]


def test_nothing_found_is_a_report_too() -> None:
    nothing = a_result()
    assert "No rows\nMade" in "\n".join(pdf_pages(printed(nothing)))
    assert written(full(nothing), "csv").count(b"\r\n") == 1
    book = openpyxl.load_workbook(io.BytesIO(written(full(nothing), "xlsx")))
    assert book["Breaks"].max_row == 1
    assert ["Breaks", "0"] in sheet_rows(book["Summary"])


def test_totals_that_do_not_tie_out_are_said_before_the_numbers() -> None:
    gap = replace(totals_of([]), stored_minor=700_005)
    result = a_result(totals=[gap])
    said = "the totals of SAR do not tie out: 0.05 SAR is unexplained"
    assert [notice.text for notice in printed(result).notices] == [said]
    book = openpyxl.load_workbook(io.BytesIO(written(full(result), "xlsx")))
    assert ["CONTROL_TOTALS", said] in sheet_rows(book["Summary"])


def test_a_million_findings_do_not_bury_the_numbers() -> None:
    notices = full(a_result(findings=[TRUNCATED] * 3_000)).notices
    assert len(notices) == 52
    assert notices[50].text == "3,000 in all: SOURCE_TRUNCATED 3,000"


def test_an_unrecorded_result_has_no_standing(result: Result) -> None:
    document = full_document(result, made_at=MADE_AT)
    first = next(iter(document.main.rows))
    assert (first[0], first[11:14]) == (None, (None, None, None))


def test_the_workbook_and_the_page_name_the_run_that_made_them(result: Result) -> None:
    run = "RC-20261124-7K3F9"
    book = written(full_document(result, made_at=MADE_AT, run=run), "xlsx")
    sheets = openpyxl.load_workbook(io.BytesIO(book))
    assert ["Run", run] in sheet_rows(sheets["Summary"])
    first_page, *_ = pdf_pages(printed_document(result, made_at=MADE_AT, run=run))
    assert run in first_page


def test_what_a_finding_repeats_of_a_source_is_without_secrets(result: Result) -> None:
    told = replace(TRUNCATED, message="cannot read 'noura@example.com', pin=1234")
    document = full_document(replace(result, findings=[told]), made_at=MADE_AT)
    assert document.notices[0].text == "entries, trans.asc:7: cannot read '***', pin=***"


def names(artifacts: Sequence[Any]) -> list[tuple[str, int]]:
    return [(each.name, each.rows) for each in artifacts]


def test_the_report_is_published_in_every_format_under_the_day_it_is_about(
    result: Result, tmp_path: Path
) -> None:
    database = a_database(tmp_path)
    publisher = a_publisher(tmp_path, database)
    run_id = a_run(database)
    expected = [(f"wallets-2026-01-04.{suffix}", 5) for suffix in ("xlsx", "csv", "pdf")]
    for attempt in (1, 2):
        spool = publisher.spool.of("RUN", attempt)
        files = write_report(publisher, spool, result, made_at=MADE_AT, standing_of=standing_of)
        published = publisher.store(run_id, files)
        assert names(published) == expected
    assert sorted(names(publisher.artifacts.list())) == sorted(expected)
    assert len([path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]) == 3


def test_a_result_without_a_period_is_named_for_its_cut_off(result: Result) -> None:
    assert report_name(replace(result, period=None)) == "wallets-2026-01-05"


EVERY_CODE = [
    a_difference(
        check="balance", severity="low", details={"explained_by": {"DUPLICATE_EXACT": []}}
    ),
    a_chain_break(),
    *(
        a_difference(
            check=check, code=code, kind=kind, wallet="W-9", entry=entry, currency=currency
        )
        for check, code, kind, entry, currency in (
            ("currency", "CURRENCY_MISMATCH", "currency", "11", "KWD"),
            ("duplicate", "DUPLICATE_EXACT", "duplicate", "12", "SAR"),
            ("duplicate", "DUPLICATE_SUSPECT", "duplicate", "13", "JPY"),
            ("negative", "NEGATIVE_BALANCE", "sign", None, "SAR"),
            ("negative", "NEGATIVE_RUNNING", "sign", "14", "SAR"),
            ("orphan", "ORPHAN_ENTRY", "orphan", "15", "KWD"),
            ("orphan", "ORPHAN_WALLET", "orphan", None, "SAR"),
        )
    ),
]


def test_every_code_has_a_meaning_a_bar_and_its_row_in_the_pivot() -> None:
    assert {each.code for each in EVERY_CODE} == {*MEANINGS}
    result = a_result(EVERY_CODE)
    book = openpyxl.load_workbook(io.BytesIO(written(full(result), "xlsx")))
    rows = sheet_rows(book["Summary"])
    text = " ".join("\n".join(pdf_pages(printed(result))).split())
    for code, meaning in MEANINGS.items():
        assert [code, meaning.title, meaning.text] in rows
        assert [code, 1] in rows
        assert meaning.title in text
        assert meaning.text in text
    pivot = {row[0]: row for row in rows if len(row) == 10}
    assert {*MEANINGS} <= {*(row[0] for row in rows if len(row) > 3)}
    assert pivot["All codes"][1::3] == [1, 2, 6]


def test_entries_that_no_wallet_holds_are_terms_of_the_equation() -> None:
    totals = replace(totals_of([]), orphans_minor=700, mismatched_minor=25, stored_minor=699_275)
    result = a_result(totals=[totals])
    assert [notice.code for notice in full(result).notices] == ["TIES OUT"]
    book = openpyxl.load_workbook(io.BytesIO(written(full(result), "xlsx")))
    row = next(row for row in sheet_rows(book["Summary"]) if row[0] == "SAR")
    assert row[6:] == [-7.25, 0, 7, 0.25, -7.25, 0, "yes"]

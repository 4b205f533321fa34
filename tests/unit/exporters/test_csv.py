"""CSV: RFC 4180, its profiles, and which table it holds."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from engine.exporters.csv import CsvExporter, ExcelCsvExporter
from engine.exporters.csv_profile import EXCEL, GUARDED, MACHINE, CsvProfile
from engine.exporters.document import Column, Document, Kind
from tests.builders.document import (
    AMOUNT,
    AT,
    COUNT,
    CURRENCY,
    MADE_AT,
    NAME,
    SHARE,
    a_document,
    a_table,
)

PAID = Column(name="paid", title="Paid", kind=Kind.BOOLEAN)
FEE = Column(name="fee", title="Fee", kind=Kind.MONEY, currency="KWD")


def lines(document: Document, profile: CsvProfile = MACHINE) -> list[bytes]:
    target = io.BytesIO()
    CsvExporter(profile=profile).write(document, target)
    return target.getvalue().split(b"\r\n")


def test_quotes_commas_and_line_breaks_are_read_back_as_they_were() -> None:
    cells = ['say "hi"', "a,b", "two\r\nlines", " spaced ", "", "plain", "محفظة"]
    target = io.BytesIO()
    CsvExporter().write(a_document([NAME], [[cell] for cell in cells]), target)
    text = target.getvalue().decode("utf-8")
    assert [row[0] for row in csv.reader(io.StringIO(text, newline=""))][1:] == cells
    assert text.startswith('name\r\n"say ""hi"""\r\n"a,b"\r\n')
    assert not text.startswith("\ufeff")


def test_a_machine_has_texts_as_they_are_and_knows_an_empty_one_from_none() -> None:
    document = a_document([NAME, COUNT], [["=1+1", -7], ["", 1], [None, 2], ["nul \x00", None]])
    assert lines(document)[1:] == [b"=1+1,-7", b'"",1', b",2", b"nul \x00,", b""]


def test_the_lines_of_a_single_column_are_never_empty() -> None:
    assert lines(a_document([NAME], [[None], [""]]))[1:3] == [b'""', b'""']


@pytest.mark.parametrize("profile", [MACHINE, GUARDED, EXCEL])
def test_negative_numbers_are_never_guarded(profile: CsvProfile) -> None:
    at = "2026-01-05 06:00:00" if profile is EXCEL else "2026-01-05T06:00:00+03:00"
    document = a_document([COUNT, CURRENCY, AMOUNT, AT], [(-7, "SAR", -150, MADE_AT)])
    assert lines(document, profile)[1] == f"-7,SAR,-1.50,{at}".encode()


@pytest.mark.parametrize("profile", [GUARDED, EXCEL])
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\uff1d", "\uff20"])
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(
    profile: CsvProfile, start: str
) -> None:
    assert lines(a_document([NAME], [[f"{start}cmd()"]]), profile)[1] == f"'{start}cmd()".encode()


def test_titles_are_guarded_too() -> None:
    document = a_document([replace(NAME, title="=cmd()")], [])
    assert lines(document, EXCEL)[0] == "\ufeff'=cmd()".encode()


def test_people_have_titles_with_zone_and_currency_and_what_excel_reads() -> None:
    document = a_document(
        [NAME, FEE, SHARE, AT, PAID],
        [["Aisha", 5, Decimal("0.125"), datetime(2026, 1, 5, 1, 2, 3, 4, tzinfo=UTC), True]],
    )
    target = io.BytesIO()
    ExcelCsvExporter().write(document, target)
    assert target.getvalue().decode("utf-8-sig").splitlines() == [
        "Name,Fee (KWD),Share,At (Asia/Riyadh),Paid",
        "Aisha,0.005,12.5%,2026-01-05 04:02:03,TRUE",
    ]
    assert target.getvalue().startswith(b"\xef\xbb\xbf")


def test_an_arabic_document_for_people_has_semicolons() -> None:
    document = replace(a_document(rows=[["a;b,c", 1]]), language="ar")
    assert lines(document, EXCEL)[1] == b'"a;b,c";1'
    assert lines(document, MACHINE)[1] == b'"a;b,c",1'


def test_another_table_can_be_named() -> None:
    document = a_document()
    other = a_table([NAME], [["Badr"]], name="guardians")
    document = replace(document, tables=[*document.tables, other])
    target = io.BytesIO()
    assert CsvExporter(table="guardians").write(document, target) == 1
    assert target.getvalue() == b"name\r\nBadr\r\n"
    with pytest.raises(ValueError, match="no table is named 'nobody'"):
        CsvExporter(table="nobody").write(document, target)

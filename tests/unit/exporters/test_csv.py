"""CSV: RFC 4180, and which table it holds."""

import csv
import io
from dataclasses import replace

from engine.exporters.csv import CsvExporter
from tests.builders.document import AMOUNT, AT, COUNT, CURRENCY, MADE_AT, NAME, a_document, a_table


def test_quotes_commas_and_line_breaks_are_read_back_as_they_were() -> None:
    cells = ['say "hi"', "a,b", "two\r\nlines", " spaced ", "", "plain", "محفظة"]
    target = io.BytesIO()
    CsvExporter().write(a_document([NAME], [[cell] for cell in cells]), target)
    text = target.getvalue().decode("utf-8")
    assert [row[0] for row in csv.reader(io.StringIO(text, newline=""))][1:] == cells
    assert text.startswith('name\r\n"say ""hi"""\r\n"a,b"\r\n')
    assert not text.startswith("\ufeff")


def test_negative_numbers_are_never_guarded() -> None:
    target = io.BytesIO()
    CsvExporter().write(
        a_document([COUNT, CURRENCY, AMOUNT, AT], [(-7, "SAR", -150, MADE_AT)]), target
    )
    assert target.getvalue().splitlines()[1] == b"-7,SAR,-1.50,2026-01-05T06:00:00+03:00"


def test_full_width_signs_are_guarded_too() -> None:
    target = io.BytesIO()
    CsvExporter().write(a_document([NAME], [["\uff1dcmd()"]]), target)
    assert target.getvalue().decode().splitlines()[1] == "'\uff1dcmd()"


def test_texts_can_be_left_untouched() -> None:
    target = io.BytesIO()
    CsvExporter(guard_formulas=False).write(a_document([NAME], [["=1+1"]]), target)
    assert target.getvalue().splitlines()[1] == b"=1+1"


def test_another_table_can_be_named() -> None:
    document = a_document()
    other = a_table([NAME], [["Badr"]], name="guardians")
    document = replace(document, tables=[*document.tables, other])
    target = io.BytesIO()
    assert CsvExporter(table="guardians").write(document, target) == 1
    assert target.getvalue() == b"name\r\nBadr\r\n"

"""The XML of a small sheet whose rows we write ourselves, byte for byte.

`files/` holds what is expected; after a wanted change, delete the file and run the test twice.
"""

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

import pytest

from engine.exporters.document import Column, Document, Kind, Table
from engine.exporters.xlsx.exporter import XlsxExporter
from engine.exporters.xlsx.table_sheets import Limits
from tests.builders.document import AMOUNT, AT, COUNT, CURRENCY, MADE_AT, NAME, SHARE

GOLDEN = Path(__file__).with_name("files") / "sheet.xml"
COLUMNS = (
    NAME,
    COUNT,
    CURRENCY,
    AMOUNT,
    SHARE,
    Column(name="day", title="Day", kind=Kind.DATE),
    AT,
    Column(name="settled", title="Settled", kind=Kind.BOOLEAN),
    Column(name="key", title="Key", hidden=True),
)
DAY, INSTANT = date(2026, 11, 24), datetime(2026, 11, 24, 21, 30, 15, tzinfo=UTC)
ROWS = (
    ("Aisha", 1, "SAR", -123_450, Decimal("0.125"), DAY, INSTANT, True, "k1"),
    ("=1+1 & <b>", 10**16 + 1, "KWD", 10**15 + 1, None, date(1850, 1, 1), None, False, "k2"),
    (" \x00_x0000_ ", None, "JPY", 7, Decimal(1), None, INSTANT, None, None),
    (None, -5, None, None, Decimal("-0.5"), None, None, None, "محفظة"),
)


def test_the_sheet_is_as_agreed() -> None:
    total = ("Total", None, "SAR", -123_450, *[None] * 5)
    table = Table(name="sales", title="Sales", columns=COLUMNS, rows=ROWS, totals=[total])
    document = Document(title="Sales", made_at=MADE_AT, timezone="Asia/Riyadh", tables=[table])
    target = io.BytesIO()
    XlsxExporter(limits=Limits(few_rows=0)).write(document, target)
    sheet = ZipFile(target).read("xl/worksheets/sheet1.xml").decode()
    lines = (
        sheet.replace("<row", "\n<row")
        .replace("<c ", "\n <c ")
        .replace("</sheetData", "\n</sheetData")
    )
    if not GOLDEN.exists():
        GOLDEN.write_text(lines, encoding="utf-8")
        pytest.fail(f"{GOLDEN} was written anew: look at it, then run the test again")
    assert lines == GOLDEN.read_text(encoding="utf-8")

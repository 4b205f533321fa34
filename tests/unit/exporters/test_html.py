"""HTML: one page that asks for nothing, runs nothing, and says everything."""

import io
import re
from base64 import b64encode
from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from engine.exporters.arabic import numerals, numerals_in
from engine.exporters.document import (
    Bar,
    BarChart,
    Column,
    Document,
    Fact,
    Kind,
    Notice,
    Row,
)
from engine.exporters.html import HtmlExporter
from tests.builders.document import COUNT, NAME, a_document, a_table
from tests.builders.written import cells_of

PAID = Column(name="paid", title="Paid", kind=Kind.MONEY, currency="SAR")
HOSTILE = "</td><script>alert(1)</script><img src=x onerror=alert(2)>&\"'"


def page_of(document: Document) -> str:
    target = io.BytesIO()
    HtmlExporter().write(document, target)
    return target.getvalue().decode()


class Tags(HTMLParser):
    """Every element with its attributes, and that each is closed that is opened."""

    VOID = ("meta", "rect")

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags_of(page: str) -> list[tuple[str, dict[str, str | None]]]:
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    return tags.seen


def everything() -> Document:
    """A document that says something hostile wherever it can."""
    hostile = a_table(
        [replace(NAME, title=HOSTILE, link="https://example.com/{}"), COUNT], [[HOSTILE, 1]]
    )
    return Document(
        title=HOSTILE,
        subtitle=HOSTILE,
        made_at=a_document().made_at,
        confidentiality=HOSTILE,
        keywords=[HOSTILE],
        properties={HOSTILE: HOSTILE},
        notices=[Notice(code=HOSTILE, text=HOSTILE)],
        facts=[Fact(label=HOSTILE, value=HOSTILE)],
        charts=[BarChart(title=HOSTILE, bars=[Bar(label=HOSTILE, value=2, note=HOSTILE)])],
        summaries=[replace(hostile, title=HOSTILE, note=HOSTILE)],
        tables=[replace(hostile, title=HOSTILE, note=HOSTILE, totals=[[None, 1]])],
    )


def test_nothing_of_what_it_says_is_taken_for_markup() -> None:
    seen = tags_of(page_of(everything()))
    assert {tag for tag, _ in seen} & {"script", "img", "iframe", "link", "object", "base"} == set()
    assert not [name for _, attrs in seen for name in attrs if name.startswith("on")]
    assert not [attrs for _, attrs in seen if "style" in attrs or "src" in attrs]
    addresses = {attrs["href"] for tag, attrs in seen if tag == "a"}
    assert len(addresses) == 1
    assert addresses.pop().startswith("https://example.com/%3C%2Ftd%3E%3Cscript")  # type: ignore[union-attr]


def test_its_policy_allows_its_own_style_and_nothing_else() -> None:
    page = page_of(everything())
    (policy,) = (
        attrs["content"]
        for tag, attrs in tags_of(page)
        if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    allowed = b64encode(sha256(style[1].encode()).digest()).decode()
    assert str(policy).startswith(f"default-src 'none'; style-src 'sha256-{allowed}';")
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_hidden_columns_are_not_shown_and_totals_say_what_they_are() -> None:
    columns = [replace(COUNT, hidden=True), NAME, PAID]
    table = replace(a_table(columns, [[1, "Aisha", 150]]), totals=[[None, None, 150]])
    page = page_of(replace(a_document(), tables=[table]))
    assert cells_of("html", page.encode()) == [["Aisha", "1.50"], ["Total", "1.50"]]
    assert "Count" not in page


def test_an_arabic_page_reads_from_right_to_left_but_its_numbers_do_not() -> None:
    columns = [NAME, PAID, Column(name="day", title="اليوم", kind=Kind.DATE)]
    rows: list[Row] = [["محفظة", -4500, date(2026, 11, 24)]]
    document = replace(a_document(columns, rows), language="ar", tables=[
        replace(a_table(columns, rows), totals=[[None, -4500, None]])
    ])  # fmt: skip
    page = page_of(document)
    assert '<html lang="ar" dir="rtl">' in page
    assert "الإجمالي" in page
    cells = [attrs for tag, attrs in tags_of(page) if tag == "td"]
    assert [cell["dir"] for cell in cells[:3]] == ["auto", "ltr", "ltr"]
    assert "-45.00" in page


def test_arabic_digits_and_hijri_dates_are_held_together() -> None:
    columns = [PAID, Column(name="day", title="Day", kind=Kind.DATE)]
    document = a_document(columns, [[-450_050, date(2026, 11, 24)]])
    page = page_of(replace(document, language="ar", digits="arabic", hijri=True))
    assert f"\u2066\u202d{numerals('-4,500.50', 'arabic')}\u202c\u2069" in page
    for day in ("2026-11-24", "1448-06-14"):
        assert numerals_in(day, "arabic") in page


def test_a_negative_amount_in_an_arabic_text_keeps_its_sign_before_it() -> None:
    document = a_document([NAME], [["محمد (-45.00)"]])
    assert "\u2066(-45.00)\u2069" in page_of(replace(document, language="ar"))
    assert "\u2066" not in page_of(document)


def test_the_colours_are_those_of_the_theme(tmp_path: Path) -> None:
    (tmp_path / "theme.toml").write_text('accent = "#123456"\n', encoding="utf-8")
    target = io.BytesIO()
    HtmlExporter(templates=tmp_path).write(a_document(), target)
    assert "--accent: #123456" in target.getvalue().decode()
    assert "--accent: #1f3a5f" in page_of(a_document())


def test_a_table_without_rows_says_so() -> None:
    assert cells_of("html", page_of(a_document()).encode()) == [["No rows"]]


@pytest.mark.parametrize("cell", [True, False, None])
def test_what_is_so_is_said_in_a_word(cell: Any) -> None:
    column = Column(name="paid", title="Paid", kind=Kind.BOOLEAN)
    said = {True: "Yes", False: "No", None: ""}[cell]
    page = page_of(a_document([column, NAME], [[cell, "Aisha"]]))
    assert cells_of("html", page.encode()) == [[said, "Aisha"]]


def test_percentages_and_links() -> None:
    share = Column(name="share", title="Share", kind=Kind.PERCENT)
    mail = Column(name="mail", title="Mail", link="mailto:{}")
    page = page_of(a_document([share, mail], [[Decimal("0.125"), "a b@example.com"]]))
    assert '<a href="mailto:a%20b%40example.com" rel="noopener noreferrer">' in page
    assert "12.5%" in page

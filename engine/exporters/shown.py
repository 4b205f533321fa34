"""What people read on a page: cells, facts and sentences in a document's language and digits."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine.exporters.arabic import hijri_text, isolated, numerals, numerals_in, upright
from engine.exporters.cells import CheckedRows, fact_text, legible, shown
from engine.exporters.document import Column, Document, Fact, Kind, Row, Table
from engine.exporters.total_word import total_word
from engine.exporters.words import words_of
from engine.money import format_minor

NUMBERS = (Kind.INTEGER, Kind.MONEY, Kind.PERCENT)
DATES = (Kind.DATE, Kind.DATETIME)
Show = Callable[[Any, str | None], str]


class Shown:
    """Says everything on the pages of one document; an empty cell is an empty text."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.words = words_of(document.language)
        self._zone = ZoneInfo(document.timezone)

    def cell(self, kind: Kind) -> Show:
        """How cells of a kind are shown, given their currency."""
        return self._shows()[kind]

    def number(self, number: int) -> str:
        """A count."""
        return numerals(f"{number:,}", self.document.digits)

    def instant(self, at: datetime) -> str:
        """An instant that stands by itself, with its zone."""
        there = at.astimezone(self._zone).replace(tzinfo=None)
        said = f"{there.isoformat(' ', 'seconds')} {self.document.timezone}"
        return self._with_hijri(said, there.date())

    def made(self) -> str:
        """When the document was made."""
        at = self.instant(self.document.made_at)
        return self.words.made.format(at=self._held(at))

    def sentence(self, text: str) -> str:
        """Words of somebody, in which numbers stay as they are read."""
        text = legible(text)
        return isolated(text) if self.document.rtl else text

    def fact(self, fact: Fact) -> str:
        """The value of a fact."""
        if isinstance(fact.value, datetime):
            return self._held(self.instant(fact.value))
        if isinstance(fact.value, int):
            amount, _, currency = fact_text(fact, self.document).partition(" ")
            return self._held(f"{numerals(amount, self.document.digits)} {currency}".rstrip())
        return self.sentence(fact.value)

    def page(self, page: int, pages: int) -> str:
        """Page 3 of 120."""
        return self.words.page.format(page=self.number(page), pages=self.number(pages))

    def _held(self, text: str) -> str:
        return upright(text) if self.document.rtl else text

    def _shows(self) -> dict[Kind, Show]:
        digits, zone, words = self.document.digits, self._zone, self.words
        return {
            Kind.TEXT: lambda cell, _: legible(cell),
            Kind.INTEGER: lambda cell, _: numerals(f"{cell:,}", digits),
            Kind.MONEY: lambda cell, currency: numerals(format_minor(cell, currency or ""), digits),
            Kind.PERCENT: lambda cell, _: numerals(shown(cell, Kind.PERCENT, None, zone), digits),
            Kind.DATE: self._date,
            Kind.DATETIME: self._instant,
            Kind.BOOLEAN: lambda cell, _: words.yes if cell else words.no,
        }

    def _date(self, cell: Any, _: str | None) -> str:
        return self._with_hijri(cell.isoformat(), cell)

    def _instant(self, cell: Any, _: str | None) -> str:
        there = cell.astimezone(self._zone).replace(tzinfo=None)
        return self._with_hijri(there.isoformat(" ", "seconds"), there.date())

    def _with_hijri(self, gregorian: str, day: Any) -> str:
        if self.document.hijri and (hijri := hijri_text(day, self.document.language)):
            gregorian = f"{gregorian} · {hijri}"
        return numerals_in(gregorian, self.document.digits)


class ShownRows:
    """The rows of a table as people read them, without the columns that are hidden."""

    def __init__(self, table: Table, shown: Shown) -> None:
        self.table = table
        self.shown = shown
        places = [place for place, column in enumerate(table.columns) if not column.hidden]
        self.columns: Sequence[Column] = [table.columns[place] for place in places]
        self._shows = [(place, shown.cell(table.columns[place].kind)) for place in places]

    def __iter__(self) -> Iterator[tuple[Row, list[str]]]:
        """Each row, and its texts."""
        return self._of(self.table)

    def totals(self) -> Iterator[tuple[Row, list[str]]]:
        """The rows of totals likewise, each of which says what it is."""
        at = {place: number for number, (place, _) in enumerate(self._shows)}
        for row, said in self._of(replace(self.table, rows=self.table.totals)):
            if found := total_word(self.table.columns, row, self.shown.words.total):
                said[at[found[0]]] = found[1]
            yield row, said

    def _of(self, table: Table) -> Iterator[tuple[Row, list[str]]]:
        shows = self._shows
        for row, currencies in CheckedRows(table):
            yield (
                row,
                [
                    "" if (cell := row[place]) is None else show(cell, currencies[place])
                    for place, show in shows
                ],
            )

"""How CSV is written for whom: the profiles, and one cell after the other by them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from engine.exporters.cells import (
    encodable,
    heading,
    legible,
    money_text,
    percent_plain,
    percent_text,
    shown,
)
from engine.exporters.document import Column, Document, Kind, Row

# The full-width forms are folded to the plain ones by some spreadsheets in East Asian locales.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
EMPTY = '""'

Write = Callable[[Any, str | None], str]


@dataclass(frozen=True, kw_only=True)
class CsvProfile:
    """Whom a CSV is for: `exact` keeps texts as they are, `people` writes what Excel reads."""

    exact: bool = False
    people: bool = False

    def separator(self, document: Document) -> str:
        """What stands between two cells: Excel takes what the region of its machine has."""
        return ";" if self.people and document.rtl else ","

    def heading(self, column: Column, document: Document) -> str:
        """The first line's text for a column."""
        return heading(column, document) if self.people else column.name

    def text(self, text: str) -> str:
        """A text as it may stand in a file, quotes aside."""
        if self.exact:
            return encodable(text)
        return legible(f"'{text}" if text.startswith(FORMULA_STARTS) else text)


MACHINE = CsvProfile(exact=True)
GUARDED = CsvProfile()
EXCEL = CsvProfile(people=True)


class CsvLines:
    """Lines of one table."""

    def __init__(
        self, profile: CsvProfile, columns: Sequence[Column], separator: str, zone: tzinfo
    ) -> None:
        self._profile = profile
        self._separator = separator
        self._special = re.compile(f'[{separator}"\r\n]')
        self._writers = [self._writer(column.kind, zone) for column in columns]
        self._alone = len(columns) == 1

    def of_texts(self, texts: Sequence[str]) -> str:
        """The line of some texts."""
        return self._line([self._quoted(self._profile.text(text)) for text in texts])

    def of_row(self, row: Row, currencies: Sequence[str | None]) -> str:
        """The line of a row."""
        return self._line(
            [
                "" if cell is None else write(cell, currency)
                for cell, write, currency in zip(row, self._writers, currencies, strict=True)
            ]
        )

    def _line(self, fields: Sequence[str]) -> str:
        # A reader would pass over an empty line.
        text = EMPTY if self._alone and not fields[0] else self._separator.join(fields)
        return f"{text}\r\n"

    def _writer(self, kind: Kind, zone: tzinfo) -> Write:
        """How a cell of this kind becomes text."""
        people = self._profile.people
        if kind is Kind.TEXT:
            return self._text
        if kind is Kind.MONEY:
            return lambda cell, currency: money_text(cell, currency or "")
        if kind is Kind.PERCENT:
            return lambda cell, _: percent_text(cell) if people else percent_plain(cell)
        if kind is Kind.DATE:
            return lambda cell, _: cell.isoformat()
        if kind is Kind.DATETIME:
            if people:
                return lambda cell, currency: shown(cell, kind, currency, zone)
            return lambda cell, _: cell.astimezone(zone).isoformat()
        if kind is Kind.BOOLEAN:
            return lambda cell, _: str(cell).upper() if people else str(cell).lower()
        return lambda cell, _: str(cell)

    def _text(self, cell: str, currency: str | None) -> str:
        if not cell:
            return EMPTY if self._profile.exact else ""
        return self._quoted(self._profile.text(cell))

    def _quoted(self, text: str) -> str:
        if self._special.search(text) is None:
            return text
        doubled = text.replace('"', '""')
        return f'"{doubled}"'

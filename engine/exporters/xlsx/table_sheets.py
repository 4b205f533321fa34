"""The sheets of one table: few rows through XlsxWriter, many as whole batches of XML beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from engine.exporters.cells import CheckedRows
from engine.exporters.document import Document, Row, Table
from engine.exporters.total_word import total_word
from engine.exporters.words import words_of
from engine.exporters.xlsx.cells import CellWriter, Write
from engine.exporters.xlsx.deflated import DeflatedRows
from engine.exporters.xlsx.feed import Feed
from engine.exporters.xlsx.layout import Widths, area, write_header
from engine.exporters.xlsx.long_texts import LongTexts
from engine.exporters.xlsx.splice import Filling
from engine.exporters.xlsx.styles import Styles
from engine.exporters.xlsx.texts import write_label

if TYPE_CHECKING:
    from engine.exporters.xlsx.rows import RowXml

MOST_ROWS = 1_048_576  # of a sheet, header included


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many rows of a table a sheet has at most, and how many XlsxWriter writes."""

    rows_per_sheet: int = MOST_ROWS - 1
    few_rows: int = 1_000


EXCEL = Limits()


class TableSheets:
    """Writes a table down its first sheet, and on in further ones."""

    def __init__(
        self,
        table: Table,
        document: Document,
        *,
        limits: Limits,
        styles: Styles,
        long_texts: LongTexts,
        make_sheet: Callable[[str], Any],
        make_rows: Callable[[], DeflatedRows],
    ) -> None:
        self._table = table
        self._document = document
        self._limits = limits
        self._styles = styles
        self._long_texts = long_texts
        self._make_sheet = make_sheet
        self._make_rows = make_rows
        self._zone = ZoneInfo(document.timezone)
        self._widths = Widths(table, document)
        self._last = len(table.columns) - 1
        self.fillings: dict[int, Filling] = {}
        self._total = self._on_sheet = 0
        self._many = False
        self._rows: DeflatedRows | None = None
        self._totals_at: int | None = None
        self._begin()

    def write(self) -> int:
        """Write all rows, and the totals below them; return how many rows there are."""
        feed = Feed(self._table, self._limits.few_rows)
        for row, currencies in feed.first():
            self._need_room()
            self._write(row, currencies)
        self._fill(feed)
        self._write_totals()
        self._finish()
        return self._total

    def _write(self, row: Row, currencies: Sequence[str | None]) -> None:
        self._on_sheet, self._total = self._on_sheet + 1, self._total + 1
        empty = True
        for place, cell in enumerate(row):
            if cell is not None:
                self._writers[place](self._on_sheet, place, cell, currencies[place])
                empty = False
        if empty:
            # XlsxWriter leaves out a row without cells, and whoever counts the rows misses it.
            self._sheet.write_blank(self._on_sheet, 0, None, self._styles.text)
        self._widths.see(row, currencies)

    def _fill(self, feed: Feed) -> None:
        xml = None
        for batch in feed.rest():
            if xml is None:
                xml = self._row_xml()
                self._say_that_links_end()
            self._see(batch)
            while batch.num_rows:
                self._need_room()
                if self._rows is None:
                    self._rows = self._make_rows()
                part = batch.slice(0, self._limits.rows_per_sheet - self._on_sheet)
                self._rows.add(xml.of(part, self._sheet.get_name(), self._on_sheet + 2))
                self._on_sheet += part.num_rows
                self._total += part.num_rows
                batch = batch.slice(part.num_rows)

    def _row_xml(self) -> "RowXml":
        from engine.exporters.xlsx.rows import RowXml

        self._many = True
        return RowXml(self._table, self._styles, self._zone, self._long_texts)

    def _see(self, batch: Any) -> None:
        from engine.exporters.xlsx.largest import largest_numbers

        for place, number, currency in largest_numbers(self._widths.numbers, batch):
            self._widths.see_number(place, number, currency)

    def _write_totals(self) -> None:
        """Write the totals below an empty row, which keeps filters and sorting off them."""
        totals = self._table.totals
        if not totals:
            return
        first = self._on_sheet + 2
        if first + len(totals) > MOST_ROWS:
            self._finish()
            self._begin()
            first = 2
        self._totals_at = first
        styles = self._styles.totals
        blank = styles.text
        word = words_of(self._document.language).total
        for number, (row, currencies) in enumerate(
            CheckedRows(replace(self._table, rows=totals)), start=first
        ):
            cells = CellWriter(self._sheet, styles, self._zone, self._long_texts)
            for place, cell in enumerate(row):
                if cell is not None:
                    write = cells.of(self._table.columns[place].kind)
                    write(number, place, cell, currencies[place])
                elif number == first:
                    self._sheet.write_blank(number, place, None, blank)
            if (found := total_word(self._table.columns, row, word)) and row[found[0]] is None:
                write_label(self._sheet, number, *found, styles.text)
            self._widths.see(row, currencies)
            styles = self._styles.further_totals

    def _need_room(self) -> None:
        if self._on_sheet == self._limits.rows_per_sheet:
            self._finish()
            self._begin()

    def _begin(self) -> None:
        """A new sheet with the header of the table."""
        sheet = self._sheet = self._make_sheet(self._table.title)
        write_header(sheet, 0, self._table.columns, self._document, self._styles)
        cells = CellWriter(sheet, self._styles, self._zone, self._long_texts)
        self._writers: Sequence[Write] = cells.columns(self._table.columns)
        self._rows = self._totals_at = None
        self._on_sheet = 0
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        if self._many:
            self._say_that_links_end()

    def _finish(self) -> None:
        sheet, columns = self._sheet, self._table.columns
        sheet.autofilter(0, 0, self._on_sheet, self._last)
        # Wallets and entries are often all digits; Excel would mark every one of them.
        sheet.ignore_errors({"number_stored_as_text": area(self._on_sheet, self._last)})
        for place, (column, width) in enumerate(zip(columns, self._widths.found, strict=True)):
            sheet.set_column(place, place, width, None, {"hidden": column.hidden})
        if self._rows is not None:
            self._rows.end()
            below = self._totals_at
            last = self._on_sheet if below is None else below + len(self._table.totals) - 1
            self.fillings[sheet.index + 1] = Filling(
                rows=self._rows,
                area=area(last, self._last),
                before=None if below is None else below + 1,
            )

    def _say_that_links_end(self) -> None:
        """Only few rows have links, as a sheet may have 65,530: its header says so when chosen."""
        words = words_of(self._document.language)
        for place, column in enumerate(self._table.columns):
            if column.link:
                rows = f"{self._limits.few_rows:,}"
                said = {"validate": "any", "input_message": words.no_links.format(rows=rows)}
                self._sheet.data_validation(0, place, 0, place, said)

"""XLSX: a summary sheet and a sheet for each table, written in constant memory however long."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, ClassVar

from engine.exporters.document import Document, Table
from engine.exporters.words import words_of
from engine.exporters.xlsx.deflated import DeflatedRows
from engine.exporters.xlsx.layout import free_name
from engine.exporters.xlsx.long_texts import LongTexts
from engine.exporters.xlsx.properties import set_properties
from engine.exporters.xlsx.splice import Filling, splice
from engine.exporters.xlsx.styles import Styles
from engine.exporters.xlsx.summary import SummaryPage, has_summary
from engine.exporters.xlsx.table_sheets import EXCEL, Limits, TableSheets
from engine.exporters.xlsx.texts import cut
from engine.exporters.xlsx.workbook import open_workbook

_LONGEST_FOOTER = 255


@dataclass(frozen=True, kw_only=True)
class XlsxExporter:
    """Writes every table; one with more rows than a sheet holds goes on in further sheets."""

    suffix: ClassVar[str] = ".xlsx"
    media_type: ClassVar[str] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    streams: ClassVar[bool] = True

    limits: Limits = EXCEL
    templates: Path | None = None

    def write(self, document: Document, target: BinaryIO) -> int:
        """Write the workbook; return the rows of the main table, over all its sheets."""
        if self.templates is not None and (document.template or "").endswith(self.suffix):
            from engine.exporters.xlsx.template import fill

            return fill(self.templates, document, target)
        with TemporaryDirectory(prefix="engine-xlsx-") as folder, ExitStack() as files:
            aside = Path(folder)
            laid_out = aside / "workbook.xlsx"
            with laid_out.open("wb") as file, open_workbook(file, aside) as workbook:
                set_properties(workbook, document)
                sheets = _Sheets(workbook, document, self.limits, aside, files)
                sheets.write_summary()
                written = [sheets.write_table(table) for table in document.tables]
            if sheets.fillings:
                splice(laid_out, sheets.fillings, target)
            else:
                with laid_out.open("rb") as whole:
                    copyfileobj(whole, target)
        return written[0]


class _Sheets:
    """The sheets of one workbook, in the order they are written."""

    def __init__(
        self, workbook: Any, document: Document, limits: Limits, aside: Path, files: ExitStack
    ) -> None:
        self._workbook = workbook
        self._document = document
        self._limits = limits
        self._aside = aside
        self._files = files
        self._names: set[str] = set()
        self._words = words_of(document.language)
        self._styles = Styles.of_document(workbook, document)
        self._long_texts = LongTexts(self._sheet, self._styles, self._words)
        self.fillings: dict[int, Filling] = {}

    def write_summary(self) -> None:
        """Write what is said beside the tables; no sheet if there is nothing."""
        if has_summary(self._document):
            sheet = self._sheet(self._words.summary)
            sheet.set_portrait()  # it goes down, with charts that no page should cut
            page = SummaryPage(sheet, self._styles, self._document, self._long_texts)
            page.write(self._workbook)

    def write_table(self, table: Table) -> int:
        """Write a table to as many sheets as it needs and return how many rows it has."""
        sheets = TableSheets(
            table,
            self._document,
            limits=self._limits,
            styles=self._styles,
            long_texts=self._long_texts,
            make_sheet=self._sheet,
            make_rows=self._rows,
        )
        written = sheets.write()
        self.fillings |= sheets.fillings
        return written

    def _rows(self) -> DeflatedRows:
        path = self._aside / f"{len(list(self._aside.glob('*.rows')))}.rows"
        return self._files.enter_context(DeflatedRows(path))

    def _sheet(self, title: str) -> Any:
        name = free_name(title, self._names)
        self._names.add(name.casefold())
        sheet = self._workbook.add_worksheet(name)
        if self._document.rtl:
            sheet.right_to_left()
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_footer(self._footer())
        return sheet

    def _footer(self) -> str:
        """The sheet's name where lines begin, the page where they end."""
        first, last = "&A", self._words.page.format(page="&P", pages="&N")
        if self._document.rtl:
            # Without words: beside Arabic ones LibreOffice sets the codes in the wrong order.
            first, last = "&P / &N", "&A"
        said = self._document.confidentiality.replace("&", "&&")
        said = cut(said, _LONGEST_FOOTER - len(f"&L{first}&C&R{last}"))[0]
        return f"&L{first}&C{said}&R{last}" if said else f"&L{first}&R{last}"

"""PDF: designed pages, and behind them the long tables, of which every row is drawn."""

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, ClassVar

from engine.errors import Invalid
from engine.exporters.document import Document
from engine.exporters.held import Held, HeldTable, held
from engine.exporters.page_table import fits_portrait
from engine.exporters.pages import OURS, Pages
from engine.exporters.pdf.attaching import data_of
from engine.exporters.pdf.binding import Chapter, archive, bind, lock
from engine.exporters.pdf.columns import Widths, drawn_upright, measured
from engine.exporters.pdf.designed import Designed
from engine.exporters.pdf.drawn import DrawnPages
from engine.exporters.pdf.listing import Listing
from engine.exporters.pdf.sheet import Sheet
from engine.exporters.pdf.spool import Spool
from engine.exporters.pdf.typography import Typography
from engine.exporters.shown import Shown


class TooLongToArchive(Invalid):
    """PDF/A holds designed pages only."""

    message = (
        "{title!r} has more than {most} rows: PDF/A-3 is made of designed pages only, and long "
        "tables are drawn; ask for a plain PDF, or for the rows in another format"
    )


class ArchiveWithPassword(Invalid):
    """PDF/A must be readable by everybody."""

    message = "a PDF/A-3 cannot have a password; leave out one of the two"


@dataclass(frozen=True, kw_only=True)
class PdfExporter:
    """Writes facts, small tables, charts, then the tables.

    `archival` asks for PDF/A-3 with the data inside; a `password`, to open the file, for AES-256.
    `turned` is told how many pages are drawn after each, and may raise to stop.
    """

    suffix: ClassVar[str] = ".pdf"
    media_type: ClassVar[str] = "application/pdf"
    streams: ClassVar[bool] = False

    pages: Pages = field(default_factory=Pages)
    most_designed: int = 500
    archival: bool = False
    password: str | None = field(default=None, repr=False)
    turned: Callable[[int], object] | None = None

    def write(self, document: Document, target: BinaryIO) -> int:
        """Write the PDF; return how many rows of the main table it lists."""
        if self.archival and self.password is not None:
            raise ArchiveWithPassword
        shown = Shown(document)
        tables = held(document, shown, self.most_designed)
        if self.archival and tables.drawn:
            raise TooLongToArchive(title=document.title, most=self.most_designed)
        with TemporaryDirectory(prefix="pdf-") as folder:
            return self._write(shown, tables, Path(folder), target)

    def _write(self, shown: Shown, tables: Held, folder: Path, target: BinaryIO) -> int:
        typography, theme = Typography(), self.pages.theme
        widths = [measured(table, typography) for table in tables.drawn]
        upright = all(map(fits_portrait, (*tables.summaries, *tables.tables))) and all(
            drawn_upright(each, theme) for each in widths
        )
        sheet = Sheet(landscape=not upright, rtl=shown.document.rtl, theme=theme)
        designed, bound = folder / "designed.pdf", folder / "bound.pdf"
        with closing(Spool(folder / "drawn")) as spool:
            chapters, rows = [], {}
            for table, width in zip(tables.drawn, widths, strict=True):
                title = shown.sentence(table.rows.table.title)
                chapters.append(Chapter(title=title, page=spool.pages))
                rows[table.rows.table.name] = self._draw(table, width, sheet, typography, spool)
            data = data_of(shown.document, tables) if self.archival else None
            with designed.open("wb") as file:
                self._designed(shown, tables, sheet, spool.pages).write(file, data)
            if self.archival:
                archive(designed, bound, shown.document)
            else:
                drawn = DrawnPages(spool, sheet, shown, typography)
                bind(designed, bound, shown.document, drawn, chapters)
        if self.password is not None:
            lock(bound, folder / "locked.pdf", self.password)
            bound = folder / "locked.pdf"
        with bound.open("rb") as file:
            shutil.copyfileobj(file, target, 2**20)
        main = shown.document.main.name
        return rows[main] if main in rows else len(tables.tables[0].texts)

    def _draw(
        self, table: HeldTable, widths: Widths, sheet: Sheet, typography: Typography, spool: Spool
    ) -> int:
        listing = Listing(table.rows, widths, sheet, typography)
        for leaf in listing.pages(table, table.rows.totals()):
            spool.add(leaf)
            if self.turned is not None:
                self.turned(spool.pages)
        return listing.rows

    def _designed(self, shown: Shown, tables: Held, sheet: Sheet, drawn: int) -> Designed:
        """The designed pages, laid out again if they are not as many as they say."""
        folder, guess = self.pages.folder or OURS, 1
        while True:
            total = guess + drawn if drawn else None
            html = self.pages.render(shown, tables, landscape=sheet.landscape, pages=total)
            designed = Designed(html, folder)
            if not drawn or designed.pages == guess:
                return designed
            guess = designed.pages

"""Pages: the HTML a PDF is made from, by Jinja2 from our own page or a template of the user's.

A template may extend `table.html`, fill its blocks, and use what `_context` hands over: texts that
are already formatted and of which only the charts are markup. Everything else is escaped.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from engine.errors import Invalid
from engine.exporters.cells import TextRows, fact_text, legible
from engine.exporters.chart import bar_chart
from engine.exporters.document import Column, Document, Kind, Table

if TYPE_CHECKING:
    from jinja2 import Environment

OURS = Path(__file__).with_name("pages")
_LONGEST_TEXT = 300  # characters of one cell; breaking 40,000 into lines takes a minute
_LONGEST_NOTICE = 1_000
_WIDEST_TEXT = 34  # characters; longer texts wrap
_ROOMY, _FULL = 150, 185  # characters across a page in the two larger sizes
_SPREAD = 90  # a narrower table is not spread over the page, or its rows are hard to follow


class BadTemplate(Invalid):
    """A template cannot be rendered."""

    message = "template {name!r} in {folder}: {problem}"


@dataclass(frozen=True, kw_only=True)
class PageColumn:
    """A column on paper: its width is a share of the table's, in percent."""

    title: str
    style: str
    width: str


@dataclass(frozen=True, kw_only=True)
class PageTable:
    """A table on paper: the rows that fit the limit, as texts, and how many there are in all."""

    name: str
    title: str
    note: str
    size: str
    width: str
    columns: Sequence[PageColumn]
    rows: Sequence[Sequence[str]]
    total: int


@dataclass(frozen=True, kw_only=True)
class Page:
    """A rendered page, and how many rows of the main table are on it."""

    html: str
    rows: int


@dataclass(frozen=True)
class Pages:
    """Renders documents with the templates of `folder`, and with ours where it has none."""

    folder: Path | None = None

    def render(self, document: Document, longest_table: int) -> Page:
        """The page of a document; a table lists at most `longest_table` rows and says so."""
        from jinja2 import TemplateError, TemplateSyntaxError

        context = _context(document, longest_table)
        names = [name for name in (document.template, "table.html") if name]
        try:
            html = self._environment.select_template(names).render(context)
        except TemplateError as error:
            where = f"line {error.lineno}: " if isinstance(error, TemplateSyntaxError) else ""
            raise BadTemplate(
                name=names[0], folder=self.folder or OURS, problem=f"{where}{error}"
            ) from error
        return Page(html=html, rows=len(context["tables"][0].rows))

    @cached_property
    def _environment(self) -> "Environment":
        from jinja2 import Environment, FileSystemLoader, StrictUndefined

        # The user's folder first, so that a template may replace ours or build on it.
        folders = [folder for folder in (self.folder, OURS) if folder is not None]
        environment = Environment(
            loader=FileSystemLoader(folders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["direction"] = direction
        return environment


def direction(text: str) -> str:
    """`rtl` if the first letter of `text` is of a right-to-left script, else `ltr`."""
    for character in text:
        bidirectional = unicodedata.bidirectional(character)
        if bidirectional in ("R", "AL"):
            return "rtl"
        if bidirectional == "L":
            return "ltr"
    return "ltr"


def _context(document: Document, longest_table: int) -> Mapping[str, Any]:
    from markupsafe import Markup

    zone = ZoneInfo(document.timezone)
    return {
        "language": document.language,
        "title": legible(document.title),
        "subtitle": legible(document.subtitle),
        "keywords": legible(", ".join(document.keywords)),
        "made_at": f"{document.made_at.astimezone(zone):%Y-%m-%d %H:%M:%S} {document.timezone}",
        "notices": [
            (notice.code, _shortened(legible(notice.text), _LONGEST_NOTICE), notice.grave)
            for notice in document.notices
        ],
        "facts": [(fact.label, _shortened(fact_text(fact, document))) for fact in document.facts],
        "summaries": [_page_table(table, document, longest_table) for table in document.summaries],
        "charts": [
            (chart.title, Markup(bar_chart(chart)))  # noqa: S704 - escapes all it is given
            for chart in document.charts
        ],
        "tables": [_page_table(table, document, longest_table) for table in document.tables],
    }


def _page_table(table: Table, document: Document, longest: int) -> PageTable:
    """Hold the rows that will be printed (a PDF is laid out whole) and count the others."""
    rows: list[list[str]] = []
    total = 0
    for row in TextRows(table, ZoneInfo(document.timezone)):
        if total < longest:
            rows.append([_shortened(cell) for cell in row])
        total += 1
    widths = [_width(place, column, document, rows) for place, column in enumerate(table.columns)]
    across = sum(widths)
    return PageTable(
        name=table.name,
        title=legible(table.title),
        note=legible(table.note),
        size="roomy" if across <= _ROOMY else "full" if across <= _FULL else "crowded",
        width="100%" if across > _SPREAD else f"{max(across, _SPREAD // 3)}%",
        columns=[
            PageColumn(
                title=_title(column, document),
                style=f"{column.kind} wrap" if column.kind is Kind.TEXT else str(column.kind),
                width=f"{width * 10_000 // across / 100:.2f}%",
            )
            for column, width in zip(table.columns, widths, strict=True)
        ],
        rows=rows,
        total=total,
    )


def _shortened(text: str, longest: int = _LONGEST_TEXT) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _width(place: int, column: Column, document: Document, rows: Sequence[Sequence[str]]) -> int:
    """Characters across: the longest cell (numbers never wrap) or the longest word of the title."""
    longest = max((len(row[place]) for row in rows), default=0)
    if column.kind is Kind.TEXT:
        longest = min(longest, column.width or _WIDEST_TEXT)
    words = _title(column, document).split()
    return max(longest, *(len(word) + 1 for word in words)) + 2


def _title(column: Column, document: Document) -> str:
    said = document.timezone if column.kind is Kind.DATETIME else column.currency
    return legible(f"{column.title} ({said})" if said else column.title)

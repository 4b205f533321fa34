"""The parts of an HTML page, in the document's language and direction."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from html import escape
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

from engine.exporters.cells import CheckedRows, fact_text, heading, legible, shown
from engine.exporters.chart import bar_chart
from engine.exporters.document import Cell, Column, Document, Kind, Row, Table
from engine.exporters.words import words_of

_STYLE = Path(__file__).with_name("pages") / "html.css"
_NUMBERS = (Kind.INTEGER, Kind.MONEY, Kind.PERCENT)
_LEFT_TO_RIGHT = (*_NUMBERS, Kind.DATE, Kind.DATETIME)


class HtmlPage:
    """All of a page but the rows of its tables."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._words = words_of(document.language)

    def head(self) -> str:
        """Everything before the first table."""
        document = self._document
        style = _STYLE.read_text(encoding="utf-8")
        allowed = b64encode(sha256(style.encode()).digest()).decode("ascii")
        policy = (
            f"default-src 'none'; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
        )
        direction = "rtl" if document.rtl else "ltr"
        return "".join(
            [
                f'<!DOCTYPE html>\n<html lang="{document.language}" dir="{direction}">\n<head>\n',
                '<meta charset="utf-8">\n',
                f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
                '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
                '<meta name="referrer" content="no-referrer">\n',
                *(
                    f'<meta name="{_said(name)}" content="{_said(value)}">\n'
                    for name, value in self._facts_of_the_file()
                ),
                f"<title>{_said(document.title)}</title>\n<style>{style}</style>\n</head>\n<body>\n",
                self._header(),
                *(
                    f'<p class="notice{" grave" if notice.grave else ""}">'
                    f"<strong>{_said(notice.code)}</strong> {_isolated(notice.text)}</p>\n"
                    for notice in document.notices
                ),
                self._facts(),
            ]
        )

    def table(self, table: Table) -> "HtmlTable":
        """The parts of a table."""
        return HtmlTable(table, self._document)

    def charts(self) -> str:
        """Charts, which say their numbers to those who have them read to them."""
        return "".join(
            f"<figure>\n<figcaption>{_isolated(chart.title)}</figcaption>\n"
            f"{bar_chart(chart, rtl=self._document.rtl)}\n</figure>\n"
            for chart in self._document.charts
        )

    def foot(self) -> str:
        """What comes after the last table."""
        said = self._document.confidentiality
        line = f'<footer dir="auto">{_said(said)}</footer>\n' if said else ""
        return f"{line}</body>\n</html>\n"

    def _facts_of_the_file(self) -> Sequence[tuple[str, str]]:
        document = self._document
        return [
            ("generator", "engine"),
            *([("description", document.subtitle)] if document.subtitle else []),
            *([("keywords", ", ".join(document.keywords))] if document.keywords else []),
            *((f"engine:{name}", value) for name, value in document.properties.items()),
        ]

    def _header(self) -> str:
        document = self._document
        at = shown(document.made_at, Kind.DATETIME, None, ZoneInfo(document.timezone))
        made = self._words.made.format(at=f"<bdi>{at} {_said(document.timezone)}</bdi>")
        subtitle = f'<p class="subtitle" dir="auto">{_said(document.subtitle)}</p>\n'
        secret = f'<p class="secret" dir="auto">{_said(document.confidentiality)}</p>\n'
        return "".join(
            [
                "<header>\n",
                secret if document.confidentiality else "",
                f'<h1 dir="auto">{_said(document.title)}</h1>\n',
                subtitle if document.subtitle else "",
                f'<p class="made">{made}</p>\n</header>\n',
            ]
        )

    def _facts(self) -> str:
        lines = [
            f"<div><dt>{_isolated(fact.label)}</dt>"
            f"<dd>{_isolated(fact_text(fact, self._document))}</dd></div>\n"
            for fact in self._document.facts
        ]
        return f'<dl class="facts">\n{"".join(lines)}</dl>\n' if lines else ""


class HtmlTable:
    """The parts of one table; columns that are hidden are for machines only."""

    def __init__(self, table: Table, document: Document) -> None:
        self.table = table
        self._document = document
        self._words = words_of(document.language)
        self._zone = ZoneInfo(document.timezone)
        self._shown = [
            (place, column, _opening(column))
            for place, column in enumerate(table.columns)
            if not column.hidden
        ]

    def head(self) -> str:
        """Title, note, and the titles of the columns."""
        note = f'<p class="note" dir="auto">{_said(self.table.note)}</p>\n'
        titles = "".join(
            f'<th scope="col"{_class(column)}>{_isolated(heading(column, self._document))}</th>'
            for _, column, _ in self._shown
        )
        return (
            f'<section>\n<h2 dir="auto">{_said(self.table.title)}</h2>\n'
            f"{note if self.table.note else ''}"
            f"<table>\n<thead><tr>{titles}</tr></thead>\n<tbody>\n"
        )

    def row(self, row: Row, currencies: Sequence[str | None]) -> str:
        """One row."""
        texts = self._texts(row, currencies)
        for at, (place, column, _) in enumerate(self._shown):
            if column.link is not None and row[place] is not None:
                address = column.link.replace("{}", quote(legible(str(row[place])), safe=""))
                texts[at] = f'<a href="{escape(address)}" rel="noopener noreferrer">{texts[at]}</a>'
        return self._line(texts)

    def foot(self, rows: int) -> str:
        """What is said instead of rows, then the totals."""
        none = f'<tr><td class="none" colspan="{len(self._shown)}">{self._words.none}</td></tr>\n'
        totals = CheckedRows(replace(self.table, rows=self.table.totals))
        lines = "".join(self._total(row, currencies) for row, currencies in totals)
        foot = f"<tfoot>\n{lines}</tfoot>\n" if lines else ""
        return f"{none if not rows else ''}</tbody>\n{foot}</table>\n</section>\n"

    def _total(self, row: Row, currencies: Sequence[str | None]) -> str:
        """A row of totals; the first text that it leaves open says what it is."""
        texts = self._texts(row, currencies)
        for at, (place, column, _) in enumerate(self._shown):
            if row[place] is None and column.kind is Kind.TEXT:
                texts[at] = self._words.total
                break
        return self._line(texts)

    def _line(self, texts: Sequence[str]) -> str:
        cells = [
            f"{opening}{text}</td>"
            for (_, _, opening), text in zip(self._shown, texts, strict=True)
        ]
        return f"<tr>{''.join(cells)}</tr>\n"

    def _texts(self, row: Row, currencies: Sequence[str | None]) -> list[str]:
        return [
            "" if row[place] is None else self._cell(row[place], column, currencies[place])
            for place, column, _ in self._shown
        ]

    def _cell(self, cell: Cell, column: Column, currency: str | None) -> str:
        if column.kind is Kind.BOOLEAN:
            return self._words.yes if cell else self._words.no
        return _escaped(shown(cell, column.kind, currency, self._zone))


def _opening(column: Column) -> str:
    direction = "ltr" if column.kind in _LEFT_TO_RIGHT else "auto"
    return f'<td{_class(column)} dir="{direction}">'


def _class(column: Column) -> str:
    return ' class="number"' if column.kind in _NUMBERS else ""


def _said(text: str) -> str:
    return _escaped(legible(text))


def _escaped(text: str) -> str:
    # A reader of HTML takes a carriage return for a line feed.
    return escape(text).replace("\r", "&#13;")


def _isolated(text: str) -> str:
    """A text whose direction touches nothing beside it."""
    return f"<bdi>{_said(text)}</bdi>"

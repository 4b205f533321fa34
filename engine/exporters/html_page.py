"""The parts of an HTML page, in the document's language and direction."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from urllib.parse import quote

from engine.exporters.arabic import upright
from engine.exporters.cells import heading, legible
from engine.exporters.chart import bar_chart
from engine.exporters.document import Column, Document, Table
from engine.exporters.shown import DATES, NUMBERS, Shown, ShownRows
from engine.exporters.theme import theme_of

_STYLE = Path(__file__).with_name("pages") / "html.css"


class HtmlPage:
    """All of a page but the rows of its tables."""

    def __init__(self, document: Document, templates: Path | None = None) -> None:
        self._document = document
        self._shown = Shown(document)
        self._theme = theme_of(templates)

    def head(self) -> str:
        """Everything before the first table."""
        document = self._document
        style = f":root {{ {self._theme.variables} }}\n{_STYLE.read_text(encoding='utf-8')}"
        allowed = b64encode(sha256(style.encode()).digest()).decode("ascii")
        policy = (
            f"default-src 'none'; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
        )
        direction = "rtl" if document.rtl else "ltr"
        about = "".join(
            f'<meta name="{_said(name)}" content="{_said(value)}">\n'
            for name, value in self._facts_of_the_file()
        )
        notices = "".join(
            f'<p class="notice{" grave" if notice.grave else ""}">'
            f"<strong>{_isolated(notice.code)}</strong> "
            f"{_isolated(self._sentence(notice.text))}</p>\n"
            for notice in document.notices
        )
        return (
            f'<!DOCTYPE html>\n<html lang="{document.language}" dir="{direction}">\n<head>\n'
            '<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="referrer" content="no-referrer">\n'
            f"{about}<title>{_said(document.title)}</title>\n<style>{style}</style>\n"
            f"</head>\n<body>\n{self._header()}{notices}{self._facts()}"
        )

    def table(self, table: Table) -> "HtmlTable":
        """The parts of a table."""
        return HtmlTable(table, self._shown)

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
        secret, subtitle = (
            f'<p class="{name}" dir="auto">{_said(self._sentence(text))}</p>\n' if text else ""
            for name, text in (
                ("secret", document.confidentiality),
                ("subtitle", document.subtitle),
            )
        )
        title = f'<h1 dir="auto">{_said(self._sentence(document.title))}</h1>\n'
        made = f'<p class="made">{_said(self._shown.made())}</p>\n'
        return f"<header>\n{secret}{title}{subtitle}{made}</header>\n"

    def _facts(self) -> str:
        lines = "".join(
            f"<div><dt>{_isolated(fact.label)}</dt>"
            f"<dd>{_isolated(self._shown.fact(fact))}</dd></div>\n"
            for fact in self._document.facts
        )
        return f'<dl class="facts">\n{lines}</dl>\n' if lines else ""

    def _sentence(self, text: str) -> str:
        return self._shown.sentence(text)


class HtmlTable:
    """The parts of one table; columns that are hidden are for machines only."""

    def __init__(self, table: Table, shown: Shown) -> None:
        self._table = table
        self._shown = shown
        self._rows = ShownRows(table, shown)
        self._columns = self._rows.columns
        self._openings = [_opening(column) for column in self._columns]
        places = {column.name: place for place, column in enumerate(table.columns)}
        self._links = [
            (at, places[column.name], column.link)
            for at, column in enumerate(self._columns)
            if column.link is not None
        ]

    def head(self) -> str:
        """Title, note, and the titles of the columns."""
        note = f'<p class="note" dir="auto">{_said(self._shown.sentence(self._table.note))}</p>\n'
        titles = "".join(
            f'<th scope="col"{_class(column)}>{_isolated(title)}</th>'
            for column, title in self._titles()
        )
        return (
            f'<section>\n<h2 dir="auto">{_said(self._shown.sentence(self._table.title))}</h2>\n'
            f"{note if self._table.note else ''}"
            f"<table>\n<thead><tr>{titles}</tr></thead>\n<tbody>\n"
        )

    def rows(self) -> Iterator[str]:
        """Each row, as it is read."""
        for row, texts in self._rows:
            cells = self._cells(texts)
            for at, place, link in self._links:
                if row[place] is not None:
                    address = link.replace("{}", quote(legible(str(row[place])), safe=""))
                    cells[at] = (
                        f'<a href="{escape(address)}" rel="noopener noreferrer">{cells[at]}</a>'
                    )
            yield self._line(cells)

    def foot(self, rows: int) -> str:
        """What is said instead of rows, then the totals."""
        across, said = len(self._columns), self._shown.words.none
        none = f'<tr><td class="none" colspan="{across}">{said}</td></tr>\n'
        lines = "".join(self._line(self._cells(texts)) for _, texts in self._rows.totals())
        foot = f"<tfoot>\n{lines}</tfoot>\n" if lines else ""
        return f"{none if not rows else ''}</tbody>\n{foot}</table>\n</section>\n"

    def _titles(self) -> Iterator[tuple[Column, str]]:
        for column in self._columns:
            yield column, heading(column, self._shown.document)

    def _cells(self, texts: Sequence[str]) -> list[str]:
        return [
            _escaped(self._held(column, text))
            for column, text in zip(self._columns, texts, strict=True)
        ]

    def _held(self, column: Column, text: str) -> str:
        """A text whose numbers, and a number whose signs, stay where they are read."""
        if text.isascii():
            return text
        return upright(text) if column.kind in _LEFT_TO_RIGHT else self._shown.sentence(text)

    def _line(self, cells: Sequence[str]) -> str:
        pairs = zip(self._openings, cells, strict=True)
        return f"<tr>{''.join(f'{opening}{cell}</td>' for opening, cell in pairs)}</tr>\n"


_LEFT_TO_RIGHT = (*NUMBERS, *DATES)


def _opening(column: Column) -> str:
    direction = "ltr" if column.kind in _LEFT_TO_RIGHT else "auto"
    return f'<td{_class(column)} dir="{direction}">'


def _class(column: Column) -> str:
    return ' class="number"' if column.kind in NUMBERS else ""


def _said(text: str) -> str:
    return _escaped(legible(text))


def _escaped(text: str) -> str:
    # A reader of HTML takes a carriage return for a line feed.
    return escape(text).replace("\r", "&#13;")


def _isolated(text: str) -> str:
    """A text whose direction touches nothing beside it."""
    return f"<bdi>{_said(text)}</bdi>"

"""A table on a designed page: its cells as texts, and how wide its columns are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from engine.exporters.arabic import direction, upright
from engine.exporters.cells import heading
from engine.exporters.document import Column, Kind
from engine.exporters.held import HeldTable, Texts

_LONGEST_TEXT = 300  # characters of one cell; breaking 40,000 into lines takes a minute
_WIDEST_TEXT = 34  # characters; longer texts wrap
_SIZES = ("large", "size-1", "size-2 crowded")
_ROOMY, _FULL = 150, 185  # characters across a landscape page in the two larger sizes
_PORTRAIT = 0.66  # of that
_SPREAD = 90  # a narrower table is not spread over the page, or its rows are hard to follow


class PageCell(NamedTuple):
    """A cell as it is printed."""

    text: str
    direction: str
    link: str | None


@dataclass(frozen=True, kw_only=True)
class PageColumn:
    """A column on paper: its width is a share of the table's, in percent."""

    title: str
    style: str
    width: str


@dataclass(frozen=True, kw_only=True)
class PageTable:
    """A table on paper."""

    name: str
    title: str
    note: str
    size: str
    width: str
    columns: Sequence[PageColumn]
    rows: Sequence[Sequence[PageCell]]
    totals: Sequence[Sequence[PageCell]]


def page_table(held: HeldTable, landscape: bool) -> PageTable:
    """A table of which all rows are held."""
    shown, table, columns = held.rows.shown, held.rows.table, held.rows.columns
    totals = list(held.rows.totals())
    titles = [shown.sentence(heading(column, shown.document)) for column in columns]
    widths = _widths(held, titles, [*held.texts, *totals])
    across, page = sum(widths), 1.0 if landscape else _PORTRAIT
    spread = round(_SPREAD * page)
    return PageTable(
        name=table.name,
        title=shown.sentence(table.title),
        note=shown.sentence(table.note),
        size=_SIZES[(across > _ROOMY * page) + (across > _FULL * page)],
        width="100%" if across > spread else f"{max(across * 100 // spread, 33)}%",
        columns=[
            PageColumn(
                title=title,
                style=f"{column.kind} wrap" if column.kind is Kind.TEXT else str(column.kind),
                width=f"{width * 10_000 // across / 100:.2f}%",
            )
            for title, column, width in zip(titles, columns, widths, strict=True)
        ],
        rows=[_cells(held, row) for row in held.texts],
        totals=[_cells(held, row) for row in totals],
    )


def across_page(held: HeldTable) -> int:
    """How many characters wide a table is."""
    shown = held.rows.shown
    titles = [heading(column, shown.document) for column in held.rows.columns]
    return sum(_widths(held, titles, [*held.texts, *held.rows.totals()]))


def fits_portrait(held: HeldTable) -> bool:
    """Whether a table has room in the largest letters on a page that stands upright."""
    return across_page(held) <= _ROOMY * _PORTRAIT


def _cells(held: HeldTable, row: Texts) -> Sequence[PageCell]:
    cells, texts = row
    places = {column.name: place for place, column in enumerate(held.rows.table.columns)}
    return [
        PageCell(
            _text(held, column, text),
            direction(text) if column.kind in (Kind.TEXT, Kind.BOOLEAN) else "ltr",
            _address(column, cells[places[column.name]]) if text else None,
        )
        for column, text in zip(held.rows.columns, texts, strict=True)
    ]


def _text(held: HeldTable, column: Column, text: str) -> str:
    if column.kind is Kind.TEXT:
        return held.rows.shown.sentence(_shortened(text))
    return text if text.isascii() or column.kind is Kind.BOOLEAN else upright(text)


def _address(column: Column, cell: object) -> str | None:
    if column.link is None or cell is None:
        return None
    return column.link.replace("{}", quote(str(cell), safe=""))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


def _widths(held: HeldTable, titles: Sequence[str], rows: Sequence[Texts]) -> list[int]:
    """Characters across: the longest cell (numbers never wrap) or the longest word of the title."""
    widths = []
    for place, column in enumerate(held.rows.columns):
        longest = max((len(texts[place]) for _, texts in rows), default=0)
        if column.kind is Kind.TEXT:
            longest = min(longest, column.width or _WIDEST_TEXT)
        words = titles[place].split()
        widths.append(max(longest, *(len(word) + 1 for word in words)) + 2)
    return widths

"""A listing: one long table drawn row by row, page after page."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from engine.exporters.cells import heading
from engine.exporters.document import Cell, Column, Row
from engine.exporters.pdf.columns import Widths, fitted, fixed
from engine.exporters.pdf.running import Running
from engine.exporters.pdf.sheet import Leaf, Link, Sheet, at
from engine.exporters.pdf.typesetter import Line, Typesetter
from engine.exporters.pdf.typography import Typography
from engine.exporters.shown import NUMBERS, ShownRows

_RULE = 0.6
_ALL = 1_000  # lines; the title of a table and its note are never cut
_HEAD = 8  # lines of a column's title, or many narrow columns would leave no room for rows
_MOST_PADDING = 0.2  # of a column, on each side
Texts = tuple[Row, list[str]]


@dataclass(frozen=True)
class Lane:
    """One column on the paper, without its padding."""

    column: Column
    place: int  # of its cell in a row
    left: float
    width: float
    fixed: bool
    ends: bool  # what stands in it ends at its right edge


class Listing:
    """Draws a table; each page is given away when it is full."""

    def __init__(
        self, rows: ShownRows, widths: Widths, sheet: Sheet, typography: Typography
    ) -> None:
        self.rows = 0
        shown = rows.shown
        self._table, self._sheet, self._shown = rows.table, sheet, shown
        theme = self._theme = sheet.theme
        size, across = fitted(widths, theme.table_sizes, theme.cell_padding, sheet.width)
        self._regular, self._bold = typography.of("regular", size), typography.of("bold", size)
        self._heading = typography.of("bold", theme.heading_size)
        self._note = typography.of("regular", theme.table_sizes[0])
        self._running = Running(sheet, shown, typography)
        self._width = sum(across)
        self._left = sheet.left + (sheet.width - self._width if sheet.rtl else 0)
        self._lanes = list(self._laid(rows.columns, across))
        self._titles = [
            self._bold.lines(
                shown.sentence(heading(lane.column, shown.document)), lane.width, _HEAD
            )
            for lane in self._lanes
        ]
        self._leaf, self._y, self._even = Leaf(sheet), sheet.top, False

    def pages(self, rows: Iterable[Texts], totals: Iterable[Texts]) -> Iterator[Leaf]:
        """All rows, then the totals."""
        self._begin()
        for row, texts in rows:
            yield from self._row(row, texts, self._regular, self._theme.zebra if self._even else "")
            self.rows += 1
            self._even = not self._even
        if not self.rows:
            none = self._note.lines(self._shown.words.none, self._width, 1)
            self._paragraph(none, self._note, self._theme.muted)
        for row, texts in totals:
            yield from self._row(row, texts, self._bold, self._theme.totals)
        yield self._leaf

    def _laid(self, columns: Sequence[Column], across: Sequence[float]) -> Iterator[Lane]:
        names = [column.name for column in self._table.columns]
        padding = [min(self._theme.cell_padding, each * _MOST_PADDING) for each in across]
        places, left, lefts = list(range(len(columns))), self._left, {}
        # From right to left the first column is the one on the right.
        for place in reversed(places) if self._sheet.rtl else places:
            lefts[place] = left + padding[place]
            left += across[place]
        for place, column in enumerate(columns):
            ends = self._sheet.rtl or column.kind in NUMBERS
            width = across[place] - 2 * padding[place]
            where = names.index(column.name)
            yield Lane(column, where, lefts[place], width, fixed(column.kind), ends)

    def _begin(self) -> None:
        title = self._heading.lines(
            self._shown.sentence(self._table.title), self._sheet.width, _ALL
        )
        self._running.draw(self._leaf)
        self._paragraph(title, self._heading, self._theme.accent)
        if self._table.note:
            self._y -= self._theme.row_padding
            note = self._shown.sentence(self._table.note)
            lines = self._note.lines(note, self._sheet.width, _ALL)
            self._paragraph(lines, self._note, self._theme.muted)
        self._y -= 2 * self._theme.row_padding
        self._head()

    def _head(self) -> None:
        """The titles of the columns, each at the foot of its box."""
        setter, theme = self._bold, self._theme
        most = max((len(lines) for lines in self._titles), default=1)
        height = most * setter.leading + 2 * theme.row_padding
        self._leaf.ground(theme.accent, self._left, self._y - height, self._width, height)
        for lane, lines in zip(self._lanes, self._titles, strict=True):
            top = self._y - theme.row_padding - (most - len(lines)) * setter.leading
            self._set(lines, lane, top, setter, theme.on_accent)
        self._y -= height

    def _row(
        self, row: Row, texts: Sequence[str], setter: Typesetter, ground: str
    ) -> Iterator[Leaf]:
        theme, most, tallest = self._theme, self._theme.cell_lines, 1
        placed: list[tuple[Lane, Sequence[Line]]] = []
        for lane, text in zip(self._lanes, texts, strict=True):
            if not text:
                continue
            if lane.fixed:
                placed.append((lane, (setter.number(text, lane.width),)))
            else:
                lines = setter.lines(text, lane.width, most)
                tallest = max(tallest, len(lines))
                placed.append((lane, lines))
        height = tallest * setter.leading + 2 * theme.row_padding
        if self._y - height < self._sheet.bottom:
            yield self._leaf
            self._leaf, self._y = Leaf(self._sheet), self._sheet.top
            self._running.draw(self._leaf)
            self._head()
        bottom = self._y - height
        if ground:
            self._leaf.ground(ground, self._left, bottom, self._width, height)
        self._leaf.ground(theme.rule, self._left, bottom, self._width, _RULE)
        top = self._y - theme.row_padding
        for lane, lines in placed:
            if lane.column.link is None:
                self._set(lines, lane, top, setter, theme.ink)
            else:
                self._set(lines, lane, top, setter, theme.link)
                self._link(lines, lane, top, setter, lane.column.link, row[lane.place])
        self._y = bottom

    def _set(
        self, lines: Sequence[Line], lane: Lane, top: float, setter: Typesetter, colour: str
    ) -> None:
        texts = self._leaf.texts(setter.face.name, setter.size, colour)
        baseline = top - setter.baseline
        for line in lines:
            left = lane.left + lane.width - line.width if lane.ends else lane.left
            texts.append(at(left, baseline, line.operators))
            baseline -= setter.leading

    def _link(
        self,
        lines: Sequence[Line],
        lane: Lane,
        top: float,
        setter: Typesetter,
        link: str,
        cell: Cell,
    ) -> None:
        width = max(line.width for line in lines)
        left = lane.left + lane.width - width if lane.ends else lane.left
        address = link.replace("{}", quote(str(cell), safe=""))
        bottom = top - len(lines) * setter.leading
        self._leaf.links.append(Link(left, bottom, left + width, top, address))

    def _paragraph(self, lines: Sequence[Line], setter: Typesetter, colour: str) -> None:
        texts = self._leaf.texts(setter.face.name, setter.size, colour)
        sheet = self._sheet
        for line in lines:
            left = sheet.left + sheet.width - line.width if sheet.rtl else sheet.left
            texts.append(at(left, self._y - setter.baseline, line.operators))
            self._y -= setter.leading

"""Columns on a page: how wide each is, so that they fit the paper and no number is broken."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.exporters.cells import heading
from engine.exporters.document import Kind
from engine.exporters.held import HeldTable
from engine.exporters.pdf.sheet import Sheet
from engine.exporters.pdf.typography import Typography
from engine.exporters.shown import DATES, NUMBERS
from engine.exporters.theme import Theme

_MEASURE = 1_000.0  # letters of this size are as wide as their glyphs say
_WIDEST_TEXT = 20.0  # times the size of the letters; longer texts go into more lines
_NARROWEST_TEXT = 4.0
_SLACK = 0.01  # or what just fits would not, once it is scaled
_LETTER = 0.55  # how wide one is, by guess
_FILLED = 0.6  # a table that takes less of the page is not spread over it
_EASE = 1.25  # but has room for cells that are longer than those of its first rows


@dataclass(frozen=True, kw_only=True)
class Widths:
    """What the columns of a table need, in parts of the size of the letters."""

    needed: Sequence[float]
    least: Sequence[float]

    def across(self, size: float, padding: float) -> float:
        """How wide the table is with letters of that size."""
        return sum(self.needed) * size + 2 * padding * len(self.needed)


def measured(held: HeldTable, typography: Typography) -> Widths:
    """The widths that a table needs by its first rows and its totals."""
    regular, bold = typography.of("regular", _MEASURE), typography.of("bold", _MEASURE)
    shown, needed, least = held.rows.shown, [], []
    totals = [texts for _, texts in held.rows.totals()]
    for place, column in enumerate(held.rows.columns):
        title = shown.sentence(heading(column, shown.document))
        words = max((bold.width(word) for word in title.split()), default=0)
        texts = {texts[place] for _, texts in held.texts}
        sums = {texts[place] for texts in totals}
        if fixed(column.kind):
            widest = max(
                *(regular.number(text).width for text in texts),
                *(bold.number(text).width for text in sums),
                words,
                0,
            )
            needed.append(widest)
            least.append(widest)
        else:
            widest = max(
                *(regular.width(text) for text in texts), *(bold.width(text) for text in sums), 0, 0
            )
            most = column.width * _LETTER if column.width else _WIDEST_TEXT
            needed.append(max(min(widest, most * _MEASURE), words))
            least.append(max(min(widest, words, _NARROWEST_TEXT * _MEASURE), _MEASURE))
    return Widths(
        needed=[each / _MEASURE + _SLACK for each in needed],
        least=[each / _MEASURE + _SLACK for each in least],
    )


def fixed(kind: Kind) -> bool:
    """Whether cells of that kind stay in one line."""
    return kind in NUMBERS or kind in DATES


def drawn_upright(widths: Widths, theme: Theme) -> bool:
    """Whether a table has room in the largest letters on a page that stands upright."""
    sheet = Sheet(landscape=False, rtl=False, theme=theme)
    return widths.across(theme.table_sizes[0], theme.cell_padding) <= sheet.width


def fitted(
    widths: Widths, sizes: Sequence[float], padding: float, width: float
) -> tuple[float, Sequence[float]]:
    """The size of the letters, and how wide each column is with its padding."""
    for size in sizes:
        across = widths.across(size, padding)
        if across <= width:
            spread = (width if across > width * _FILLED else across * _EASE) / across
            return size, [(each * size + 2 * padding) * spread for each in widths.needed]
    size = sizes[-1]
    least = [each * size + 2 * padding for each in widths.least]
    wish = [each * size + 2 * padding for each in widths.needed]
    if sum(least) >= width:
        # More columns than paper: all narrower alike, and numbers with them.
        return size, [each * width / sum(least) for each in least]
    share = (width - sum(least)) / (sum(wish) - sum(least))
    return size, [low + (high - low) * share for low, high in zip(least, wish, strict=True)]

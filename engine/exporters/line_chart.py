"""Line charts as SVG: the points of one line in their order, readable aloud.

Dates and the like stand below the line. Other labels stand below the SVG as HTML: WeasyPrint sets
SVG text letter by letter, which breaks joined scripts such as Arabic.
"""

from html import escape

from engine.exporters.cells import legible
from engine.exporters.document import BarChart

_WIDTH, _HEIGHT = 640, 192
_TOP, _BOTTOM, _SIDE = 18, 172, 6
_COLOUR = "#1F3A5F"


def line_chart(chart: BarChart, *, rtl: bool = False) -> str:
    """A line from the least (or nought) to the most; time goes the way that the page is read."""
    below = ""
    if chart.bars and not _is_plain(chart):
        ends = (f"<bdi>{_text(chart.bars[at].label)}</bdi>" for at in (0, -1))
        below = f"<p>{' … '.join(ends)}</p>"
    return f'<div class="line-chart">{_svg(chart, rtl)}{below}</div>'


def aloud(chart: BarChart) -> str:
    """The numbers of a chart, for those who have it read to them."""
    said = "; ".join(f"{bar.label}: {chart.said(bar)}" for bar in chart.bars)
    return said or "nothing to show"


def _svg(chart: BarChart, rtl: bool) -> str:
    said, values = aloud(chart), [bar.value for bar in chart.bars]
    most, least = max([*values, 0]), min([*values, 0])
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" direction="ltr" '
        f'aria-label="{_text(f"{chart.title}. {said}")}">'
    )
    parts = [opening, f"<title>{_text(chart.title)}</title><desc>{_text(said)}</desc>"]
    for value in dict.fromkeys((most, 0, least)):
        height = _height(value, least, most)
        parts.append(f'<line x1="0" y1="{height}" x2="{_WIDTH}" y2="{height}" stroke="#C9D3E0"/>')
    places = [
        (_across(number, len(values), rtl), _height(value, least, most))
        for number, value in enumerate(values)
    ]
    if places:
        points = " ".join(f"{x},{y}" for x, y in places)
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{_COLOUR}" stroke-width="2"/>'
        )
    parts += [f'<circle cx="{x}" cy="{y}" r="2.5" fill="{_COLOUR}"/>' for x, y in places]
    if places and _is_plain(chart):
        parts += [_end(chart.bars[at].label, places[at][0]) for at in dict.fromkeys((0, -1))]
    parts.append(_peak(chart, places))
    return "".join([*parts, "</svg>"])


def _peak(chart: BarChart, places: list[tuple[int, int]]) -> str:
    """The largest number, beside its point."""
    if not places:
        return ""
    highest = max(range(len(places)), key=lambda number: chart.bars[number].value)
    x, y = places[highest]
    anchor = "start" if x < _WIDTH // 2 else "end"
    return (
        f'<text x="{x}" y="{y - 6}" font-size="11" text-anchor="{anchor}" '
        f'font-family="DejaVu Sans, sans-serif">{_text(chart.said(chart.bars[highest]))}</text>'
    )


def _end(label: str, x: int) -> str:
    """The label of the first or the last point, below it."""
    anchor = "start" if x < _WIDTH // 2 else "end"
    return (
        f'<text x="{x}" y="{_HEIGHT - 4}" font-size="11" text-anchor="{anchor}" '
        f'font-family="DejaVu Sans, sans-serif">{_text(label)}</text>'
    )


def _is_plain(chart: BarChart) -> bool:
    """Whether its labels are of letters that need no joining, such as dates."""
    return all(bar.label.isascii() for bar in chart.bars)


def _across(number: int, count: int, rtl: bool) -> int:
    place = _SIDE + number * (_WIDTH - 2 * _SIDE) // max(count - 1, 1)
    return _WIDTH - place if rtl else place


def _height(value: int, least: int, most: int) -> int:
    # Whole pixels by integer division, however large the numbers are.
    return _BOTTOM - (value - least) * (_BOTTOM - _TOP) // ((most - least) or 1)


def _text(text: str) -> str:
    return escape(legible(text))

"""Charts as SVG: drawn by us, self-contained, and readable aloud.

The labels stand beside the SVG as HTML: WeasyPrint sets SVG text letter by letter, which breaks
joined scripts such as Arabic. The SVG says everything to those who have it read to them.
"""

from html import escape

from engine.exporters.cells import legible
from engine.exporters.document import BarChart
from engine.exporters.line_chart import aloud, line_chart

STEP = 24  # pixels from bar to bar; the style sheet gives the labels the same height
_BAR_WIDTH, _NUMBER_WIDTH = 420, 260
_BAR_HEIGHT = 16
_LONGEST_NUMBER = 44
_TO_THE_LEFT = ' text-anchor="end"'


def bar_chart(chart: BarChart, *, rtl: bool = False) -> str:
    """Labels, and horizontal bars of which the longest is as wide as the chart; or a line.

    On a page from right to left the labels stand to the right, and the bars grow to the left.
    """
    if chart.line:
        return line_chart(chart, rtl=rtl)
    labels = "".join(f"<li><bdi>{_text(bar.label)}</bdi></li>" for bar in chart.bars)
    return f'<div class="chart"><ol aria-hidden="true">{labels}</ol>{_svg(chart, rtl)}</div>'


def _svg(chart: BarChart, rtl: bool) -> str:
    width, height = _BAR_WIDTH + _NUMBER_WIDTH, STEP * len(chart.bars)
    most = max((bar.value for bar in chart.bars), default=0) or 1
    said = aloud(chart)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" direction="ltr" '
        f'aria-label="{_text(f"{chart.title}. {said}")}">'
    )
    parts = [opening, f"<title>{_text(chart.title)}</title><desc>{_text(said)}</desc>"]
    for place, bar in enumerate(chart.bars):
        top = place * STEP + (STEP - _BAR_HEIGHT) // 2
        # Whole pixels by integer division; a bar of something is never invisible.
        length = max(bar.value * _BAR_WIDTH // most, 2 if bar.value else 0)
        number = chart.said(bar) + (f" · {bar.note}" if bar.note else "")
        start, beside = (width - length, width - length - 6) if rtl else (0, length + 6)
        parts.append(
            f'<rect x="{start}" y="{top}" width="{length}" height="{_BAR_HEIGHT}" fill="#1F3A5F"/>'
            f'<text x="{beside}" y="{top + 12}" font-size="11"{_TO_THE_LEFT if rtl else ""} '
            f'font-family="DejaVu Sans, sans-serif">{_text(_shortened(number))}</text>'
        )
    return "".join([*parts, "</svg>"])


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_NUMBER else f"{text[: _LONGEST_NUMBER - 1]}…"


def _text(text: str) -> str:
    return escape(legible(text))

"""Lines of charts: where their points are, and what is said of them."""

import re
from xml.etree import ElementTree as ET

from engine.exporters.chart import bar_chart
from engine.exporters.document import Bar, BarChart


def a_line(*values: int, labels: str = "2026-11-{:02d}", currency: str | None = None) -> BarChart:
    """A line of so many days."""
    bars = [Bar(label=labels.format(day), value=value) for day, value in enumerate(values, 1)]
    return BarChart(title="Sales", bars=bars, currency=currency, line=True)


def points_of(html: str) -> list[tuple[int, int]]:
    """The points of the line."""
    found = re.search(r'points="([^"]*)"', html)
    return (
        [(int(x), int(y)) for x, y in (each.split(",") for each in found[1].split())]
        if found
        else []
    )


def test_a_line_rises_and_falls_with_its_numbers() -> None:
    (x1, low), (x2, high), (x3, middle) = points_of(bar_chart(a_line(0, 100, 50)))
    assert x1 < x2 < x3
    assert high < middle < low


def test_time_goes_the_way_that_the_page_is_read() -> None:
    points = points_of(bar_chart(a_line(1, 2, 3), rtl=True))
    assert [x for x, _ in points] == sorted((x for x, _ in points), reverse=True)


def test_amounts_are_said_exactly_however_large_they_are() -> None:
    html = bar_chart(a_line(2**53 + 1, 5, currency="SAR"))
    assert "90,071,992,547,409.93 SAR" in html
    assert "2026-11-02: 0.05 SAR" in html


def test_numbers_below_nought_stay_on_the_picture() -> None:
    assert all(0 <= y <= 192 for _, y in points_of(bar_chart(a_line(-300, 20, -5))))


def test_labels_that_are_joined_stand_beside_the_picture() -> None:
    html = bar_chart(a_line(1, 2, labels="يوم {}"))
    assert "<bdi>يوم 1</bdi> … <bdi>يوم 2</bdi>" in html
    assert "<text" in html
    assert "يوم" not in "".join(re.findall(r"<text[^>]*>([^<]*)", html))


def test_a_line_of_one_point_or_none_is_a_picture_all_the_same() -> None:
    for values in ((), (7,), (0, 0)):
        svg = re.search(r"<svg.*</svg>", bar_chart(a_line(*values)))
        assert svg is not None
        assert ET.fromstring(svg[0]).tag.endswith("svg")  # noqa: S314 - our own


def test_what_a_label_says_is_no_markup() -> None:
    assert "<b>" not in bar_chart(a_line(1, 2, labels="<b>{}"))

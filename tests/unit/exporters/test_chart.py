"""Charts: bars in proportion, read aloud, and nothing from outside."""

import re
from xml.etree import ElementTree as ET

from engine.exporters.chart import bar_chart
from engine.exporters.document import Bar, BarChart

CHART = BarChart(
    title="Breaks by code",
    bars=[
        Bar(label="CHAIN_BREAK", value=200, note="SAR 1.00"),
        Bar(label="<b>&", value=50),
        Bar(label="محفظة", value=1),
        Bar(label="ORPHAN", value=0),
    ],
)


def svg_of(chart: BarChart, *, rtl: bool = False) -> ET.Element:
    found = re.search(r"<svg.*</svg>", bar_chart(chart, rtl=rtl))
    assert found is not None
    return ET.fromstring(found[0])  # noqa: S314 - our own text


def test_bars_are_in_proportion_and_something_is_never_invisible() -> None:
    widths = [int(bar.attrib["width"]) for bar in svg_of(CHART).iter() if bar.tag.endswith("rect")]
    assert widths == [420, 105, 2, 0]


def test_on_a_page_from_right_to_left_bars_begin_at_the_right() -> None:
    svg = svg_of(CHART, rtl=True)
    bars = [bar.attrib for bar in svg.iter() if bar.tag.endswith("rect")]
    assert {int(bar["x"]) + int(bar["width"]) for bar in bars} == {int(svg.attrib["width"])}
    numbers = [text.attrib for text in svg.iter() if text.tag.endswith("text")]
    assert {number["text-anchor"] for number in numbers} == {"end"}
    assert svg.attrib["direction"] == "ltr"


def test_everything_is_said_to_those_who_have_it_read_to_them() -> None:
    svg = svg_of(CHART)
    assert svg.attrib["role"] == "img"
    for said in ("Breaks by code", "CHAIN_BREAK: 200", "<b>&: 50", "محفظة: 1", "ORPHAN: 0"):
        assert said in svg.attrib["aria-label"]


def test_labels_are_escaped() -> None:
    drawn = bar_chart(CHART)
    assert "<li><bdi>&lt;b&gt;&amp;</bdi></li>" in drawn
    assert "<b>" not in drawn


def test_nothing_comes_from_outside() -> None:
    assert "href" not in bar_chart(CHART)
    assert bar_chart(CHART).count("http") == bar_chart(CHART).count("http://www.w3.org/2000/svg")


def test_no_bars_are_still_a_chart() -> None:
    assert svg_of(BarChart(title="Nothing", bars=[])).attrib["aria-label"] == (
        "Nothing. nothing to show"
    )

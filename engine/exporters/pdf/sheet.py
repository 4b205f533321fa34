"""A sheet of paper, and one page of it while it is drawn."""

from dataclasses import dataclass, field
from typing import NamedTuple

from engine.exporters.theme import Theme

_SHORT, _LONG = 595.28, 841.89  # an A4 page in points
MILLIMETRE = 72 / 25.4


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The paper: how large it is, and what of it is printed on."""

    landscape: bool
    rtl: bool
    theme: Theme

    @property
    def size(self) -> tuple[float, float]:
        """How wide and high it is."""
        return (_LONG, _SHORT) if self.landscape else (_SHORT, _LONG)

    @property
    def left(self) -> float:
        """Where printing begins."""
        return self.theme.margin_side * MILLIMETRE

    @property
    def width(self) -> float:
        """How much is printed on from left to right."""
        return self.size[0] - 2 * self.left

    @property
    def top(self) -> float:
        """Below the header."""
        return self.size[1] - self.theme.margin_top * MILLIMETRE

    @property
    def bottom(self) -> float:
        """Above the footer."""
        return self.theme.margin_bottom * MILLIMETRE


class Link(NamedTuple):
    """A rectangle that leads to an address."""

    left: float
    bottom: float
    right: float
    top: float
    address: str


@dataclass
class Leaf:
    """One page while it is drawn: grounds first, then texts, gathered by their looks."""

    sheet: Sheet
    links: list[Link] = field(default_factory=list)
    _grounds: dict[str, list[str]] = field(default_factory=dict)
    _texts: dict[tuple[str, float, str], list[str]] = field(default_factory=dict)

    def ground(self, colour: str, left: float, bottom: float, width: float, height: float) -> None:
        """Fill a rectangle."""
        self._grounds.setdefault(colour, []).append(
            f"{left:.2f} {bottom:.2f} {width:.2f} {height:.2f} re"
        )

    def texts(self, face: str, size: float, colour: str) -> list[str]:
        """Where operators of texts of these looks go; `at` makes them."""
        return self._texts.setdefault((face, size, colour), [])

    def content(self) -> bytes:
        """The page as operators of PDF."""
        parts: list[str] = []
        for colour, rectangles in self._grounds.items():
            parts += [f"{_rgb(colour)} rg", *rectangles, "f"]
        for (face, size, colour), texts in self._texts.items():
            parts += [f"BT {_rgb(colour)} rg /{face} {size:g} Tf", *texts, "ET"]
        return "\n".join(parts).encode("ascii")


def at(left: float, baseline: float, operators: str) -> str:
    """Operators of a text at its place."""
    return f"1 0 0 1 {left:.2f} {baseline:.2f} Tm {operators}"


def _rgb(colour: str) -> str:
    return " ".join(f"{int(colour[place : place + 2], 16) / 255:.3g}" for place in (1, 3, 5))

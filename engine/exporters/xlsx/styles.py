"""The styles of one workbook: how cells of each kind look, made once each."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from engine.exporters.document import Document
from engine.money import minor_digits

_DARK, _LIGHT, _LINK = "#1F3A5F", "#FFFFFF", "#0563C1"
# Excel shows the digits of a number format that begins so as Arabic ones.
_ARABIC_DIGITS = "[$-2000401]"

INTEGER, PERCENT = "#,##0", "0.00%"
DAY, INSTANT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
TEXT = "@"


def amount_format(places: int, locale: str = "") -> str:
    """The number format of amounts with so many decimals; negative ones are red."""
    number = f"{locale}#,##0" + ("." + "0" * places if places else "")
    return f"{number};[Red]-{number}"


class Styles:
    """Makes formats of XlsxWriter; `more` are properties that all of them have."""

    def __init__(
        self,
        workbook: Any,
        *,
        rtl: bool = False,
        digits: Literal["latin", "arabic"] = "latin",
        more: Mapping[str, object] | None = None,
    ) -> None:
        self._workbook = workbook
        self._rtl = rtl
        self._digits = digits
        self._more = more or {}
        # Numbers stand at the right in either case, so that their points are below each other.
        # Texts begin at the reader's side: from the left that is beside numbers, so a bit off.
        self._start: dict[str, object] = (
            {"align": "right"} if rtl else {"align": "left", "indent": 1}
        )
        self._number: dict[str, object] = {"align": "right", **self._ordered(1)}
        self._time = {**self._start, **self._ordered(1)}
        self._locale = _ARABIC_DIGITS if digits == "arabic" else ""
        self._made: dict[tuple[tuple[str, object], ...], Any] = {}

    @classmethod
    def of_document(cls, workbook: Any, document: Document) -> "Styles":
        """The styles that a document is written in."""
        return cls(workbook, rtl=document.rtl, digits=document.digits)

    def of(self, **properties: object) -> Any:
        """The format with these properties of XlsxWriter."""
        key = tuple(sorted({"valign": "top", **self._more, **properties}.items()))
        if key not in self._made:
            self._made[key] = self._workbook.add_format(dict(key))
        return self._made[key]

    def number_of(self, style: Any) -> int:
        """The number that cells in the file name a format by."""
        # XlsxWriter gives it out at first use, and has no other way to ask for it.
        return int(style._get_xf_index())  # noqa: SLF001

    @cached_property
    def totals(self) -> "Styles":
        """The styles of the first row of totals."""
        return self._with({"bold": True, "top": 1, "top_color": _DARK})

    @cached_property
    def further_totals(self) -> "Styles":
        """The styles of the other rows of totals."""
        return self._with({"bold": True})

    @cached_property
    def links(self) -> "Styles":
        """The styles of cells that lead elsewhere."""
        return self._with({"font_color": _LINK, "underline": 1})

    @cached_property
    def text(self) -> Any:
        """Text that stays text, even when a person edits the cell."""
        return self.of(num_format=TEXT, **self._start)

    @cached_property
    def exact_text(self) -> Any:
        """A number of too many digits: text, but where a number would stand."""
        return self.of(num_format=TEXT, **self._number)

    @cached_property
    def integer(self) -> Any:
        """Whole numbers."""
        return self.of(num_format=self._locale + INTEGER, **self._number)

    @cached_property
    def percent(self) -> Any:
        """Percentages."""
        return self.of(num_format=self._locale + PERCENT, **self._number)

    @cached_property
    def day(self) -> Any:
        """Dates."""
        return self.of(num_format=self._locale + DAY, **self._time)

    @cached_property
    def instant(self) -> Any:
        """Date and time of day."""
        return self.of(num_format=self._locale + INSTANT, **self._time)

    @cached_property
    def boolean(self) -> Any:
        """What is so or not."""
        return self.of(align="center")

    @cached_property
    def header(self) -> Any:
        """The first row of a table."""
        return self._header(**self._start)

    @cached_property
    def number_header(self) -> Any:
        """The header of a column of numbers, over where they stand."""
        return self._header(align="right")

    @cached_property
    def middle_header(self) -> Any:
        """The header of a column whose cells stand in its middle."""
        return self._header(align="center")

    def label(self, **properties: object) -> Any:
        """Words of the document's language, beside its tables."""
        side = {"align": "right"} if self._rtl else {}
        return self.of(**side, **self._ordered(2), **properties)

    def money(self, currency: str) -> Any:
        """Amounts with as many decimals as the currency has; negative ones in red as well."""
        return self.amount(minor_digits(currency))

    def amount(self, places: int) -> Any:
        """Amounts with so many decimals; negative ones in red as well."""
        return self.of(num_format=amount_format(places, self._locale), **self._number)

    def _ordered(self, reading_order: int) -> dict[str, object]:
        """Letters from the left (1) or from the right (2), where it is not plain."""
        return {"reading_order": reading_order} if self._rtl else {}

    def _header(self, **properties: object) -> Any:
        return self.of(
            bold=True,
            bg_color=_DARK,
            font_color=_LIGHT,
            border=1,
            border_color=_DARK,
            **self._ordered(2),
            **properties,
        )

    def _with(self, more: Mapping[str, object]) -> "Styles":
        return Styles(self._workbook, rtl=self._rtl, digits=self._digits, more=more)

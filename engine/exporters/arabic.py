"""Arabic in files for people: digits, Hijri dates, and what must not be turned around.

A reader of Arabic reads dates, numbers and codes from left to right. Between Arabic words a printer
that is not told so sets `2026-11-24` as `24-11-2026` and `(-45.00)` as `(45.00-)`.
"""

import re
import unicodedata
from datetime import date
from functools import lru_cache
from typing import Literal

Digits = Literal["latin", "arabic"]

# A right-to-left isolate, for a Hijri date: its era follows it to the left.
_OPEN_RTL = "\u2067"
# Left-to-right isolate, and its end; in text only, invisible, and known to every browser.
OPEN, CLOSE = "\u2066", "\u2069"
_OVERRIDE, _END_OVERRIDE = "\u202d", "\u202c"

_ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_IN_NUMBERS = str.maketrans("0123456789.,%", "٠١٢٣٤٥٦٧٨٩\u066b\u066c\u066a")
_RTL = "\u0590-\u065f\u066d-\u06ef\u06fa-\u08ff\ufb1d-\ufdff\ufe70-\ufeff"
_STRETCH = re.compile(f"[^{_RTL}\\s{OPEN}{CLOSE}]+(?:[ \u00a0]+[^{_RTL}\\s{OPEN}{CLOSE}]+)*")
_ARABIC_FIGURES = re.compile("[^\\s\u0660-\u0669]*[\u0660-\u0669][^\\s]*")
_MEANS_SOMETHING = re.compile(r"[^\W_]")
_PAIRS = {"(": ")", "[": "]", "{": "}", "«": "»", "“": "”"}
_AT_AN_END = ".,:;!?،؛؟…"
_ERA = {"en": "AH", "ar": "هـ"}
_FIGURE = "[0-9\u0660-\u0669]"
_HIJRI = re.compile(
    f"({_OVERRIDE}?{_FIGURE}{{4}}(?:-{_FIGURE}{{2}}){{2}}{_END_OVERRIDE}?) {_ERA['ar']}"
)


def numerals(number: str, digits: Digits) -> str:
    """A number as it is shown, with the digits, the points and the percent sign of its reader."""
    return number.translate(_IN_NUMBERS) if digits == "arabic" else number


def numerals_in(text: str, digits: Digits) -> str:
    """A date, or a sentence of ours: its digits only."""
    return text.translate(_ARABIC_INDIC) if digits == "arabic" else text


@lru_cache(maxsize=4_096)
def hijri_text(day: date, language: str) -> str:
    """`day` by the calendar of Umm al-Qura, 1448-06-14 AH; empty before 1924 and after 2077."""
    from hijridate import Gregorian

    try:
        hijri = Gregorian(day.year, day.month, day.day).to_hijri()
    except (OverflowError, ValueError):
        return ""
    return f"{hijri.isoformat()} {_ERA.get(language, _ERA['en'])}"


def direction(text: str) -> str:
    """`rtl` if the first letter of `text` is of a right-to-left script, else `ltr`."""
    if text.isascii():
        return "ltr"
    for character in text:
        bidirectional = unicodedata.bidirectional(character)
        if bidirectional in ("R", "AL"):
            return "rtl"
        if bidirectional == "L":
            return "ltr"
    return "ltr"


def isolated(text: str) -> str:
    """`text` with every stretch that is read from left to right held together.

    Stretches are what stands between letters of right-to-left scripts: dates, amounts with their
    signs and brackets, codes, IBANs with their spaces, words of other scripts.
    """
    if direction(text) == "ltr" or OPEN in text:
        return text
    return _STRETCH.sub(lambda found: _held(found[0]), text)


def upright(text: str) -> str:
    """A number or a date inside a sentence, from left to right with any digits.

    Arabic-Indic digits on both sides of a dash are turned around even inside an isolate.
    """
    held = _ARABIC_FIGURES.sub(lambda found: f"{_OVERRIDE}{found[0]}{_END_OVERRIDE}", text)
    if _ERA["ar"] in held:
        held = _HIJRI.sub(f"{_OPEN_RTL}{OPEN}\\1{CLOSE} {_ERA['ar']}{CLOSE}", held)
    return f"{OPEN}{held}{CLOSE}"


def as_it_stands(text: str) -> str:
    """The words of a number or a date in the order that they stand in, from left to right.

    An era follows its date in Arabic, so it stands to the left of it.
    """
    return _HIJRI.sub(f"{_ERA['ar']} \\1", text) if _ERA["ar"] in text else text


def _held(stretch: str) -> str:
    """The stretch inside an isolate, what only adjoins it outside."""
    start, end = 0, len(stretch)
    while start < end:
        first, last, inner = stretch[start], stretch[end - 1], stretch[start:end]
        if first == " " or (first in _PAIRS and _PAIRS[first] not in inner):
            start += 1
        elif last in _AT_AN_END or last == " " or _OPENING.get(last, inner) not in inner:
            end -= 1
        else:
            break
    inner = stretch[start:end]
    if not _MEANS_SOMETHING.search(inner):
        return stretch
    return f"{stretch[:start]}{upright(inner)}{stretch[end:]}"


_OPENING = {closing: opening for opening, closing in _PAIRS.items()}

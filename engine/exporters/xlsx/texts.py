"""Texts as a cell holds them: text that stays text, whatever it looks like, of a cell's length.

What XML cannot hold is written `_xHHHH_`, as Excel itself writes it and reads it back; a text that
has such letters of its own gets its underscore written that way.
"""

import re
from html import escape
from typing import Any

from engine.exporters.cells import encodable

LONGEST_TEXT = 32_767  # UTF-16 units in one cell
_CUT = "… [cut]"
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_TWO_ESCAPES = re.compile("_x[0-9A-Fa-f]{4}(?=_x[0-9A-Fa-f]{4}_)")


def escaped(text: str) -> str:
    """`text` with what XML cannot hold as Excel writes it; its markup is still to be escaped."""
    return _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", _ESCAPE.sub("_x005F_", text))


def units(text: str) -> int:
    """How long Excel finds a text: letters outside of the basic plane count twice."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, longest: int) -> tuple[str, str]:
    """The beginning of a text, of at most so many units, and the rest."""
    if len(text) * 2 <= longest or units(text) <= longest:
        return text, ""
    kept = text.encode("utf-16-le")[: longest * 2].decode("utf-16-le", errors="ignore")
    return kept, text[len(kept) :]


def cell_text(text: str) -> str:
    """`text` as openpyxl should write it, which escapes no more than markup."""
    return escaped(encodable(text))


def write_label(sheet: Any, row: int, column: int, text: str, style: Any) -> None:
    """Write a text that is not a table's; one that no cell can hold is cut and says so."""
    write_text(sheet, row, column, shortened(text), style)


def shortened(text: str) -> str:
    """`text`, or its beginning and a mark if a cell cannot hold it."""
    text = encodable(text)
    if not cut(text, LONGEST_TEXT)[1]:
        return text
    return cut(text, LONGEST_TEXT - len(_CUT))[0] + _CUT


def write_text(sheet: Any, row: int, column: int, text: str, style: Any) -> None:
    """Write a text that a cell can hold, as a text."""
    if (text.startswith("<r>") and text.endswith("</r>")) or _TWO_ESCAPES.search(text):
        # XlsxWriter copies what looks like its own rich text into the sheet's XML unescaped, so
        # a hostile text could write cells of its own. As real rich text it reads back unchanged.
        # And of two escapes that share an underscore it marks only the first; so it sees none.
        safe = escape(_ESCAPE.sub("_x005F_", text), quote=False).replace("_", "&#95;")
        text = f'<r><t xml:space="preserve">{safe}</t></r>'
    sheet.write_string(row, column, text, style)

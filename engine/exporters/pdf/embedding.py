"""Typefaces in the file: only the glyphs that were used, and what each of them says."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from engine.exporters.pdf.typeface import Typeface

_SYMBOLIC = 4
_LETTERS = "ABCDEFGHIJKLMNOP"
_AT_ONCE = 100  # lines of a ToUnicode map, as the format wants it

_MAP = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def /CMapType 2 def
1 begincodespacerange <0000> <ffff> endcodespacerange
{lines}
endcmap CMapName currentdict /CMap defineresource pop end end"""


def embedded(pdf: Any, faces: Iterable[Typeface]) -> Any:
    """The resources of pages that are set in these typefaces."""
    from pikepdf import Dictionary

    fonts = {f"/{face.name}": _font(pdf, face) for face in faces if face.used}
    return pdf.make_indirect(Dictionary(Font=Dictionary(fonts)))


def _font(pdf: Any, face: Typeface) -> Any:
    from pikepdf import Array, Dictionary, Name

    widths, said = face.glyphs()
    file = face.subset()
    tag = sha256(file).hexdigest()[:6].translate(str.maketrans("0123456789abcdef", _LETTERS))
    name = Name(f"/{tag}+{face.file}")
    above, below = face.measures()
    descriptor = Dictionary(
        Type=Name.FontDescriptor,
        FontName=name,
        Flags=_SYMBOLIC,
        FontBBox=Array(face.box()),
        ItalicAngle=0,
        Ascent=round(above * 1_000),
        Descent=round(below * 1_000),
        CapHeight=round(above * 700),
        StemV=80,
        FontFile2=pdf.make_stream(file, Length1=len(file)),
    )
    glyphs = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType2,
        BaseFont=name,
        CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
        FontDescriptor=pdf.make_indirect(descriptor),
        CIDToGIDMap=Name.Identity,
        W=Array([part for glyph in sorted(widths) for part in (glyph, Array([widths[glyph]]))]),
    )
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=name,
            Encoding=Name("/Identity-H"),
            DescendantFonts=Array([pdf.make_indirect(glyphs)]),
            ToUnicode=pdf.make_stream(_to_unicode(said)),
        )
    )


def _to_unicode(said: Mapping[int, str]) -> bytes:
    lines = [
        f"<{glyph:04x}> <{text.encode('utf-16-be').hex()}>"
        for glyph, text in sorted(said.items())
        if text
    ]
    parts = (lines[at : at + _AT_ONCE] for at in range(0, len(lines), _AT_ONCE))
    ranges = [f"{len(part)} beginbfchar\n" + "\n".join(part) + "\nendbfchar" for part in parts]
    return _MAP.replace("{lines}", "\n".join(ranges)).encode("ascii")

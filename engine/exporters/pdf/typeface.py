"""A typeface: words become glyphs by HarfBuzz, and the glyphs that were used go into the file."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from struct import unpack
from typing import Any, NamedTuple

# What stands alike wherever it stands: numbers, dates, and codes such as SA0380000000608010167519.
_ARABIC_INDIC = "".join(map(chr, range(0x660, 0x66A))) + "\u066b\u066c\u066a"
_FIGURES = f"0123456789.,-+:/% ()·_#ABCDEFGHIJKLMNOPQRSTUVWXYZ{_ARABIC_INDIC}"
_WORDS_KEPT = 30_000  # shaped ones; as many again are shaped anew
_NOT_PRINTED = (b"GSUB", b"GPOS", b"GDEF")
_PER_EM = 1_000  # a PDF measures glyphs in thousandths of their size


class Word(NamedTuple):
    """Glyphs of one typeface in the order they stand: parts of a TJ array, and how wide it is."""

    glyphs: str
    width: float


class Typeface:
    """One font file."""

    def __init__(self, name: str, path: Path) -> None:
        import uharfbuzz

        self.name, self.file = name, path.stem
        self.used = False
        self._hb = uharfbuzz
        self._face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path)))
        self._font = uharfbuzz.Font(self._face)
        self._scale = _PER_EM / self._face.upem
        self._letters = frozenset(chr(code) for code in self._face.unicodes)
        self._words: dict[tuple[str, bool], Word] = {}
        self._widths: dict[int, float] = {}  # of the glyphs used, by number
        self._said: dict[int, str] = {0: "\ufffd"}  # what each of them says
        self._figures: dict[int, str] = {}
        self._figure_widths: dict[str, float] = {}
        for figure in _FIGURES:
            self._add_figure(figure)
        self._all_figures = frozenset(self._figure_widths)
        self.space = self.shaped(" ", rtl=False)

    def has(self, text: str) -> bool:
        """Whether it has all letters of `text`."""
        return self._letters.issuperset(text)

    def measures(self) -> tuple[float, float]:
        """How far it reaches above and below its line, in parts of its size."""
        extents = self._font.get_font_extents("ltr")
        return extents.ascender / self._face.upem, extents.descender / self._face.upem

    def figures(self, text: str) -> Word | None:
        """A number, date or code from left to right; None if there is more to it than figures."""
        if not self._all_figures.issuperset(text):
            return None
        self.used = True
        width = sum(map(self._figure_widths.__getitem__, text))
        return Word(f"<{text.translate(self._figures)}>", width)

    def shaped(self, text: str, *, rtl: bool) -> Word:
        """The glyphs of a stretch in one direction, from left to right."""
        key = (text, rtl)
        found = self._words.get(key)
        if found is None:
            if len(self._words) >= _WORDS_KEPT:
                self._words.clear()
            self.used = self.used or text != " "
            found = self._words[key] = self._shape(text, rtl)
        return found

    def _shape(self, text: str, rtl: bool) -> Word:
        buffer = self._hb.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        buffer.direction = "rtl" if rtl else "ltr"
        self._hb.shape(self._font, buffer)
        infos, places = buffer.glyph_infos, buffer.glyph_positions
        self._note(text, infos, rtl)
        scale, width, raised = self._scale, 0.0, 0.0
        parts: list[str] = []
        run: list[str] = []
        for info, place in zip(infos, places, strict=True):
            glyph = info.codepoint
            rise = place.y_offset * scale
            before = place.x_offset * scale
            if before or rise != raised:
                parts.append(_run(run))
                run = []
                if before:
                    parts.append(f"{-before:.0f}")
                if rise != raised:
                    # A TJ array cannot rise: it is closed, and opened anew.
                    parts.append(f"]TJ {{{rise:.0f}}} Ts[")
                    raised = rise
            run.append(f"{glyph:04x}")
            advance = place.x_advance * scale
            width += advance
            after = advance - before - self._width(glyph)
            if abs(after) >= 1:
                parts += [_run(run), f"{-after:.0f}"]
                run = []
        parts.append(_run(run))
        if raised:
            parts.append("]TJ {0} Ts[")
        return Word(" ".join(part for part in parts if part), width)

    def _note(self, text: str, infos: Any, rtl: bool) -> None:
        """Remember what each glyph says, for those who search the file or copy from it."""
        starts = sorted({info.cluster for info in infos})
        unsaid = {
            start: text[start:end] for start, end in pairwise([*starts, len(text)])
        }  # fmt: skip
        glyphs = Counter(info.cluster for info in infos)
        # A letter comes before its marks, which is after them where all goes to the left.
        for info in reversed(infos) if rtl else infos:
            said = unsaid[info.cluster]
            if glyphs[info.cluster] > 1:
                glyphs[info.cluster] -= 1
                said = said[:1]
            unsaid[info.cluster] = unsaid[info.cluster][len(said) :]
            self._said.setdefault(info.codepoint, said)

    def _width(self, glyph: int) -> float:
        width = self._widths.get(glyph)
        if width is None:
            width = self._widths[glyph] = self._font.get_glyph_h_advance(glyph) * self._scale
        return width

    def _add_figure(self, figure: str) -> None:
        glyph = self._font.get_nominal_glyph(ord(figure))
        if glyph is not None:
            self._figures[ord(figure)] = f"{glyph:04x}"
            self._figure_widths[figure] = self._width(glyph)
            self._said[glyph] = figure

    def subset(self) -> bytes:
        """The font file with no other glyphs than those used, each under its number."""
        wanted = self._hb.SubsetInput()
        wanted.glyph_set.update(self._widths)
        wanted.flags |= (
            self._hb.SubsetFlags.RETAIN_GIDS
            | self._hb.SubsetFlags.NOTDEF_OUTLINE
            | self._hb.SubsetFlags.NO_LAYOUT_CLOSURE
        )
        wanted.drop_table_tag_set.update(int.from_bytes(tag, "big") for tag in _NOT_PRINTED)
        return bytes(wanted.subset(self._face).blob.data)

    def glyphs(self) -> tuple[dict[int, float], dict[int, str]]:
        """The glyphs used, by number: how wide each is, and what it says."""
        return self._widths, self._said

    def box(self) -> Sequence[int]:
        """What the largest of its letters would fill."""
        head = bytes(self._face.reference_table("head").data)
        return [round(each * self._scale) for each in unpack(">4h", head[36:44])]


def _run(glyphs: list[str]) -> str:
    return f"<{''.join(glyphs)}>" if glyphs else ""

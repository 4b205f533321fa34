"""The typography of one file: its typefaces, and typesetters of each weight and size."""

from engine.exporters.fonts import fallback_file, font_file
from engine.exporters.pdf.typeface import Typeface
from engine.exporters.pdf.typesetter import Typesetter
from engine.exporters.pdf.unavailable import PdfUnavailable

_NAMES = {"regular": ("FR", "FRx"), "bold": ("FB", "FBx")}


class Typography:
    """Typefaces are read when they are first asked for."""

    def __init__(self) -> None:
        self._faces: dict[str, list[Typeface]] = {}
        self._setters: dict[tuple[str, float], Typesetter] = {}

    def of(self, style: str, size: float) -> Typesetter:
        """The typesetter of `regular` or `bold` letters of a size in points."""
        if (style, size) not in self._setters:
            self._setters[style, size] = Typesetter(self._faces_of(style), size)
        return self._setters[style, size]

    def faces(self) -> list[Typeface]:
        """All that may have been used."""
        return [face for faces in self._faces.values() for face in faces]

    def _faces_of(self, style: str) -> list[Typeface]:
        if style not in self._faces:
            name, other = _NAMES[style]
            try:
                faces = [Typeface(name, font_file(style))]
                if (fallback := fallback_file(style)) is not None:
                    faces.append(Typeface(other, fallback))
            except ImportError as error:
                raise PdfUnavailable(problem=str(error)) from error
            self._faces[style] = faces
        return self._faces[style]

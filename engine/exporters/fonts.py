"""Fonts that come with packages: one family for Latin and Arabic, the same on every machine."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from engine.errors import EngineError

FAMILY = "IBM Plex Sans Arabic"
# What has the letters that the family lacks (Cyrillic, Greek, Vietnamese ...), where it is there.
FALLBACK = "DejaVu Sans"
_PACKAGE = "fontpkg_ibm_plex_sans_arabic"
_FILES = {"regular": "IBMPlexSansArabic-Regular.ttf", "bold": "IBMPlexSansArabic-SemiBold.ttf"}
_FALLBACKS = {"regular": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}
_FOLDERS = (Path("/usr/share/fonts/truetype/dejavu"), Path("/usr/share/fonts/dejavu-sans-fonts"))
WEIGHTS: Mapping[str, int] = {"regular": 400, "bold": 700}


class FontsUnavailable(EngineError):
    """The package with the fonts is not installed."""

    message = "there are no fonts to print with; install the extra (pip install 'engine[pdf]')"


def font_file(style: str) -> Path:
    """The file of the `regular` or the `bold` letters."""
    try:
        return Path(str(files(_PACKAGE))) / "files" / _FILES[style]
    except ModuleNotFoundError as error:
        raise FontsUnavailable from error


def fallback_file(style: str) -> Path | None:
    """The file of letters that the family lacks; None where the machine has none."""
    found = (folder / _FALLBACKS[style] for folder in _FOLDERS)
    return next((path for path in found if path.is_file()), None)

"""Labels: what people read, in each of the languages that reports are made in."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "ar"]
LANGUAGES: tuple[Language, ...] = ("en", "ar")


@dataclass(frozen=True, kw_only=True)
class Label:
    """A text in English and in Arabic; one that is the same in both has no `ar`."""

    en: str
    ar: str | None = None

    def said(self, language: Language) -> str:
        """The text in that language, or in English where it has none."""
        return self.ar if language == "ar" and self.ar is not None else self.en

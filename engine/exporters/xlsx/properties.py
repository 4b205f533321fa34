"""What a workbook says about itself: its properties, and those of the engine's own."""

from datetime import UTC
from typing import Any

from engine.exporters.cells import legible
from engine.exporters.document import Document
from engine.exporters.xlsx.texts import cut

_LONGEST = 255  # of a property's name and of its text


def set_properties(workbook: Any, document: Document) -> None:
    """Set title, subject and so on, and each of the document's own properties."""
    workbook.set_properties(
        {
            "title": legible(document.title),
            "subject": legible(document.subtitle),
            "keywords": legible(", ".join(document.keywords)),
            "category": legible(document.confidentiality),
            "author": "engine",
            "created": document.made_at.astimezone(UTC).replace(tzinfo=None),
        }
    )
    for name, text in document.properties.items():
        _set_property(workbook, legible(name), legible(text))


def _set_property(workbook: Any, name: str, text: str) -> None:
    """Set a property of the engine's; one that is too long goes on as "name (2)"."""
    part, (held, rest) = 1, cut(text, _LONGEST)
    while True:
        ending = f" ({part})" if part > 1 else ""
        called = cut(name, _LONGEST - len(ending))[0] + ending
        workbook.set_custom_property(called, held, "text")
        if not rest:
            return
        part, (held, rest) = part + 1, cut(rest, _LONGEST)

"""Binding: designed pages and drawn ones become one file, with outline, properties and password."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.exporters.cells import legible
from engine.exporters.document import Document
from engine.exporters.pdf.drawn import DrawnPages
from engine.exporters.pdf.embedding import embedded

_OWNER = 32  # bytes of a password that nobody has


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A drawn table, and which of the drawn pages is its first."""

    title: str
    page: int


def bind(
    designed: Path, bound: Path, document: Document, drawn: DrawnPages, chapters: Sequence[Chapter]
) -> None:
    """Put the drawn pages behind the designed ones, and say what the file is."""
    import pikepdf

    with pikepdf.Pdf.open(designed) as pdf:
        _describe(pdf, document)
        if not chapters:
            pdf.save(bound, **_compact(pikepdf), deterministic_id=True)
            return
        before = len(pdf.pages)
        drawn.designed = before
        drawn.learn()
        resources = embedded(pdf, drawn.typography.faces())
        with pdf.open_outline() as outline:
            for number, chapter in enumerate(chapters):
                # The first page of each is here so that the outline can lead to it.
                page = pdf.add_blank_page(page_size=drawn.sheet.size)
                page.obj.Resources = resources
                outline.root.append(pikepdf.OutlineItem(chapter.title, before + number))
        pdf.save(bound, **_compact(pikepdf), deterministic_id=True)
    with pikepdf.Pdf.open(bound) as pdf:
        drawn.take_places(pdf, {chapter.page: at for at, chapter in enumerate(chapters)})
    drawn.append_to(bound)


def archive(designed: Path, bound: Path, document: Document) -> None:
    """Say in a PDF/A what it is; its own description must not name what its standard lacks."""
    import pikepdf

    with pikepdf.Pdf.open(designed) as pdf:
        for name, value in _named(document):
            pdf.docinfo[f"/{name}"] = pikepdf.String(value)
        pdf.save(bound, deterministic_id=True)


def lock(bound: Path, locked: Path, password: str) -> None:
    """Encrypt a file with AES-256: nobody reads it without the password."""
    import pikepdf

    encryption = pikepdf.Encryption(user=password, owner=secrets.token_hex(_OWNER), R=6)
    with pikepdf.Pdf.open(bound) as pdf:
        pdf.save(locked, **_compact(pikepdf), encryption=encryption)


def _compact(pikepdf: Any) -> dict[str, Any]:
    return {"object_stream_mode": pikepdf.ObjectStreamMode.generate}


def _describe(pdf: Any, document: Document) -> None:
    import pikepdf

    pdf.Root.Lang = pikepdf.String(document.language)
    pdf.Root.ViewerPreferences = pikepdf.Dictionary(
        DisplayDocTitle=True,
        Direction=pikepdf.Name.R2L if document.rtl else pikepdf.Name.L2R,
    )
    for name, value in _named(document):
        pdf.docinfo[f"/{name}"] = pikepdf.String(value)
    with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
        metadata["dc:title"] = legible(document.title)
        metadata["dc:description"] = legible(document.subtitle)
        metadata["dc:language"] = {document.language}
        metadata["xmp:CreateDate"] = document.made_at.isoformat()
        for name, value in _named(document):
            metadata[f"pdfx:{name}"] = value


def _named(document: Document) -> Iterable[tuple[str, str]]:
    """The facts of the file by names that PDF and XML allow."""
    for name, value in document.properties.items():
        plain = "".join(letter for letter in name.title() if letter.isascii() and letter.isalnum())
        yield plain if plain[:1].isalpha() else f"Fact{plain}", legible(value)

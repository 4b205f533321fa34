"""Branded workbooks: a template of the user's, filled by openpyxl with a document's few rows.

A cell of column A that says `{{sales}}`, or that is named sales, is where the header of the table
sales begins; the row below it shows how the rows should look. Below that the sheet must be empty:
the rows grow into it, and are counted there again. Elsewhere, names in double braces are replaced:
title, subtitle, timezone, confidentiality, the labels of the document's facts, and the names of its
properties.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from engine.errors import Invalid
from engine.exporters.cells import fact_text
from engine.exporters.document import Document, Table
from engine.exporters.xlsx.template_rows import Place, TemplateTable
from engine.exporters.xlsx.texts import cell_text

SUFFIX = ".xlsx"
_MARK = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")


class NoTemplate(Invalid):
    """The template cannot be opened."""

    message = "template {name!r} in {folder}: {problem}"


class NoPlace(Invalid):
    """A template does not say where a table goes, or has no room there."""

    message = (
        "template {name!r} has no place for the rows of {table!r}: {problem}; write "
        "{{{{{table}}}}} into the cell of column A where its header begins, and leave all below "
        "the row under it empty"
    )


def fill(folder: Path, document: Document, target: BinaryIO) -> int:
    """Write the document's template, filled; return the rows of the main table."""
    name = document.template or ""
    book = _opened(folder, name)
    places = [_place(book, name, table) for table in document.tables]
    words = _words(document)
    for sheet in book.worksheets:
        for cell in _texts_of(sheet):
            cell.value = _MARK.sub(lambda found: words.get(found[1], found[0]), cell.value)
            if isinstance(cell.value, str):
                cell.data_type = "s"  # what begins with "=" as well
    written = [
        TemplateTable(name, table, document).write(place)
        for table, place in zip(document.tables, places, strict=True)
    ]
    _set_properties(book, document)
    book.save(target)
    return written[0]


def _opened(folder: Path, name: str) -> Any:
    try:
        from openpyxl import load_workbook
        from PIL import Image
    except ImportError as error:
        problem = "filling it needs the extra xlsx-templates: pip install 'engine[xlsx-templates]'"
        raise NoTemplate(name=name, folder=folder, problem=problem) from error
    del Image  # openpyxl leaves pictures out, without a word, where it is not there
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise NoTemplate(name=name, folder=folder, problem="it is outside of the folder")
    try:
        return load_workbook(path)
    except Exception as error:
        raise NoTemplate(name=name, folder=folder, problem=str(error)) from error


def _place(book: Any, name: str, table: Table) -> Place:
    """Where the header of a table begins: a cell of its name, or one that says it."""
    found = [*_named(book, table.name), *_marked(book, table.name)]
    if len(found) != 1:
        problem = f"{len(found)} cells say so" if found else "no cell says so"
        raise NoPlace(name=name, table=table.name, problem=problem)
    (place,) = found
    if place.column != 1:
        problem = "its header would not begin in column A"
        raise NoPlace(name=name, table=table.name, problem=problem)
    for row in place.sheet.iter_rows(min_row=place.row + 2):
        for cell in row:
            if cell.value is not None:
                problem = f"{cell.coordinate} of sheet {place.sheet.title} holds something"
                raise NoPlace(name=name, table=table.name, problem=problem)
    return place


def _named(book: Any, name: str) -> Iterator[Place]:
    known = book.defined_names.get(name)
    for sheet, area in known.destinations if known is not None else ():
        first = book[sheet][area.partition(":")[0].replace("$", "")]
        yield Place(sheet=book[sheet], row=first.row, column=first.column)


def _marked(book: Any, name: str) -> Iterator[Place]:
    for sheet in book.worksheets:
        for cell in _texts_of(sheet):
            found = _MARK.fullmatch(cell.value.strip())
            if found and found[1] == name:
                yield Place(sheet=sheet, row=cell.row, column=cell.column)


def _texts_of(sheet: Any) -> Iterator[Any]:
    for row in sheet.iter_rows():
        for cell in row:
            if cell.data_type == "s" and isinstance(cell.value, str) and "{{" in cell.value:
                yield cell


def _words(document: Document) -> Mapping[str, str]:
    """What a template may ask for by name."""
    words = {
        "title": document.title,
        "subtitle": document.subtitle,
        "timezone": document.timezone,
        "confidentiality": document.confidentiality,
        **document.properties,
        **{fact.label: fact_text(fact, document) for fact in document.facts},
    }
    return {name: cell_text(text) for name, text in words.items()}


def _set_properties(book: Any, document: Document) -> None:
    from openpyxl.packaging.custom import StringProperty

    book.properties.title = document.title
    book.properties.subject = document.subtitle
    book.properties.keywords = ", ".join(document.keywords)
    for name, text in document.properties.items():
        if name not in book.custom_doc_props.names:
            book.custom_doc_props.append(StringProperty(name=name, value=text))

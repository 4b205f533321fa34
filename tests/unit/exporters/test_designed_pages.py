"""Designed pages: what a page may read, what stands on each, whose template it is."""

import io
from dataclasses import replace
from pathlib import Path

import pypdf
import pytest

from engine.exporters.document import Document
from engine.exporters.held import held
from engine.exporters.pages import BadTemplate, Pages
from engine.exporters.pdf.designed import PageLacks, PageReachesOut, write_pdf
from engine.exporters.pdf.exporter import PdfExporter
from engine.exporters.shown import Shown
from tests.builders.document import a_document

PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def pages_of(document: Document, exporter: PdfExporter | None = None) -> list[str]:
    target = io.BytesIO()
    (exporter or PdfExporter()).write(document, target)
    return [page.extract_text() for page in pypdf.PdfReader(target).pages]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/pixel.png",
        "https://example.com/pixel.png",
        "ftp://example.com/pixel.png",
        "file:///etc/passwd",
        "file://host/share/pixel.png",
        "../secret.png",
        "link.png",
        "/etc/passwd",
    ],
)
@pytest.mark.parametrize(
    "page",
    [
        '<img src="{url}">',
        "<style>@import '{url}';</style>",
        '<link rel="stylesheet" href="{url}">',
    ],
)
def test_a_page_may_not_reach_out(tmp_path: Path, url: str, page: str) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(b"secret")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(PageReachesOut, match="which it may not read"):
        write_pdf(page.format(url=url), folder, io.BytesIO())


def test_a_page_may_read_beside_itself_and_inside_itself(tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
        '<rect width="9" height="9"/></svg>'
    )
    target = io.BytesIO()
    write_pdf(f'<img src="logo.svg"><img src="{PIXEL}">', tmp_path, target)
    assert target.getvalue().startswith(b"%PDF")


def test_a_picture_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PageLacks, match=r"logo\.svg"):
        write_pdf('<img src="logo.svg">', tmp_path, io.BytesIO())


def test_every_page_has_the_header_of_the_table_its_title_and_its_number() -> None:
    pages = pages_of(a_document(rows=[(f"person {number}", number) for number in range(60)]))
    assert len(pages) > 1
    for number, text in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in text
        assert "Name" in text
        assert "People" in text


def test_a_template_of_the_folder_may_build_on_ours(tmp_path: Path) -> None:
    (tmp_path / "own.html").write_text(
        '{% extends "table.html" %}{% block facts %}<p>Seen by {{ title }}</p>{% endblock %}'
    )
    document = replace(a_document(title="<Auditors>"), template="own.html")
    (text,) = pages_of(document, PdfExporter(pages=Pages(tmp_path)))
    assert "Seen by <Auditors>" in text
    (text,) = pages_of(document)
    assert "Seen by" not in text


@pytest.mark.parametrize("wrong", ["{% if %}", "{{ nobody }}", "{{ title.nothing.more }}"])
def test_a_wrong_template_is_named(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "own.html").write_text(wrong)
    document = replace(a_document(), template="own.html")
    shown = Shown(document)
    tables = held(document, shown, 10)
    with pytest.raises(BadTemplate, match=r"template 'own\.html' in"):
        Pages(tmp_path).render(shown, tables)


@pytest.mark.parametrize("name", ["gone.html", "/etc/passwd", "../own.html", "own.css"])
def test_a_template_that_is_no_page_of_the_folder_is_never_replaced_silently(
    tmp_path: Path, name: str
) -> None:
    document = replace(a_document(), template=name)
    shown = Shown(document)
    tables = held(document, shown, 10)
    with pytest.raises(BadTemplate, match="there is no page"):
        Pages(tmp_path).render(shown, tables)


@pytest.mark.parametrize("name", [None, "brand.xlsx", "reconciliation.html"])
def test_pages_of_ours_are_there_where_the_folder_has_none(
    tmp_path: Path, name: str | None
) -> None:
    document = replace(a_document(), template=name)
    shown = Shown(document)
    assert "<html" in Pages(tmp_path).render(shown, held(document, shown, 10))
